//! Browser side. The streamed response of a live test: requested, read line by line and shown.

use std::{cell::Cell, future::Future};

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortController, Element, FormData, HtmlElement, HtmlFormElement, ReadableStreamDefaultReader, Response,
    UrlSearchParams,
};

use super::{
    lines::Lines,
    panel::{NOW, fill, in_sight, panel, part, say, show_buttons},
};
use crate::{
    dom::{find, focus, press::when_released},
    fetch::fetch,
};

thread_local! {
    /// Counts the tests: the panel shows the last one.
    pub(super) static RUN: Cell<u32> = const { Cell::new(0) };
    /// It has passed the commit point and can no longer be stopped.
    pub(super) static LATE: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn is_current(run: u32) -> bool {
    RUN.get() == run
}

/// How a stream ended.
pub(super) enum End {
    Whole,
    Cut,
    /// The session has ended.
    SessionOver,
}

/// Shows the stream's lines. `row`: the selector of the profile's row.
pub(super) async fn read(answer: impl Future<Output = Option<Response>>, row: &str, run: u32) -> End {
    let Some(response) = answer.await else { return End::Cut };
    if response.status() == 401 {
        return End::SessionOver;
    }
    let Some(stream) = response.body() else { return End::Cut };
    let chunks: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut lines = Lines::default();
    let mut end = End::Cut;
    // The last read has no value.
    while let Ok(read) = chunks.read().await
        && let Ok(chunk) = js_sys::Reflect::get(&read, &JsValue::from_str("value"))
        && !chunk.is_undefined()
    {
        for line in lines.push(&js_sys::Uint8Array::new(&chunk).to_vec()) {
            let Ok(event) = js_sys::JSON::parse(&line) else { continue };
            match part_of(&event, "kind").as_deref() {
                Some("leaving") if is_current(run) => LATE.set(true),
                Some("finished" | "refused") => end = End::Whole,
                _ => {}
            }
            let row = row.to_owned();
            when_released(move || {
                show(&event, &row, is_current(run));
            });
        }
    }
    end
}

fn part_of(event: &JsValue, name: &str) -> Option<String> {
    js_sys::Reflect::get(event, &JsValue::from_str(name)).ok()?.as_string()
}

pub(super) fn value(form: &HtmlFormElement, name: &str) -> String {
    FormData::new_with_form(form).ok().and_then(|fields| fields.get(name).as_string()).unwrap_or_default()
}

/// Posts the form. Returns the response to come, and the selector of the profile's row.
pub(super) fn ask(
    form: &HtmlFormElement,
    profile: &str,
    abort: &AbortController,
) -> Option<(impl Future<Output = Option<Response>> + use<>, String)> {
    let body = UrlSearchParams::new().ok()?;
    for name in ["form_owner", "id", "to", "fix", "secret"] {
        body.append(name, &value(form, name));
    }
    let row = ["label[for=profile-", profile, "]"].concat();
    let address = panel()?.get_attribute("data-stream")?;
    let signal = abort.signal();
    Some((async move { fetch(&address, Some(&body), Some(&signal)).await }, row))
}

/// Shows one line. `row`: the selector of the profile's row. `current`: whether the panel shows this test.
fn show(event: &JsValue, row: &str, current: bool) -> Option<()> {
    let text = |name: &str| part_of(event, name);
    let html = text("html").unwrap_or_default();
    if let (Some(html), Some(label)) = (text("row"), find::<Element>(row)) {
        label.set_inner_html(&html);
    }
    if !current {
        return None;
    }
    match text("kind")?.as_str() {
        "begun" => fill(".panel .tested", &html),
        "phases" => {
            fill(".panel .phases", &html);
            // Keep the words "too late".
            if !part(".stop")?.has_attribute("hidden") {
                part(NOW)?.set_text_content(text("now").as_deref());
                in_sight(".panel .now");
            }
        }
        "stage" => part(".stages")?.insert_adjacent_html("beforeend", &html).ok()?,
        "finished" | "refused" => {
            if let Some(untried) = text("untried") {
                // The test answers this notice.
                fill("#untried", &untried);
                fill("#said", "");
            }
            // The report contains them.
            fill(".panel .stages", "");
            fill(".panel .result", &html);
            say(NOW, "");
            show_buttons();
            if let Some(title) = find::<HtmlElement>(".panel .result h2") {
                focus(&title);
            }
            in_sight(".panel .result > :is(.card, .notice)");
        }
        _ => {}
    }
    Some(())
}

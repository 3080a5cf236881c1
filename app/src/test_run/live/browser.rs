//! Browser side. Posts the form to the streaming server function and shows its lines as they come.

use futures::StreamExt;
use gloo_net::http::Request;
use leptos::{html::Div, prelude::*};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, Element, HtmlElement, HtmlFormElement, SubmitEvent, UrlSearchParams};

use super::lines::Lines;

const STARTING: usize = 0;
const CUT: usize = 1;
const STOPPED: usize = 3;

/// One live panel.
#[derive(Clone, Copy)]
pub(super) struct Run {
    root: NodeRef<Div>,
    running: RwSignal<bool>,
    texts: StoredValue<Vec<String>>,
    abort: StoredValue<Option<AbortController>, LocalStorage>,
}

impl Run {
    pub(super) fn new(root: NodeRef<Div>, running: RwSignal<bool>, texts: StoredValue<Vec<String>>) -> Self {
        let run = Self { root, running, texts, abort: StoredValue::new_local(None) };
        on_cleanup(move || run.stop());
        run
    }

    /// Takes the form's submission over when **Tester** was pressed; every other button stays native.
    pub(super) fn submitted(self, event: &SubmitEvent) {
        let pressed = event.submitter().is_some_and(|button| button.has_attribute("data-test"));
        let Some(form) = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok()) else { return };
        if !pressed {
            return;
        }
        event.prevent_default();
        if self.running.get_untracked() {
            return;
        }
        self.clear();
        let selected = form.query_selector("input[name=id]:checked").ok().flatten();
        leptos::task::spawn_local(async move {
            self.running.set(true);
            let whole = self.read(&form, selected).await;
            self.running.set(false);
            let stopped = self.abort.try_update_value(Option::take).flatten().is_none();
            if whole.is_none() {
                self.say(".result", if stopped { STOPPED } else { CUT });
            }
        });
    }

    /// Closes the stream, and with it the conversation at the other end.
    pub(super) fn stop(self) {
        if let Some(Some(abort)) = self.abort.try_update_value(Option::take) {
            abort.abort();
        }
    }

    /// Shows the stream's lines; `None` when it ended before its last one.
    async fn read(self, form: &HtmlFormElement, selected: Option<Element>) -> Option<()> {
        let fields = web_sys::FormData::new_with_form(form).ok()?;
        let body = UrlSearchParams::new().ok()?;
        for name in ["id", "to"] {
            body.append(name, &fields.get(name).as_string().unwrap_or_default());
        }
        let abort = AbortController::new().ok()?;
        let request = Request::post("/api/test/stream").abort_signal(Some(&abort.signal()));
        self.abort.set_value(Some(abort));
        let response = request.body(body).ok()?.send().await.ok()?;
        let stream = response.ok().then(|| response.body()).flatten()?;
        let mut chunks = wasm_streams::ReadableStream::from_raw(stream.unchecked_into()).into_stream();
        let mut lines = Lines::default();
        let mut whole = None;
        while let Some(Ok(chunk)) = chunks.next().await {
            for line in lines.push(&js_sys::Uint8Array::new(&chunk).to_vec()) {
                whole = whole.or(self.show(&line, selected.as_ref()));
            }
        }
        whole
    }

    /// Shows one line; `Some` for the last one.
    fn show(self, line: &str, selected: Option<&Element>) -> Option<()> {
        let event = js_sys::JSON::parse(line).ok()?;
        let text = |name: &str| js_sys::Reflect::get(&event, &JsValue::from_str(name)).ok()?.as_string();
        let html = text("html").unwrap_or_default();
        if text("kind")? == "stage" {
            self.part(".stages")?.insert_adjacent_html("beforeend", &html).ok()?;
            self.part(".now [role=status]")?.set_text_content(text("now").as_deref());
            return None;
        }
        let result = self.part(".result")?;
        result.set_inner_html(&html);
        if let (Some(badge), Some(row)) = (text("badge"), selected.and_then(|radio| radio.parent_element()))
            && let Ok(Some(state)) = row.query_selector(".state")
        {
            state.set_inner_html(&badge);
        }
        if let Ok(Some(title)) = result.query_selector("h2")
            && let Some(title) = title.dyn_ref::<HtmlElement>()
        {
            let _ = title.focus();
        }
        Some(())
    }

    /// Empties and opens the panel.
    fn clear(self) {
        for part in [".stages", ".result"] {
            if let Some(element) = self.part(part) {
                element.set_inner_html("");
            }
        }
        self.say(".now [role=status]", STARTING);
        if let Some(panel) = self.part(".panel") {
            let _ = panel.remove_attribute("hidden");
            panel.scroll_into_view_with_bool(false);
        }
    }

    fn part(self, selector: &str) -> Option<Element> {
        self.root.get_untracked()?.query_selector(selector).ok().flatten()
    }

    fn say(self, selector: &str, text: usize) {
        if let Some(element) = self.part(selector) {
            element.set_text_content(self.texts.with_value(|texts| texts.get(text).cloned()).as_deref());
        }
    }
}

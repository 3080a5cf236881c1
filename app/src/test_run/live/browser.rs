//! Browser side. **Tester** and **Arrêter**, and the selected row.

use std::cell::RefCell;

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{AbortController, Element, Event, HtmlElement, HtmlFormElement, HtmlInputElement, SubmitEvent, UiEvent};

use super::{
    answer::{End, LATE, RUN, ask, is_current, read, value},
    copy,
    panel::{NOW, fill, nearest, open_panel, panel, part, put_after, say, set_busy, show_buttons},
};
use crate::{
    dom::{
        find, focus, is, listen,
        press::{self, when_released},
        show as set_shown, spawn, target, toggle_secret,
    },
    sign_in::window,
};

/// The button.
const TESTER: &str = ".toolbar [data-test]";

thread_local! {
    /// The running test.
    static RUNNING: RefCell<Option<AbortController>> = const { RefCell::new(None) };
    /// The profile under test.
    static TESTED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Called once, when the WebAssembly is loaded.
pub(super) fn arrive() {
    if let Some(live) = find::<Element>("#live") {
        listen(&live, &["submit", "click", "change"], heard);
    }
    press::arrive();
    window::arrive();
    show_buttons();
    // No scrolling past a notice: it is read first, and may offer to undo a deletion.
    selected(find::<Element>("#said .notice").is_none());
}

fn heard(event: Event) {
    let Some(target) = target(&event) else { return };
    match event.type_().as_str() {
        "submit" => submitted(event.unchecked_ref(), target.unchecked_into()),
        "click" => clicked(event.unchecked_ref(), &target),
        _ if is(&target, ".profile input") => selected(true),
        _ => {}
    }
}

/// Moves the buttons under the selected row; `scrolls`: and into view.
fn selected(scrolls: bool) {
    let (Some(row), Some(buttons)) = (find::<Element>(".profile:has(:checked)"), find::<HtmlElement>(".toolbar"))
    else {
        return;
    };
    put_after(&row, &buttons);
    if scrolls {
        nearest(&buttons);
    }
    mark_tester();
}

/// A running test of the selected profile cannot be started again: **Tester** says so, and keeps the focus.
fn mark_tester() {
    let chosen = find::<HtmlInputElement>(".profile :checked").map(|radio| radio.value()).unwrap_or_default();
    if let Some(button) = find::<Element>(TESTER) {
        let runs = is_running(&chosen);
        let _ = button.set_attribute("aria-disabled", if runs { "true" } else { "false" });
    }
}

fn is_running(profile: &str) -> bool {
    RUNNING.with_borrow(Option::is_some) && TESTED.with_borrow(|tested| tested == profile)
}

/// Intercepts the submission by **Tester**, and by the buttons that apply a fix and test; all others submit natively.
fn submitted(event: &SubmitEvent, form: HtmlFormElement) {
    let pressed = event.submitter().is_some_and(|button| button.has_attribute("data-test"));
    if !pressed {
        return;
    }
    // The report page has no panel: the form is submitted natively.
    if panel().is_none() {
        return;
    }
    event.prevent_default();
    let profile = value(&form, "id");
    if is_running(&profile) {
        return;
    }
    let Ok(abort) = AbortController::new() else { return };
    // A new test replaces the running one, unless that has passed the commit point: then it runs on, to update its row.
    let former = RUNNING.replace(Some(abort.clone()));
    let late = LATE.replace(false);
    if let Some(former) = former.as_ref().filter(|_| !late) {
        former.abort();
    }
    let run = RUN.get() + 1;
    RUN.set(run);
    // Before the panel is emptied: it may contain the form.
    let answer = ask(&form, &profile, &abort);
    open_panel(&profile, if former.is_some() { "data-restarting" } else { "data-starting" });
    TESTED.set(profile);
    set_busy(true);
    mark_tester();
    spawn(async move {
        let end = match answer {
            Some((answer, row)) => read(answer, &row, run).await,
            None => End::Cut,
        };
        let stopped = abort.signal().aborted();
        when_released(move || ended(&end, run, stopped));
    });
}

/// `stopped`: by the user.
fn ended(end: &End, run: u32, stopped: bool) {
    if !is_current(run) {
        return; // The panel shows another test.
    }
    RUNNING.set(None);
    let on_the_button = document().active_element().is_some_and(|at| is(&at, ".stop"));
    set_busy(false);
    mark_tester();
    match end {
        End::Whole => {}
        End::SessionOver => say_session_over(),
        End::Cut => {
            fill(".panel .phases", "");
            say(NOW, if stopped { "data-stopped" } else { "data-cut" });
            if on_the_button {
                back_to_tester();
            }
        }
    }
}

/// Moves the focus from the stop button, which is about to disappear, to **Tester**.
fn back_to_tester() {
    if let Some(button) = find::<HtmlElement>(TESTER) {
        focus(&button);
    }
}

/// Shows the server's template for this case: a notice, the way back, and the mark that `frame.js` finds.
fn say_session_over() {
    if let (Some(place), Some(words)) = (part(".result"), part("template")) {
        say(NOW, "");
        place.set_inner_html(&words.inner_html());
        if let Some(link) = find::<HtmlElement>(".panel .result a") {
            focus(&link);
        }
    }
}

fn clicked(event: &UiEvent, target: &Element) {
    // The second click of a double click may hit a button that the first one put there.
    if event.detail() > 1 && target.closest("button").ok().flatten().is_some() {
        event.prevent_default();
        return;
    }
    if is(target, ".stop") {
        stop();
    } else if target.has_attribute("data-copy") {
        copy::copy(target);
    } else if let Ok(Some(eye)) = target.closest(".retype .eye") {
        toggle_secret(&eye);
    }
}

/// Closes the stream, which cancels the test on the server; after the commit point, says that it is too late.
fn stop() {
    if LATE.get() {
        say(NOW, "data-late");
        if let Some(button) = part(".stop") {
            set_shown(&button, false);
            back_to_tester();
        }
    } else {
        RUNNING.with_borrow(|running| running.as_ref().map(AbortController::abort));
    }
}

//! Browser side. While a button is held down nothing moves: the press would end on another element, and no click would come.
//! What changes the page when a field is left, or when an answer arrives, waits for the release.

use std::cell::{Cell, RefCell};

use leptos::prelude::window;
use web_sys::Event;

use super::{after, listen};

thread_local! {
    /// A button, a finger or a pen is down.
    static HELD: Cell<bool> = const { Cell::new(false) };
    /// What waits for the release, in order.
    static WAITING: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) };
}

/// Once for each page.
pub(crate) fn arrive() {
    listen(&window(), &["pointerdown", "pointerup", "pointercancel"], heard);
}

fn heard(event: Event) {
    HELD.set(event.type_() == "pointerdown");
    if !HELD.get() {
        // The click comes first.
        after(std::time::Duration::ZERO, catch_up);
    }
}

fn catch_up() {
    if !HELD.get() {
        for change in WAITING.take() {
            change();
        }
    }
}

/// Changes the page, once nothing is held down and after the changes that wait already.
pub(crate) fn when_released(change: impl FnOnce() + 'static) {
    if HELD.get() || WAITING.with_borrow(|waiting| !waiting.is_empty()) {
        WAITING.with_borrow_mut(|waiting| waiting.push(Box::new(change)));
    } else {
        change();
    }
}

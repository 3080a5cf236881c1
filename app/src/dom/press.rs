//! Browser side. While a button is held down nothing moves: the press would end on another element, and no click would come.
//! What changes the page when a field is left, or when an answer arrives, waits for the release.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use leptos::prelude::window;
use web_sys::Event;

use super::{after, listen};

/// A press that lasts longer has ended unheard: a menu of the browser's may keep the release to itself.
const LONGEST: Duration = Duration::from_secs(2);

thread_local! {
    /// A button, a finger or a pen is down.
    static HELD: Cell<bool> = const { Cell::new(false) };
    /// Counts the presses.
    static PRESS: Cell<u32> = const { Cell::new(0) };
    /// What waits for the release, in order.
    static WAITING: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) };
}

/// Once for each page.
pub(crate) fn arrive() {
    listen(&window(), &["pointerdown", "pointerup", "pointercancel", "keydown"], heard);
}

fn heard(event: Event) {
    if event.type_() == "pointerdown" {
        HELD.set(true);
        let press = PRESS.get() + 1;
        PRESS.set(press);
        after(LONGEST, move || {
            if PRESS.get() == press {
                HELD.set(false);
                catch_up();
            }
        });
    } else {
        HELD.set(false);
        // The click comes first.
        after(Duration::ZERO, catch_up);
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

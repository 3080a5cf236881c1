//! Browser side. While a button is held down, nothing in the page moves: otherwise the press would end on another
//! element, and no click would come. Changes after a field is left, or when a response arrives, wait for the release.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use leptos::prelude::window;
use web_sys::Event;

use super::{after, listen};

/// A longer press counts as ended: a browser menu may hide the release.
const LONGEST: Duration = Duration::from_secs(2);

thread_local! {
    /// Whether a button, a finger or a pen is down.
    static HELD: Cell<bool> = const { Cell::new(false) };
    /// The number of presses so far.
    static PRESS: Cell<u32> = const { Cell::new(0) };
    /// The changes that wait for the release, in order.
    static WAITING: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) };
}

/// Called once for each page.
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
        // After the click.
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

/// Changes the page once nothing is held down, after the changes that already wait.
pub(crate) fn when_released(change: impl FnOnce() + 'static) {
    if HELD.get() || WAITING.with_borrow(|waiting| !waiting.is_empty()) {
        WAITING.with_borrow_mut(|waiting| waiting.push(Box::new(change)));
    } else {
        change();
    }
}

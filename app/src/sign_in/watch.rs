//! Both. Finds out when a sign-in has ended: the provider's window cannot tell this page. Without WebAssembly, the link
//! **J’ai terminé** loads the page again.

use leptos::prelude::*;

/// Placed after the element it reads; renders nothing itself.
#[island]
pub fn SignInWatch() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    browser::watch();
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::time::Duration;

    use leptos::prelude::{document, window};
    use web_sys::{Element, Response};

    use crate::{
        dom::{after, find, listen, spawn, text},
        fetch,
    };

    /// Pause between two questions, while the page is visible.
    const EVERY: Duration = Duration::from_secs(2);

    pub(super) fn watch() {
        if super::super::window::fill() {
            // It shows now that the window is open.
            after(EVERY, || drop(window().location().reload()));
            return;
        }
        after(EVERY, ask);
        // The owner comes back from the window: at once.
        listen(&window(), &["focus"], |_| spawn(look()));
    }

    fn ask() {
        spawn(async {
            if !document().hidden() {
                look().await;
            }
            after(EVERY, ask);
        });
    }

    async fn look() {
        let Some(place) = find::<Element>("#sign-in-waits") else { return };
        let answer = fetch::fetch(&text(&place, "data-progress"), None, None).await;
        let Some(answer) = answer.filter(Response::ok) else { return };
        if fetch::text(&answer).await.is_some_and(|text| text.contains("true")) {
            let _ = window().location().reload();
        }
    }
}

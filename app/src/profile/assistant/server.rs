//! Browser side. The server's name, read as it was meant when its field is left.

use std::time::Duration;

use leptos::prelude::set_timeout;
use web_sys::{Element, HtmlInputElement};

use super::{checks::forgive, presets::settle, warn};
use crate::{
    dom::{find, text},
    profile::server_text::{self, ServerText},
};

/// Longer than a press takes.
const AFTER_A_PRESS: Duration = Duration::from_millis(300);

/// What was taken off is told in the hint's line, which is there anyway: nothing moves under the pointer.
pub(super) fn left(target: &Element) {
    let Some(host) = find::<HtmlInputElement>("#host").filter(|host| target.id() == host.id()) else { return };
    let typed = host.value();
    let ServerText { host: name, port } = server_text::read(&typed);
    settle(name.clone());
    if name == typed {
        return;
    }
    host.set_value(&name);
    forgive(&host);
    if let (Some(port), Some(input)) = (&port, find::<HtmlInputElement>("#port")) {
        input.set_value(port);
        forgive(&input);
        // The port came along with the name, so nobody chose the encryption for it.
        let usual = match port.as_str() {
            "465" => "#security-tls",
            "587" => "#security-starttls",
            _ => "",
        };
        if let Some(radio) = (!usual.is_empty()).then(|| find::<HtmlInputElement>(usual)).flatten() {
            radio.set_checked(true);
        }
    }
    // The warnings were about what the field held before. Not at once: leaving the field may be the beginning of a press,
    // and the page may move.
    set_timeout(warn::look, AFTER_A_PRESS);
    if let Some(hint) = find::<Element>("#host-hint").filter(|_| typed.trim() != name) {
        let _ = hint.set_attribute("role", "status");
        let Some(form) = find::<Element>("#profile-form") else { return };
        let words = text(&form, if port.is_some() { "data-tidied-port" } else { "data-tidied" });
        hint.set_text_content(Some(&words.replace("{port}", &port.unwrap_or_default())));
    }
}

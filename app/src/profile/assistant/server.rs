//! Browser side. Normalises the server's name when its field is left.

use web_sys::{Element, HtmlInputElement};

use super::{checks::forgive, presets::settle, warn};
use crate::{
    dom::{filled, find, press::when_released, text},
    profile::server_text::{self, ServerText},
};

pub(super) fn left(target: &Element) {
    let Some(host) = find::<HtmlInputElement>("#host").filter(|host| target.id() == host.id()) else { return };
    let typed = host.value();
    let ServerText { host: name, port } = server_text::read(&typed);
    settle(name.clone());
    if name == typed {
        return;
    }
    host.set_value(&name);
    let mut mended = vec![host];
    if let (Some(port), Some(input)) = (&port, find::<HtmlInputElement>("#port")) {
        input.set_value(port);
        mended.push(input);
        // The port was part of the pasted name, so its encryption was not selected by hand.
        let usual = match port.as_str() {
            "465" => "#security-tls",
            "587" => "#security-starttls",
            _ => "",
        };
        if let Some(radio) = (!usual.is_empty()).then(|| find::<HtmlInputElement>(usual)).flatten() {
            radio.set_checked(true);
        }
    }
    when_released(move || {
        for field in &mended {
            forgive(field);
        }
        // The warnings were about the earlier value.
        warn::look();
        if let Some(hint) = find::<Element>("#host-hint").filter(|_| typed.trim() != name) {
            let _ = hint.set_attribute("role", "status");
            let Some(form) = find::<Element>("#profile-form") else { return };
            let words = text(&form, if port.is_some() { "data-tidied-port" } else { "data-tidied" });
            hint.set_text_content(Some(&filled(&words, "port", &port.unwrap_or_default())));
        }
    });
}

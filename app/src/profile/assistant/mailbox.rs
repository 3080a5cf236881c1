//! Browser side. Splits a pasted address with a name when its field is left.

use web_sys::{Element, HtmlInputElement};

use super::checks::forgive;
use crate::{
    dom::{find, is, press::when_released},
    profile::mailbox_text::read,
};

pub(super) fn left(target: &Element) {
    if !is(target, "#login, #sender_address, #reply_to") {
        return;
    }
    let Some(field) = find::<HtmlInputElement>(&["#", &target.id()].concat()) else { return };
    let Some(mailbox) = read(&field.value()) else { return };
    field.set_value(&mailbox.address);
    let name = find::<HtmlInputElement>("#sender_name").filter(|name| name.value().trim().is_empty());
    if let Some(name) = name.filter(|_| field.id() != "reply_to") {
        name.set_value(&mailbox.name);
    }
    when_released(move || forgive(&field));
}

/// Copies an address from the search box to the login, if the login is empty.
pub(super) fn pass_on() {
    let (Some(search), Some(login)) = (find::<HtmlInputElement>("#preset-search"), find::<HtmlInputElement>("#login"))
    else {
        return;
    };
    let typed = search.value();
    if login.value().is_empty() && typed.contains('@') {
        login.set_value(typed.trim());
        left(&login);
        forgive(&login);
    }
}

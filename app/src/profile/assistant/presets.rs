//! Browser side. Presets: choosing, filling, proposing, searching.

use std::{cell::RefCell, time::Duration};

use leptos::prelude::set_timeout;
use web_sys::{Element, HtmlElement, HtmlInputElement};

use super::{
    checks::forgive,
    dom::{find, find_all, show, text},
    warn,
};
use crate::{
    fetch,
    profile::{
        preset_hint::PresetHint,
        server_text::{self, ServerText},
    },
};

/// Longer than a press takes.
const AFTER_A_PRESS: Duration = Duration::from_millis(300);
const PRESET: &str = "input[name='draft[preset]']";

/// What the button of the remark does.
#[derive(Default)]
enum Offer {
    #[default]
    Nothing,
    /// Puts back what was typed by hand, and what was chosen before. It stays whatever is chosen next, until one of these
    /// fields is typed in again.
    Undo(Before),
    /// Puts back the preset that was left with its server.
    Return(Before),
    /// Chooses the preset of this radio button.
    Choose(HtmlInputElement),
}

/// The form before a preset was chosen.
struct Before {
    /// (input's id, value).
    typed: Vec<(&'static str, String)>,
    preset: Option<HtmlInputElement>,
    security: Option<HtmlInputElement>,
}

thread_local! {
    /// The radio button that was chosen last.
    static CHOSEN: RefCell<Option<HtmlInputElement>> = const { RefCell::new(None) };
    /// What a preset filled in: what differs from it was typed by hand.
    static FILLED: RefCell<Option<PresetHint>> = const { RefCell::new(None) };
    static OFFER: RefCell<Offer> = const { RefCell::new(Offer::Nothing) };
}

pub(super) fn hint_of(radio: &HtmlInputElement) -> Option<PresetHint> {
    PresetHint::decode(&radio.get_attribute("data-p")?)
}

/// A preset's name, as its card says it.
pub(super) fn name_of(radio: &HtmlInputElement) -> String {
    radio.parent_element().and_then(|label| label.text_content()).unwrap_or_default()
}

/// Every preset's radio button.
pub(super) fn radios() -> Vec<HtmlInputElement> {
    find_all(PRESET)
}

fn checked() -> Option<HtmlInputElement> {
    find("input[name='draft[preset]']:checked")
}

/// What the chosen preset fills.
pub(super) fn chosen() -> Option<PresetHint> {
    hint_of(&checked()?)
}

/// The search box appears; a preset that was chosen before the WebAssembly arrived fills its fields.
pub(super) fn arrive() {
    FILLED.set(chosen());
    CHOSEN.set(checked());
    if let Some(search) = find::<Element>(".search") {
        let _ = search.class_list().add_1("shown");
    }
    let host_is_empty = find::<HtmlInputElement>("#host").is_some_and(|host| host.value().is_empty());
    if let Some(radio) = checked().filter(|_| host_is_empty) {
        choose(&radio);
    }
}

pub(super) fn clicked(target: &Element) {
    if target.matches(PRESET).unwrap_or(false) {
        if let Ok(radio) = wasm_bindgen::JsCast::dyn_into::<HtmlInputElement>(target.clone()) {
            choose(&radio);
        }
    } else if target.matches("#assistant button").unwrap_or(false) {
        accept();
    }
}

pub(super) fn typed(target: &Element) {
    let value = || find::<HtmlInputElement>(&["#", &target.id()].concat()).map(|input| input.value());
    if OFFER.with_borrow(|offer| match offer {
        Offer::Undo(before) | Offer::Return(before) => before.typed.iter().any(|(id, _)| *id == target.id()),
        _ => false,
    }) {
        remark("", "", Offer::Nothing);
    }
    match target.id().as_str() {
        "login" => propose(&value().unwrap_or_default()),
        "preset-search" => narrow(&value().unwrap_or_default()),
        _ => {}
    }
}

/// What was typed for the server is read as it was meant, when the field is left. What was taken off stands in the line
/// that is there anyway: nothing moves under the pointer.
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
    // What was said of the server was said of what is not there any more. Not at once: the page may move, and a press may
    // have been what left the field.
    set_timeout(warn::look, AFTER_A_PRESS);
    if let Some(hint) = find::<Element>("#host-hint").filter(|_| typed.trim() != name) {
        let _ = hint.set_attribute("role", "status");
        let Some(form) = find::<Element>("#profile-form") else { return };
        let words = text(&form, if port.is_some() { "data-tidied-port" } else { "data-tidied" });
        hint.set_text_content(Some(&words.replace("{port}", &port.unwrap_or_default())));
    }
}

/// Fills the form from a preset. What was typed by hand gives way too, and the remark says so.
fn choose(radio: &HtmlInputElement) {
    fetch_guide(radio.value());
    let preset = CHOSEN.replace(Some(radio.clone()));
    let pending = is_undo_offered();
    let Some(hint) = hint_of(radio) else {
        FILLED.set(None);
        if !pending {
            remark("", "", Offer::Nothing);
        }
        return;
    };
    let security = find::<HtmlInputElement>("#security input:checked");
    let before = FILLED.replace(Some(hint.clone()));
    let before = |part: fn(&PresetHint) -> String| before.as_ref().map(part);
    let mut replaced = Vec::new();
    let mut fill = |id: &'static str, value: String, was: Option<String>| {
        let Some(input) = find::<HtmlInputElement>(&["#", id].concat()) else {
            return;
        };
        let old = input.value();
        input.set_value(&value);
        forgive(&input);
        if !old.trim().is_empty() && old != value && Some(&old) != was.as_ref() {
            replaced.push((id, old));
        }
    };
    fill("host", hint.host.clone(), before(|hint| hint.host.clone()));
    fill("port", hint.port.to_string(), before(|hint| hint.port.to_string()));
    if let Some(login) = &hint.login {
        fill("login", login.clone(), before(|hint| hint.login.clone().unwrap_or_default()));
    }
    let new = find::<HtmlInputElement>(&["#security-", hint.security.as_str()].concat());
    if let Some(new) = &new {
        new.set_checked(true);
    }
    if pending {
        return;
    }
    if replaced.is_empty() {
        return remark("", "", Offer::Nothing);
    }
    let mut names: Vec<String> = replaced.iter().map(|(id, _)| label_of(id)).collect();
    if security != new {
        names.push(find::<HtmlElement>("#security legend").map(|legend| legend.inner_text()).unwrap_or_default());
    }
    remark("data-replaced", &names.join(", "), Offer::Undo(Before { typed: replaced, preset, security }));
}

/// Whether what was typed by hand can be put back.
fn is_undo_offered() -> bool {
    OFFER.with_borrow(|offer| matches!(offer, Offer::Undo(_)))
}

fn label_of(id: &str) -> String {
    find::<HtmlElement>(&["label[for=", id, "]"].concat()).map(|label| label.inner_text()).unwrap_or_default()
}

/// Replaces the guide beside the password field by the chosen preset's.
fn fetch_guide(preset: String) {
    leptos::task::spawn_local(async move {
        guide_of(&preset, "").await;
    });
}

/// Fetches the guide of a preset, or of whoever's server is typed; the id of the preset whose it is.
async fn guide_of(preset: &str, host: &str) -> Option<String> {
    let guide = find::<Element>("#guide")?;
    let host = String::from(js_sys::encode_uri_component(host));
    let address = [&text(&guide, "data-src"), "preset=", preset, "&host=", &host].concat();
    let response = fetch::fetch(&address, None, None).await.filter(web_sys::Response::ok)?;
    let html = fetch::text(&response).await?;
    guide.set_inner_html(&html);
    response.headers().get("preset").ok()?
}

/// The server was typed by hand: the guide is of whoever's it is, and a preset whose it is not is not chosen any more.
fn settle(host: String) {
    leptos::task::spawn_local(async move {
        let Some(radio) = checked() else { return };
        let Some(id) = guide_of(&radio.value(), &host).await else { return };
        let fits = radio.value().is_empty() || radio.value() == id || !radio.checked();
        let Some(other) = radios().into_iter().find(|other| other.value() == id).filter(|_| !fits) else { return };
        other.set_checked(true);
        FILLED.set(hint_of(&other));
        CHOSEN.set(Some(other));
        let typed = hint_of(&radio).map(|hint| ("host", hint.host)).into_iter().collect();
        let name = name_of(&radio);
        remark("data-left", &name, Offer::Return(Before { typed, preset: Some(radio), security: None }));
        warn::look();
    });
}

/// Enter in the search box: the only provider that is left is chosen.
pub(super) fn choose_the_only_one() {
    let mut left = find_all::<HtmlInputElement>("#presets .card-choice:not([hidden]) [data-p]");
    if let (Some(radio), true) = (left.pop(), left.is_empty()) {
        radio.set_checked(true);
        choose(&radio);
        let _ = radio.focus();
    }
}

/// Proposes the preset that an address belongs to, unless it is chosen already.
fn propose(address: &str) {
    let known = radios()
        .into_iter()
        .find(|radio| hint_of(radio).is_some_and(|hint| hint.knows(address)))
        .filter(|radio| !radio.checked() && !is_undo_offered());
    match known {
        Some(radio) => {
            let name = name_of(&radio);
            remark("data-proposal", &name, Offer::Choose(radio));
        }
        None if OFFER.with_borrow(|offer| matches!(offer, Offer::Choose(_))) => remark("", "", Offer::Nothing),
        None => {}
    }
}

/// Says something at the foot of the form, with a button.
fn remark(kind: &str, name: &str, offer: Offer) {
    let Some(place) = find::<Element>("#assistant") else {
        return;
    };
    let button = match &offer {
        Offer::Nothing => "",
        Offer::Undo(_) | Offer::Return(_) => "data-undo",
        Offer::Choose(_) => "data-choose",
    };
    OFFER.set(offer);
    let shown = !button.is_empty();
    if let (Some(words), Some(press)) = (find::<Element>("#assistant span"), find::<Element>("#assistant button")) {
        words.set_text_content(Some(&text(&place, kind).replace("{name}", name)));
        press.set_text_content(Some(&text(&place, button)));
        show(&press, shown);
    }
    let _ = place.class_list().toggle_with_force("shown", shown);
}

/// The button: takes the proposal, or takes the replacement back.
fn accept() {
    match OFFER.take() {
        Offer::Nothing => {}
        Offer::Undo(Before { typed, preset, security }) | Offer::Return(Before { typed, preset, security }) => {
            for (id, old) in typed {
                if let Some(input) = find::<HtmlInputElement>(&["#", id].concat()) {
                    input.set_value(&old);
                }
            }
            if let Some(radio) = security {
                radio.set_checked(true);
            }
            if let Some(radio) = preset {
                radio.set_checked(true);
                FILLED.set(hint_of(&radio));
                fetch_guide(radio.value());
                // The button that was pressed is about to go.
                let _ = radio.focus();
                CHOSEN.set(Some(radio));
            }
            remark("", "", Offer::Nothing);
        }
        Offer::Choose(radio) => {
            if let Ok(Some(details)) = radio.closest("details") {
                let _ = details.set_attribute("open", "");
            }
            // Not `click()`: the listener that we are in cannot be entered twice.
            radio.set_checked(true);
            choose(&radio);
            if let Some(login) = find::<HtmlElement>("#login") {
                let _ = login.focus();
            }
        }
    }
}

/// Shows the presets whose name or search words hold `words`; another server can always be chosen.
fn narrow(words: &str) {
    let lower = |text: &str| String::from(js_sys::JsString::from(text).to_lower_case());
    let wanted = lower(words.trim());
    let mut found = false;
    for label in find_all::<Element>("#presets .card-choice:has([data-p])") {
        let named = [label.text_content().unwrap_or_default(), text(&label, "data-s")].join(" ");
        let matches = lower(&named).contains(&wanted);
        found |= matches;
        show(&label, matches);
    }
    if let Some(details) = find::<Element>("#presets details") {
        if !wanted.is_empty() {
            let _ = details.set_attribute("open", "");
        }
        // Nothing behind it: it would promise providers.
        show(&details, details.query_selector(".card-choice:not([hidden])").is_ok_and(|one| one.is_some()));
    }
    if let Some(none) = find::<Element>(".search [role=status]") {
        none.set_text_content(Some(&if found { String::new() } else { text(&none, "data-none") }));
    }
}

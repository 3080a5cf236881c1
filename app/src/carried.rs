//! Server side. A form posted after its session had ended: what is kept of it, and the page to continue on. The post
//! itself has no effect: its values are filled in again, and the user presses the button again.
//!
//! To add a server function: a line in [`carried`]; if its form has inputs, its page also reads
//! [`Drafts::choice`](crate::profile::drafts::Drafts::choice). [`crate::forms`] knows the fields of each form; a secret
//! is never kept ([`may_be_kept`]).

use std::collections::BTreeMap;

use crate::{
    profile::{
        api::encoding_form,
        asked::shown_revision,
        autosave::merge_form,
        delete::successor_form,
        draft::{Choice, Draft, KeptDraft, is_form_name},
        encoding::Encoding,
        model::ProfileId,
        sending_api::sending_form,
        typed_sending::TypedSending,
    },
    sending_mode::{api::FORM as MODE_FORM, model::SendingMode},
    test_run::receipt::code_form,
};

/// The fields of a posted form, by name.
pub type Fields = BTreeMap<String, String>;

/// What is kept of a form, and where it continues.
#[derive(Debug, PartialEq, Eq)]
pub struct Carried {
    /// The page to continue on.
    pub page: String,
    /// What that page fills in; `None` for a button without inputs.
    pub kept: Option<KeptDraft>,
}

impl Carried {
    /// Whether the user has to press a button again, rather than save again.
    pub fn is_press(&self) -> bool {
        let choice = self.kept.as_ref().map(|kept| &kept.choice);
        matches!(choice, None | Some(Some(Choice::Successor(_) | Choice::Code(_))))
    }
}

/// The field that is never kept.
pub const SECRET: &str = "secret";

/// Whether the function at `path` has a field of this name that may be stored and shown again.
pub fn may_be_kept(path: &str, name: &str) -> bool {
    name != SECRET && crate::forms::fields_of(path).is_some_and(|mut known| known.any(|known| known == name))
}

/// What to keep of the form that was posted to `path`. `new_form` creates a name for a new profile's form that has
/// none.
pub fn carried(path: &str, fields: &Fields, new_form: impl FnOnce() -> String) -> Carried {
    let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let id = ProfileId::parse(&text("id"));
    let of_profile = |id: Option<ProfileId>, page: &str| match id {
        Some(id) => format!("/profiles/{page}?id={id}"),
        None => "/profiles?".to_owned(),
    };
    let kept = match (path, id) {
        ("/api/profiles/save" | "/api/profiles/fill" | "/api/profiles/check" | "/api/sign-in/begin", _) => {
            return profile_form(id, fields, new_form);
        }
        ("/api/profiles/merge", Some(id)) => Some((merge_form(id), Choice::merge(listed(fields, "take")), "edit")),
        ("/api/profiles/encoding", Some(id)) => Encoding::parse(&text("encoding"))
            .map(|encoding| (encoding_form(id), Choice::Encoding(encoding), "encoding")),
        ("/api/profiles/sending", Some(id)) => {
            let typed = |name: &str| text(&format!("sending[{name}]"));
            let typed = TypedSending {
                max_connections: typed("max_connections"),
                per_minute: typed("per_minute"),
                per_day: typed("per_day"),
                check_hourly: typed("check_hourly"),
                fallback: typed("fallback"),
            };
            Some((sending_form(id), Choice::Sending(typed.shortened(), Vec::new()), "sending"))
        }
        ("/api/profiles/delete", Some(id)) => {
            Some((successor_form(id), Choice::successor(&text("successor")), "delete"))
        }
        ("/api/test/received", Some(id)) => Some((code_form(id), Choice::code(&text("code")), "report")),
        _ => None,
    };
    if let Some((form, choice, page)) = kept {
        let page = format!("{}&draft=1", of_profile(id, page));
        return Carried { page, kept: Some(KeptDraft::of_choice(form, choice)) };
    }
    let page = match path {
        "/api/sending-mode/save" | "/api/sending-mode/own" => {
            let kept = SendingMode::parse(&text("mode"));
            let kept = kept.map(|mode| KeptDraft::of_choice(MODE_FORM.to_owned(), Choice::Mode(mode)));
            return Carried { page: "/sending-mode?draft=1".to_owned(), kept };
        }
        "/api/profiles/encoding" => of_profile(id, "encoding"),
        "/api/profiles/clean-secret" => {
            format!("{}&suspicious={}", of_profile(id, "encoding"), text("count").parse::<u32>().unwrap_or_default())
        }
        "/api/test/apply-fix" => of_profile(id, "report"),
        _ => list(id, ProfileId::parse(&text("after")), &text("to")),
    };
    Carried { page, kept: None }
}

/// The list with the same selected profile, page and recipient of a test.
fn list(selected: Option<ProfileId>, after: Option<ProfileId>, to: &str) -> String {
    let mut page = "/profiles?".to_owned();
    let to = (to == "sender").then(|| to.to_owned());
    for (name, value) in
        [("selected", selected.map(|id| id.to_string())), ("after", after.map(|id| id.to_string())), ("to", to)]
    {
        if let Some(value) = value {
            page = format!("{page}{name}={value}&");
        }
    }
    page.trim_end_matches('&').to_owned()
}

fn profile_form(id: Option<ProfileId>, fields: &Fields, new_form: impl FnOnce() -> String) -> Carried {
    let text = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let typed = |name: &str| text(&format!("draft[{name}]"));
    let form = match id {
        Some(id) => id.to_string(),
        None => Some(text("form")).filter(|form| is_form_name(form)).unwrap_or_else(new_form),
    };
    let page = match id {
        Some(id) => format!("/profiles/edit?id={id}&draft=1"),
        None => format!("/profiles/new?form={form}&draft=1"),
    };
    let draft = Draft {
        preset: typed("preset"),
        host: typed("host"),
        port: typed("port"),
        security: typed("security"),
        user: typed("user"),
        login: typed("login"),
        sender_name: typed("sender_name"),
        sender_address: typed("sender_address"),
        reply_to: typed("reply_to"),
        name: typed("name"),
    };
    let (profile, revision) = (id.map(|id| id.to_string()), shown_revision(&text("revision")));
    Carried { page, kept: Some(KeptDraft { form, profile, revision, draft, ..KeptDraft::default() }) }
}

/// The fields `name[…]`.
fn listed<'f>(fields: &'f Fields, name: &str) -> impl Iterator<Item = (&'f str, &'f str)> {
    let key = move |field: &'f str| field.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']');
    fields.iter().filter_map(move |(field, value)| Some((key(field)?, value.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0199f0a0-0000-7000-8000-000000000001";

    fn of(path: &str, fields: &[(&str, &str)]) -> Carried {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        carried(path, &fields, || "form-new1".to_owned())
    }

    #[test]
    fn every_form_is_filled_in_again_on_its_page() {
        let id = ProfileId::parse(ID).unwrap();
        let typed = TypedSending { per_day: "500".to_owned(), fallback: "1".to_owned(), ..TypedSending::default() };
        for (path, field, value, choice, page) in [
            ("encoding", "encoding", "windows-1252", Choice::Encoding(Encoding::Windows1252), "/profiles/encoding"),
            ("sending", "sending[per_day]", "500", Choice::Sending(typed, Vec::new()), "/profiles/sending"),
            ("delete", "successor", "none", Choice::successor("none"), "/profiles/delete"),
            (
                "merge",
                "take[host]",
                "saved",
                Choice::Merge([("host".to_owned(), "saved".to_owned())].into()),
                "/profiles/edit",
            ),
        ] {
            let carried =
                of(&format!("/api/profiles/{path}"), &[("id", ID), (field, value), ("sending[fallback]", "1")]);
            assert_eq!(carried.page, format!("{page}?id={ID}&draft=1"));
            assert_eq!(carried.kept.unwrap().choice, Some(choice), "{path}");
        }
        let carried = of("/api/test/received", &[("id", ID), ("code", "12 34")]);
        assert_eq!(
            (carried.page, carried.kept),
            (
                format!("/profiles/report?id={ID}&draft=1"),
                Some(KeptDraft::of_choice(code_form(id), Choice::code("12 34"))),
            )
        );
        let carried = of("/api/sending-mode/save", &[("mode", "own_smtp"), ("was", "portal")]);
        assert_eq!(carried.kept, Some(KeptDraft::of_choice(MODE_FORM.to_owned(), Choice::Mode(SendingMode::OwnSmtp))));
        let carried = of("/api/profiles/save", &[("id", ""), ("form", "x"), ("draft[host]", "mail.martin.fr")]);
        assert_eq!(carried.page, "/profiles/new?form=form-new1&draft=1");
        assert_eq!(carried.kept.unwrap().draft.host, "mail.martin.fr");
    }

    #[test]
    fn a_button_leads_back_to_its_page() {
        for (path, fields, page) in [
            (
                "/api/test/run",
                &[("id", ID), ("to", "sender"), ("after", ID)][..],
                format!("/profiles?selected={ID}&after={ID}&to=sender"),
            ),
            ("/api/test/run", &[("id", ID), ("to", "x&y"), ("after", "../z")], format!("/profiles?selected={ID}")),
            ("/api/test/apply-fix", &[("id", ID), ("fix", "0")], format!("/profiles/report?id={ID}")),
            (
                "/api/profiles/clean-secret",
                &[("id", ID), ("count", "2")],
                format!("/profiles/encoding?id={ID}&suspicious=2"),
            ),
            ("/api/profiles/use", &[("id", "nobody's")], "/profiles?".to_owned()),
            ("/api/profiles/delete", &[("id", "nobody's"), ("successor", "none")], "/profiles?".to_owned()),
        ] {
            assert_eq!(of(path, fields), Carried { page, kept: None }, "{path}");
        }
    }

    #[test]
    fn no_secret_is_kept_of_any_form() {
        for path in ["/api/profiles/save", "/api/profiles/fill"] {
            assert!(may_be_kept(path, "draft[login]") && !may_be_kept(path, SECRET));
        }
        assert!(!may_be_kept("/api/profiles/save", "password") && !may_be_kept("/api/nowhere", "id"));
    }
}

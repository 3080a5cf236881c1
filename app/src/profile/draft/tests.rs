//! What the form accepts and refuses.

use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::Fault::{
    AddressInvalid, HostInvalid, HostNotAllowed, PortInvalid, PortNotAllowed, Required, TooLong, Unencrypted, Unknown,
    Unprintable,
};
use super::*;
use crate::{
    i18n::Locale,
    profile::password::InnerSpaces,
    session::{AccountId, User},
};

/// A stand-in for the guard: it accepts names with a dot, and three ports.
struct Policy;

impl DestinationPolicy for Policy {
    fn host(&self, typed: &str) -> Result<String, Fault> {
        if typed.contains([' ', '/', ':', '@']) {
            return Err(Fault::HostInvalid);
        }
        if typed.contains('.') { Ok(typed.to_lowercase()) } else { Err(Fault::HostNotAllowed) }
    }

    fn port(&self, port: u16) -> Result<u16, Fault> {
        [465, 587, 2525].contains(&port).then_some(port).ok_or(Fault::PortNotAllowed)
    }

    fn ports(&self) -> &[u16] {
        &[465, 587, 2525]
    }

    fn unencrypted(&self, host: &str) -> bool {
        host == "plain.exemple.fr"
    }
}

fn session() -> Session {
    Session {
        key: [0; 32],
        account: AccountId { portal: "demo".to_owned(), account: "martin".to_owned() },
        account_name: "Boulangerie Martin".to_owned(),
        portal_name: "Comptoir".to_owned(),
        person: User { id: "claire".to_owned(), name: "Claire".to_owned() },
        email: "claire@exemple.fr".to_owned(),
        users: vec![User { id: "karim".to_owned(), name: "Karim".to_owned() }],
        locale: Locale::Fr,
        time_zone: None,
        return_url: None,
        theme: crate::theme::GivenTheme::default(),
    }
}

fn good() -> Draft {
    Draft {
        preset: "gmail".to_owned(),
        host: "smtp.gmail.com".to_owned(),
        port: "465".to_owned(),
        security: "tls".to_owned(),
        user: String::new(),
        login: "claire@gmail.com".to_owned(),
        sender_name: "Boulangerie Martin".to_owned(),
        sender_address: String::new(),
        reply_to: String::new(),
        name: String::new(),
    }
}

fn of_settings(settings: Settings) -> Profile {
    Profile {
        id: crate::profile::model::ProfileId(uuid::Uuid::nil()),
        settings,
        encoding: crate::profile::encoding::Encoding::default(),
        in_use: true,
        secret: crate::profile::model::SecretState::Missing,
        signed_in: None,
        test: crate::profile::model::TestState::Never,
        sending: crate::profile::sending::SendingOptions::default(),
        health: crate::profile::sending::Health::default(),
        sends: crate::profile::sending::SendState::Unknown,
        candidate: crate::profile::model::Candidate::default(),
        revision: 1,
    }
}

fn check(draft: &Draft) -> Result<Settings, Vec<FieldError>> {
    draft.check(&session(), &Catalogue::builtin(), &Policy)
}

#[test]
fn changing_the_server_clears_the_preset() {
    let presets = Catalogue::builtin();
    for (host, preset) in [
        ("smtp.gmail.com", "gmail"),
        (" SMTP.Gmail.com:587 ", "gmail"),
        ("", "gmail"),
        ("mail.exemple.fr", ""),
        ("notsmtp.gmail.com", ""),
    ] {
        let mut draft = Draft { host: host.to_owned(), ..good() };
        draft.settle_preset(&presets);
        assert_eq!(draft.preset, preset, "{host:?}");
    }
}

#[test]
fn an_untouched_form_counts_as_empty() {
    let empty = Draft { preset: "gmail".to_owned(), sender_name: "Boulangerie Martin".to_owned(), ..Draft::default() };
    assert!(!empty.has_something("Boulangerie Martin"));
    assert!(!Draft::default().has_something("Boulangerie Martin"), "a name that was taken away is no work");
    for typed in [
        Draft { login: "claire".to_owned(), ..empty.clone() },
        Draft { reply_to: "a@b.fr".to_owned(), ..empty.clone() },
        Draft { sender_name: "Devis".to_owned(), ..empty },
    ] {
        assert!(typed.has_something("Boulangerie Martin"), "{typed:?}");
    }
}

#[test]
fn the_sender_is_the_login_when_that_is_an_address() {
    let settings = check(&good()).unwrap();
    assert_eq!(settings.sender_address.as_str(), "claire@gmail.com");
    // If the form of the provider's logins is unknown.
    let named =
        Draft { preset: String::new(), host: "mail.exemple.fr".to_owned(), login: "claire".to_owned(), ..good() };
    assert_eq!(check(&named), Err(vec![FieldError::new(Field::SenderAddress, Fault::SenderRequired)]));
}

#[test]
fn a_login_that_is_no_address_is_told_at_the_login_where_the_provider_wants_one() {
    for login in ["claire", "ma boutique@gmail", "claire@gmail", "claire martin@gmail.com"] {
        for sender_address in ["", "claire@gmail.com"] {
            for preset in ["gmail", ""] {
                let (login, sender_address) = (login.to_owned(), sender_address.to_owned());
                let typed = Draft { preset: preset.to_owned(), login, sender_address, ..good() };
                assert_eq!(check(&typed), Err(vec![FieldError::new(Field::Login, Fault::LoginAddress)]), "{typed:?}");
            }
        }
    }
    let sendgrid = Catalogue::builtin();
    let sendgrid =
        sendgrid.all().iter().find(|preset| preset.login_fixed.is_some() && !preset.host_is_template).unwrap();
    let mut service = Draft { sender_address: "devis@exemple.fr".to_owned(), ..good() };
    service.fill(sendgrid);
    assert!(check(&service).is_ok());
}

#[test]
fn an_empty_sender_stays_empty_and_follows_a_login_that_is_mended() {
    let typo = Draft { login: "boutqiue@gmail.com".to_owned(), ..good() };
    let shown = |settings: Settings| Draft::of(&of_settings(settings));
    let again = shown(check(&typo).unwrap());
    assert_eq!(again.sender_address, "");
    let mended = check(&Draft { login: "boutique@gmail.com".to_owned(), ..again }).unwrap();
    assert_eq!(mended.sender_address.as_str(), "boutique@gmail.com");
    let own = Draft { sender_address: "devis@exemple.fr".to_owned(), ..good() };
    assert_eq!(shown(check(&own).unwrap()).sender_address, "devis@exemple.fr", "one that was typed stays");
}

#[test]
fn the_login_typed_as_the_sender_is_no_change() {
    let spelled = Draft { sender_address: " claire@gmail.com".to_owned(), ..good() };
    assert_eq!(spelled.differences(&good()), []);
    let other = Draft { sender_address: "devis@exemple.fr".to_owned(), ..good() };
    assert_eq!(other.differences(&good()), [Field::SenderAddress]);
}

#[test]
fn every_field_refuses_nonsense() {
    let cases: Vec<(Draft, Field, Fault)> = vec![
        (Draft { preset: "nobody".to_owned(), ..good() }, Field::Preset, Unknown),
        (Draft { host: "  ".to_owned(), ..good() }, Field::Host, Required),
        (Draft { host: "smtp://smtp.gmail.com".to_owned(), ..good() }, Field::Host, HostInvalid),
        (Draft { host: "localhost".to_owned(), ..good() }, Field::Host, HostNotAllowed),
        (Draft { port: String::new(), ..good() }, Field::Port, Required),
        (Draft { port: "0".to_owned(), ..good() }, Field::Port, PortInvalid),
        (Draft { port: "-1".to_owned(), ..good() }, Field::Port, PortInvalid),
        (Draft { port: "65536".to_owned(), ..good() }, Field::Port, PortInvalid),
        (Draft { port: "25abc".to_owned(), ..good() }, Field::Port, PortInvalid),
        (Draft { port: "22".to_owned(), ..good() }, Field::Port, PortNotAllowed),
        (Draft { security: "ssl".to_owned(), ..good() }, Field::Security, Unknown),
        (Draft { security: "none".to_owned(), ..good() }, Field::Security, Unencrypted),
        (Draft { user: "somebody-else".to_owned(), ..good() }, Field::User, Unknown),
        (Draft { login: String::new(), sender_address: "a@exemple.fr".to_owned(), ..good() }, Field::Login, Required),
        (
            Draft { login: "a\0b@exemple.fr".to_owned(), sender_address: "a@exemple.fr".to_owned(), ..good() },
            Field::Login,
            Unprintable,
        ),
        (Draft { sender_name: "a\r\nBcc: b".to_owned(), ..good() }, Field::SenderName, Unprintable),
        (Draft { sender_name: "a\u{202e}b".to_owned(), ..good() }, Field::SenderName, Unprintable),
        (Draft { sender_name: "a".repeat(101), ..good() }, Field::SenderName, TooLong),
        (Draft { sender_address: "nowhere".to_owned(), ..good() }, Field::SenderAddress, AddressInvalid),
        (Draft { reply_to: "a@b@c".to_owned(), ..good() }, Field::ReplyTo, AddressInvalid),
        (Draft { name: "x".repeat(101), ..good() }, Field::Name, TooLong),
        (Draft { name: "De\u{202e}vis".to_owned(), ..good() }, Field::Name, Unprintable),
    ];
    for (draft, field, fault) in cases {
        assert_eq!(check(&draft), Err(vec![FieldError::new(field, fault)]), "{draft:?}");
    }
    let plain = Draft { host: "plain.exemple.fr".to_owned(), security: "none".to_owned(), ..good() };
    assert!(check(&plain).is_ok());
}

#[test]
fn errors_come_in_the_order_of_the_page() {
    let fields: Vec<Field> = check(&Draft::default()).unwrap_err().into_iter().map(|error| error.field).collect();
    assert_eq!(fields, [Field::Host, Field::Port, Field::Security, Field::Login]);
}

#[test]
fn cosmetic_spaces_are_removed_and_others_counted() {
    let google = TypedSecret::from("abcd efgh ijkl mnop".to_owned()).check(InnerSpaces::Cosmetic).unwrap();
    assert_eq!((google.secret.expose_secret(), google.removed, google.suspicious), ("abcdefghijklmnop", 3, 0));
    let other = TypedSecret::from(" mon secret \r\n".to_owned()).check(InnerSpaces::Significant).unwrap();
    assert_eq!((other.secret.expose_secret(), other.removed, other.suspicious), (" mon secret ", 2, 2));
}

#[test]
fn impossible_secrets_are_refused() {
    for (typed, fault) in [
        ("\r\n".to_owned(), Fault::Required),
        ("   ".to_owned(), Fault::Required),
        ("\u{a0}\u{200b}\u{3000}\u{2800}".to_owned(), Fault::Required),
        ("\u{feff}null".to_owned(), Fault::Mask),
        ("a\0b".to_owned(), Fault::Unprintable),
        ("a\u{1}b".to_owned(), Fault::Unprintable),
        ("a".repeat(1025), Fault::TooLong),
    ] {
        let refused = TypedSecret::from(typed).check(InnerSpaces::Significant).map(|_| ()).unwrap_err();
        assert_eq!(refused, FieldError::new(Field::Secret, fault));
    }
    let strange = "é😀\"\\ü";
    let kept = TypedSecret::from(strange.to_owned()).check(InnerSpaces::Significant).unwrap();
    assert_eq!(kept.secret.expose_secret(), strange);
}

#[test]
fn a_typed_secret_is_redacted() {
    let secret = TypedSecret::from("abcdefghijklmnop".to_owned());
    assert_eq!(format!("{secret:?}"), "[secret]");
    assert_eq!(serde_json::to_string(&secret).unwrap(), "\"\"");
}

proptest! {
    #[test]
    fn nothing_typed_makes_it_panic(host in any::<String>(), port in any::<String>(), login in any::<String>(), secret in any::<String>()) {
        let _ = check(&Draft { host, port, login, ..good() });
        let _ = TypedSecret::from(secret).check(InnerSpaces::Significant);
    }
}

#[test]
fn placeholders_are_refused() {
    let wrong = check(&Draft { login: "undefined".to_owned(), sender_name: "[object Object]".to_owned(), ..good() });
    let wrong = wrong.unwrap_err();
    assert!(wrong.contains(&FieldError::new(Field::Login, Fault::Leftover)), "{wrong:?}");
    assert!(wrong.contains(&FieldError::new(Field::SenderName, Fault::Leftover)), "{wrong:?}");
}

#[test]
fn a_mask_is_refused_as_a_password() {
    for inner in [InnerSpaces::Cosmetic, InnerSpaces::Significant] {
        for mask in ["********", "••••", " •••• ", "null", "undefined", "[object Object]", "(unchanged)", "null\r\n"]
        {
            let refused = TypedSecret::from(mask.to_owned()).check(inner).map(|_| ());
            assert_eq!(refused, Err(FieldError::new(Field::Secret, Fault::Mask)), "{mask:?}");
        }
        assert!(TypedSecret::from("tres-secret".to_owned()).check(inner).is_ok());
    }
}

//! Both. Warnings about a form before anything is sent. A warning never blocks: the user may know better.
//!
//! The same rules run in the form while it is typed, and on the server when it is saved, so they hold without
//! WebAssembly. To add one: a variant, its rule in [`warnings`], its text `warn-…` in both catalogues.

use super::{preset_hint::PresetHint, security::Security};

/// The values of a form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Typed<'a> {
    pub host: &'a str,
    pub port: &'a str,
    pub security: Option<Security>,
    pub login: &'a str,
    pub sender: &'a str,
    pub secret: &'a str,
    /// The known server that the host probably means.
    pub near: Option<&'a str>,
    /// The input is complete: a short secret is not the beginning of a longer one.
    pub finished: bool,
}

/// One warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// The encryption is unusual for the port (RFC 8314).
    PortAndSecurity,
    /// The provider is phasing out password logins.
    PasswordEnding,
    /// The provider no longer accepts passwords.
    PasswordOver,
    /// The login is an address of another provider than the server's.
    OtherProvider,
    /// The secret looks like the account's own password, not like an application password.
    AccountPassword,
    /// The secret contains characters that look like others: typographic dashes and quotes, letters of another script.
    Lookalikes,
    /// The provider requires the login's own address as the sender.
    SenderNotLogin,
    /// The host looks like a mistyped name of a known server.
    HostNearby,
}

impl Warning {
    pub const ALL: [Self; 8] = [
        Self::PortAndSecurity,
        Self::PasswordEnding,
        Self::PasswordOver,
        Self::OtherProvider,
        Self::AccountPassword,
        Self::Lookalikes,
        Self::SenderNotLogin,
        Self::HostNearby,
    ];

    /// The code in the URL, in the attributes of the form, and behind `warn-` in the catalogues.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PortAndSecurity => "port",
            Self::PasswordEnding => "ending",
            Self::PasswordOver => "over",
            Self::OtherProvider => "other",
            Self::AccountPassword => "account",
            Self::Lookalikes => "alike",
            Self::SenderNotLogin => "sender",
            Self::HostNearby => "near",
        }
    }

    /// Whether only the provider's guide says so, with dates.
    pub const fn is_in_the_guide(self) -> bool {
        matches!(self, Self::PasswordEnding)
    }

    /// The id of the field that shows it. A closed provider is shown under the providers.
    pub const fn field(self) -> &'static str {
        match self {
            Self::PortAndSecurity => "security",
            Self::PasswordOver => "presets",
            Self::PasswordEnding | Self::HostNearby => "host",
            Self::OtherProvider => "login",
            Self::AccountPassword | Self::Lookalikes => "secret",
            Self::SenderNotLogin => "sender_address",
        }
    }
}

/// The warnings for a form. `host`: the preset of the server; `login`: the preset whose provider issued the login's
/// address.
pub fn warnings(typed: Typed<'_>, host: Option<&PresetHint>, login: Option<&PresetHint>) -> Vec<Warning> {
    let mut found = Vec::new();
    let expected = match typed.port.trim() {
        "465" => Some(Security::Tls),
        "587" => Some(Security::Starttls),
        _ => None,
    };
    let mut add = |warning, wrong: bool| {
        if wrong {
            found.push(warning);
        }
    };
    add(Warning::PortAndSecurity, expected.is_some() && typed.security.is_some() && expected != typed.security);
    if let Some(host) = host {
        add(Warning::PasswordEnding, host.ending);
        add(Warning::PasswordOver, host.over);
        // A sending service has no addresses of its own: any address may be a login there.
        let stranger = login.is_some_and(|login| host.has_addresses && !same(&login.host, &host.host));
        add(Warning::OtherProvider, stranger);
        let strange = !typed.secret.is_empty() && !host.shape.fits(typed.secret, typed.finished);
        add(Warning::AccountPassword, strange && !host.over);
    }
    add(Warning::HostNearby, typed.near.is_some());
    add(Warning::Lookalikes, typed.secret.chars().any(is_lookalike));
    if let Some(host) = host {
        let (login, sender) = (typed.login.trim(), typed.sender.trim());
        let differs = login.contains('@') && sender.contains('@') && !same(login, sender);
        add(Warning::SenderNotLogin, host.sender_is_login && differs);
    }
    found
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Characters that look like others, from word processors, web pages or other keyboard layouts.
fn is_lookalike(character: char) -> bool {
    matches!(
        character,
        '\u{2010}'..='\u{2015}' // dashes
        | '\u{2018}'..='\u{201f}' // quotes
        | '\u{2026}' | '\u{2212}' // ellipsis, minus
        | '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{4ff}' // Greek, Cyrillic
        | '\u{ff01}'..='\u{ff5e}' // full width
        | '\u{fb00}'..='\u{fb06}' // ligatures
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hint(host: &str, flags: &str) -> PresetHint {
        PresetHint::decode(&format!("{host} 465 tls {flags}")).unwrap()
    }

    fn google() -> PresetHint {
        hint("smtp.gmail.com", "cla")
    }

    fn good() -> Typed<'static> {
        Typed {
            host: "smtp.gmail.com",
            port: "465",
            security: Some(Security::Tls),
            login: "claire@gmail.com",
            sender: "",
            secret: "abcd efgh ijkl mnop",
            near: None,
            finished: true,
        }
    }

    #[test]
    fn a_correct_form_has_no_warnings() {
        assert_eq!(warnings(good(), Some(&google()), Some(&google())), []);
        assert_eq!(warnings(Typed::default(), None, None), []);
    }

    #[test]
    fn each_rule_warns() {
        let google = google();
        let microsoft = hint("smtp.office365.com", "sea");
        let outlook = hint("smtp-mail.outlook.com", "oa");
        let service = hint("smtp-relay.brevo.com", "-");
        let icloud = hint("smtp.mail.me.com", "da");
        let other_sender = Typed { login: "claire@exemple.fr", sender: "devis@exemple.fr", secret: "x", ..good() };
        for (typed, host, login, expected) in [
            (Typed { near: Some("smtp.gmail.com"), ..good() }, &service, None, &[Warning::HostNearby][..]),
            (Typed { port: "587", ..good() }, &google, None, &[Warning::PortAndSecurity][..]),
            (Typed { security: Some(Security::Starttls), ..good() }, &google, None, &[Warning::PortAndSecurity]),
            (Typed { secret: "MonMotDePasse1", ..good() }, &google, None, &[Warning::AccountPassword]),
            (Typed { secret: "abcdefgh", ..good() }, &google, None, &[Warning::AccountPassword]),
            (Typed { secret: "abcdefgh", finished: false, ..good() }, &google, None, &[]),
            (
                Typed { secret: "abcdefghijklmnopq", finished: false, ..good() },
                &google,
                None,
                &[Warning::AccountPassword],
            ),
            (Typed { secret: "abcd-efgh-ijkl-mnop", ..good() }, &icloud, None, &[]),
            (Typed { secret: "abcdefghijklmnop", ..good() }, &icloud, None, &[Warning::AccountPassword]),
            (Typed { secret: "x", ..good() }, &microsoft, None, &[Warning::PasswordEnding]),
            (Typed { secret: "x", ..good() }, &outlook, None, &[Warning::PasswordOver]),
            (
                Typed { secret: "x", ..good() },
                &icloud,
                Some(&google),
                &[Warning::OtherProvider, Warning::AccountPassword],
            ),
            (Typed { secret: "x", ..good() }, &service, Some(&google), &[]),
            (Typed { secret: "p–s", ..good() }, &service, None, &[Warning::Lookalikes]),
            (Typed { secret: "раss", ..good() }, &service, None, &[Warning::Lookalikes]),
            (Typed { secret: "ｐass", ..good() }, &service, None, &[Warning::Lookalikes]),
            (other_sender, &microsoft, None, &[Warning::PasswordEnding, Warning::SenderNotLogin]),
            (other_sender, &service, None, &[]),
        ] {
            assert_eq!(warnings(typed, Some(host), login), expected, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(
            port in "\\PC{0,6}", login in "\\PC{0,12}", sender in "\\PC{0,12}", secret in "\\PC{0,24}", finished in any::<bool>(),
        ) {
            let security = Some(Security::None);
            let typed = Typed { host: "", port: &port, security, login: &login, sender: &sender, secret: &secret, near: None, finished };
            let _ = warnings(typed, Some(&google()), Some(&google()));
        }
    }
}

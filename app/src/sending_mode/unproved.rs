//! Server side. A profile in use that is not known to work: the notice says which server sends the mail meanwhile, by
//! the outbox's own rule, and offers a test.

use ::model::way::{Way, way};
use leptos::prelude::*;

use crate::{
    base_path::at,
    i18n::Texts,
    profile::{
        model::{Profile, SecretState, TestState},
        owner::owner_name,
        sending::SendState,
    },
    session::Session,
    t,
    ui::{
        form_owner::FormOwnerField,
        notice::{Kind, Notice},
    },
};

/// What to say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// It sends the mail; it was never tested with its settings.
    Untested,
    /// It sends the mail; its last test failed.
    Failed,
    /// Its last test failed, and the portal's server replaces it.
    FailedStandsIn,
    /// It fails, and the portal's server sends its mail, as its owner chose.
    FailsFallback,
    /// It has no password, and the portal's server replaces it.
    BareStandsIn,
    /// It has no usable password, and no mail is sent.
    Bare,
}

impl Said {
    /// For a profile in use, if the account sends through its own servers. `None`: it is known to work, or its own row
    /// says enough.
    fn of(profile: &Profile, relay: bool) -> Option<Self> {
        let stored = matches!(profile.secret, SecretState::Stored { .. });
        let failed = match (&profile.test, profile.sends) {
            (TestState::Failed { .. }, SendState::Unknown) => true,
            (TestState::Failed { at, .. }, SendState::Sent { at: sent }) => *at > sent,
            _ => false,
        };
        let untested =
            matches!(profile.test, TestState::Never | TestState::Changed) && profile.sends == SendState::Unknown;
        match way(true, relay, Some(&profile.candidate), false) {
            Way::StandsIn if profile.candidate.has_secret => Some(Self::FailedStandsIn),
            Way::StandsIn => Some(Self::BareStandsIn),
            Way::Fallback => Some(Self::FailsFallback),
            _ if !stored => Some(Self::Bare),
            _ if failed => Some(Self::Failed),
            _ if untested => Some(Self::Untested),
            _ => None,
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Untested => "way-untested",
            Self::Failed => "way-failed",
            Self::FailedStandsIn => "way-failed-stands-in",
            Self::FailsFallback => "way-fails-fallback",
            Self::BareStandsIn => "way-bare-stands-in",
            Self::Bare => "way-bare",
        }
    }
}

/// A profile in use, and what to say about it.
#[derive(Debug, Clone)]
pub struct Unproved {
    id: String,
    text: String,
    /// Whether it can be tested now.
    testable: bool,
}

impl Unproved {
    /// The most important notice: about the reader's own profile, else the shop's, else any other.
    pub fn first(profiles: &[Profile], relay: bool, session: &Session) -> Option<Self> {
        let mut active: Vec<&Profile> = profiles.iter().filter(|profile| profile.in_use).collect();
        active.sort_by_key(|profile| match profile.settings.user.as_deref() {
            Some(user) if user == session.person.id => 0,
            None => 1,
            Some(_) => 2,
        });
        active.into_iter().find_map(|profile| Self::of(profile, relay, session))
    }

    fn of(profile: &Profile, relay: bool, session: &Session) -> Option<Self> {
        let said = Said::of(profile, relay)?;
        let texts = session.locale;
        let (mails, first) = if profile.settings.user.is_some() {
            let owner = [("owner", owner_name(profile, session))];
            (texts.text("way-of", &owner), texts.text("way-of-first", &owner))
        } else {
            (texts.text("way-yours", &[]), texts.text("way-yours-first", &[]))
        };
        let sender = profile.settings.title().to_owned();
        let about = [("sender", sender), ("mails", mails), ("first", first), ("portal", session.portal_name.clone())];
        Some(Self {
            id: profile.id.to_string(),
            text: texts.text(said.key(), &about),
            testable: matches!(profile.secret, SecretState::Stored { .. }),
        })
    }
}

/// The notice. Its button starts a test: live where the page has a panel, otherwise with the report as a page.
#[component]
pub fn Untried(untried: Unproved) -> impl IntoView {
    let Unproved { id, text, testable } = untried;
    let action = if testable {
        view! {
            <form method="post" action=at("/api/test/run")>
                <FormOwnerField />
                <input type="hidden" name="id" value=id />
                <button data-test="">{t!("way-test")}</button>
            </form>
        }
        .into_any()
    } else {
        view! { <p><a class="button" href=at(&format!("/profiles/edit?id={id}"))>{t!("card-edit")}</a></p> }.into_any()
    };
    view! { <Notice kind=Kind::Warning><p>{text}</p> {action}</Notice> }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{
        i18n::Locale,
        profile::{
            encoding::Encoding,
            model::{Candidate, Destination, ProfileId, Settings},
            security::Security,
            sending::{Health, SendingOptions},
        },
        session::{AccountId, User},
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn profile(user: Option<&str>, test: TestState, candidate: Candidate) -> Profile {
        Profile {
            id: ProfileId(uuid::Uuid::nil()),
            settings: Settings {
                name: String::new(),
                preset: None,
                user: user.map(str::to_owned),
                destination: Destination {
                    host: "smtp.exemple.fr".to_owned(),
                    port: 465,
                    security: Security::Tls,
                    login: "claire@exemple.fr".to_owned(),
                    mechanism: None,
                },
                sender_name: String::new(),
                sender_address: crate::profile::address::EmailAddress::parse("claire@exemple.fr").unwrap(),
                reply_to: None,
            },
            encoding: Encoding::default(),
            in_use: true,
            secret: if candidate.has_secret { SecretState::Stored { changed_at: at(0) } } else { SecretState::Missing },
            signed_in: None,
            test,
            sending: SendingOptions::default(),
            health: candidate.health,
            sends: candidate.health.state(),
            candidate,
            revision: 1,
        }
    }

    fn session() -> Session {
        let user = |id: &str, name: &str| User { id: id.to_owned(), name: name.to_owned() };
        Session {
            key: [0; 32],
            account: AccountId { portal: "demo".to_owned(), account: "martin".to_owned() },
            account_name: "Boulangerie Martin".to_owned(),
            portal_name: "Comptoir".to_owned(),
            person: user("claire", "Claire"),
            email: String::new(),
            users: vec![user("claire", "Claire"), user("lea", "Léa Petit")],
            locale: Locale::Fr,
            time_zone: None,
            return_url: None,
            theme: crate::theme::GivenTheme::default(),
        }
    }

    /// Every test result, health, password, fallback and relay: the notice names the portal's server exactly if the
    /// outbox uses it.
    #[test]
    fn the_words_name_the_server_that_the_outbox_uses() {
        let failed = TestState::Failed { at: at(50), cause: None };
        let healths = [
            Health::default(),
            Health { sent_at: Some(at(10)), ..Health::default() },
            Health { sent_at: Some(at(90)), ..Health::default() },
            Health { failed_at: Some(at(10)), failures: 1, ..Health::default() },
            Health { failed_at: Some(at(10)), failures: 3, broken_at: Some(at(10)), ..Health::default() },
        ];
        let tests = [TestState::Never, TestState::Changed, TestState::Accepted { at: at(50) }, failed];
        let session = session();
        let mut seen = std::collections::BTreeSet::new();
        for health in healths {
            for test in &tests {
                for bits in 0..16_u32 {
                    let [has_secret, fallback, relay, refused] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
                    let test_failed = matches!(test, TestState::Failed { .. });
                    let refusals = if refused { 3 } else { 0 };
                    let candidate = Candidate { has_secret, test_failed, refusals, fallback, health };
                    let profile = profile(None, test.clone(), candidate);
                    let by_the_portal =
                        matches!(way(true, relay, Some(&candidate), false), Way::StandsIn | Way::Fallback);
                    let said = Unproved::of(&profile, relay, &session).map(|unproved| unproved.text);
                    let named = said.as_deref().is_some_and(|text| text.contains("par le serveur de Comptoir"));
                    assert_eq!(named, by_the_portal, "{test:?} {candidate:?} {relay}: {said:?}");
                    let through_it = said.as_deref().is_some_and(|text| text.contains("partent par le profil"));
                    assert!(!(through_it && by_the_portal), "{said:?}");
                    assert!(has_secret || !through_it, "{said:?}");
                    seen.extend(Said::of(&profile, relay).map(Said::key));
                }
            }
        }
        assert_eq!(seen.len(), 6, "every text is said somewhere: {seen:?}");
    }

    #[test]
    fn the_reader_s_own_comes_first_and_a_user_is_named() {
        let candidate = Candidate { has_secret: true, ..Candidate::default() };
        let of = |user| profile(user, TestState::Never, candidate);
        let session = session();
        let text = |profiles: &[Profile]| Unproved::first(profiles, true, &session).unwrap().text;
        assert!(text(&[of(Some("lea"))]).contains("Les emails de Léa Petit"));
        assert!(text(&[of(Some("lea")), of(None)]).contains("Vos emails"));
        assert!(text(&[of(None), of(Some("claire"))]).contains("Les emails de Claire"));
        let unused = Profile { in_use: false, ..of(None) };
        assert!(Unproved::first(&[unused], true, &session).is_none());
    }
}

//! Server side. The mail that a test sends: text and HTML, in the reader's language, naming the profile. Its text is
//! fixed, so the button cannot be used to send arbitrary messages.

use app::{
    i18n::{DIGITS, Locale, Texts},
    profile::encoding::Encoding,
    session::Session,
    theme::Theme,
};
use jiff::Timestamp;
use lettre::{Address, message::Mailbox};
use mail::smtp::Letter;
use maud::{DOCTYPE, html};

use crate::store::ProfileRow;

/// The addresses of a stored profile cannot be parsed: it must be saved again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot parse an address of the profile")]
pub struct AddressError;

/// The letter of one test. `theme`: of the portal's pages; `provider`: the preset's name or the host.
pub fn confirmation(
    session: &Session,
    theme: &Theme,
    row: &ProfileRow,
    provider: &str,
    recipient: &str,
    now: Timestamp,
    code: &str,
) -> Result<Letter, AddressError> {
    let address = |text: &str| text.parse::<Address>().map_err(|_| AddressError);
    let settings = &row.settings;
    let name = (!settings.sender_name.is_empty()).then(|| settings.sender_name.clone());
    let reply_to = settings.reply_to.as_ref().map(|to| address(to.as_str())).transpose()?;
    let words = Words::new(session, row, provider, code);
    Ok(Letter {
        from: Mailbox::new(name, address(settings.sender_address.as_str())?),
        to: vec![Mailbox::new(None, address(recipient)?)],
        cc: Vec::new(),
        attachments: Vec::new(),
        reply_to: reply_to.map(|address| Mailbox::new(None, address)),
        subject: words.subject.clone(),
        text: Some(words.text()),
        html: Some(words.html(session.locale, theme)),
        encoding: row.encoding,
        message_id: format!("{}@{}", uuid::Uuid::new_v4().as_simple(), settings.sender_address.domain()),
        date: now.into(),
        auto_submitted: true,
        language: session.locale.tag().to_owned(),
    })
}

/// Our own text in the chosen character set: Latin-1 and Latin-9 have no typographic apostrophe.
fn plain(text: String, encoding: Encoding) -> String {
    match encoding {
        Encoding::Utf8 | Encoding::Windows1252 => text,
        Encoding::Latin1 | Encoding::Latin9 => text.replace('’', "'").replace(['“', '”'], "\"").replace('…', "..."),
    }
}

struct Words {
    subject: String,
    greeting: String,
    paragraphs: [String; 2],
    /// The code, and what to do with it.
    code: [String; 2],
    footer: String,
}

impl Words {
    fn new(session: &Session, row: &ProfileRow, provider: &str, code: &str) -> Self {
        let destination = &row.settings.destination;
        let arguments = [
            // Brackets inside brackets are hard to read.
            (
                "profile",
                format!("{} ({})", row.settings.sender_address, provider.split(" (").next().unwrap_or(provider)),
            ),
            ("host", destination.host.clone()),
            // Followed by a word joiner it is text: a port must not be grouped by thousands.
            ("port", format!("{}{DIGITS}", destination.port)),
            ("portal", session.portal_name.clone()),
            ("account", session.account_name.clone()),
            ("person", session.person.name.clone()),
            ("code", format!("{} {}{DIGITS}", &code[..3], &code[3..])),
        ];
        let text = |key: &str| plain(session.locale.text(key, &arguments), row.encoding);
        Self {
            subject: text("mail-subject"),
            greeting: text("mail-greeting"),
            paragraphs: [text("mail-body-1"), text("mail-body-2")],
            code: [text("mail-code"), text("mail-code-about")],
            footer: text("mail-footer"),
        }
    }

    fn text(&self) -> String {
        let [what, meaning] = &self.paragraphs;
        let [code, about] = &self.code;
        format!("{}\n\n{what}\n\n{code}\n{about}\n\n{meaning}\n\n-- \n{}\n", self.greeting, self.footer)
    }

    fn html(&self, locale: Locale, theme: &Theme) -> String {
        let colour = |name| theme.light(name).unwrap_or_default();
        let body = format!(
            "margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:{};background:{}",
            colour("text"),
            colour("background")
        );
        let sheet = format!(
            "max-width:34em;margin:auto;padding:24px;background:{};border-radius:8px;border-top:4px solid {}",
            colour("surface"),
            colour("brand")
        );
        html! {
            (DOCTYPE)
            html lang=(locale.tag()) {
                // No `meta charset`: the part's Content-Type declares it.
                head { title { (self.subject) } }
                body style=(body) {
                    div style=(sheet) {
                        p { (self.greeting) }
                        p { (self.paragraphs[0]) }
                        p style={ "font-size:20px;font-weight:600;margin-bottom:0;color:" (colour("brand")) } { (self.code[0]) }
                        p style="margin-top:0" { (self.code[1]) }
                        p { (self.paragraphs[1]) }
                        p style={ "margin-top:32px;font-size:13px;color:" (colour("text-muted")) } { (self.footer) }
                    }
                }
            }
        }
        .into_string()
    }
}

#[cfg(test)]
mod tests {
    use app::session::{AccountId, User};

    use super::*;

    fn session(locale: Locale, name: &str) -> Session {
        Session {
            key: [1; 32],
            account: AccountId { portal: "demo".to_owned(), account: "martin".to_owned() },
            account_name: name.to_owned(),
            portal_name: name.to_owned(),
            person: User { id: "claire".to_owned(), name: name.to_owned() },
            email: "claire@exemple.fr".to_owned(),
            users: vec![],
            locale,
            time_zone: None,
            return_url: None,
            theme: app::theme::GivenTheme::default(),
        }
    }

    fn html(locale: Locale, name: &str) -> String {
        let row = crate::store::contract::row(1, None);
        let theme = Theme::read([]).0;
        let to = "claire@exemple.fr";
        let letter = confirmation(&session(locale, name), &theme, &row, name, to, Timestamp::UNIX_EPOCH, "123456");
        letter.unwrap().html.unwrap()
    }

    #[test]
    fn the_html_part_names_its_language_and_its_title() {
        for (locale, tag) in [(Locale::Fr, "fr"), (Locale::En, "en")] {
            let page = html(locale, "Martin");
            assert!(page.starts_with(&format!("<!DOCTYPE html><html lang=\"{tag}\"><head><title>")), "{page}");
            assert!(!page.contains("<title></title>") && page.contains("123 456"), "{page}");
            assert!(!page.contains("charset"), "the part's header declares it");
        }
    }

    #[test]
    fn the_html_part_loads_nothing_and_leads_nowhere() {
        let page = html(Locale::Fr, "Martin").to_lowercase();
        for part in [
            "src",
            "href",
            "url(",
            "http",
            "//",
            "@import",
            "<img",
            "<link",
            "<script",
            "<style",
            "<iframe",
            "<form",
            "<object",
            "<meta",
            "<base",
            "background=",
            " on",
            "cid:",
            "data:",
        ] {
            let found = page.match_indices(part).map(|(at, _)| &page[at.saturating_sub(20)..]).next();
            // "on" is also a word: only inside a tag it is a handler.
            let is_handler = part != " on" || page.split('<').any(|tag| tag.split('>').next().unwrap().contains(" on"));
            assert!(found.is_none() || !is_handler, "{part}: {found:?}");
        }
    }

    #[test]
    fn whatever_a_portal_or_an_owner_calls_itself_is_text() {
        let page = html(Locale::En, "\"><img src=x onerror=alert(1)>&amp;'</title>");
        assert!(!page.contains("<img") && page.matches("</title>").count() == 1, "{page}");
        assert!(page.contains("&lt;img") && page.contains("&amp;amp;"), "{page}");
    }

    #[test]
    fn the_html_part_has_the_colours_of_the_portal() {
        let given = |colour: &str| app::theme::GivenTheme {
            variables: [("brand".to_owned(), app::theme::Given::One(colour.to_owned()))].into(),
            ..app::theme::GivenTheme::default()
        };
        let row = crate::store::contract::row(1, None);
        let html = |theme: &Theme| {
            let session = session(Locale::Fr, "Martin");
            confirmation(&session, theme, &row, "Martin", "claire@exemple.fr", Timestamp::UNIX_EPOCH, "123456")
                .unwrap()
                .html
        };
        // The session's theme overrides the portal's.
        let page = html(&Theme::read([&given("#0b57d0"), &given("#6750a4")]).0).unwrap();
        assert!(page.contains("#6750a4") && !page.contains("#0b57d0"), "{page}");
        assert!(!html(&Theme::read([]).0).unwrap().contains("#6750a4"));
    }
}

//! Server side. The server function of the page **Envoi**.

use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::{api::existing, sending::SendingOptions};
use crate::{
    error::{AppError, finish, wants_page},
    services::services,
    session::session,
};

/// A limit that may be set: its name in the form, and the most it may be.
pub const LIMITS: [(&str, u32); 3] = [("max-connections", 20), ("per-minute", 6_000), ("per-day", 1_000_000)];

/// What was typed. An empty field leaves the limit to the provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct TypedSending {
    pub max_connections: String,
    pub per_minute: String,
    pub per_day: String,
    pub check_hourly: String,
    pub fallback: String,
}

impl TypedSending {
    fn numbers(&self) -> [&str; 3] {
        [&self.max_connections, &self.per_minute, &self.per_day].map(|text| text.trim())
    }

    /// What it means, or the name of the first field that is wrong.
    pub fn check(&self) -> Result<SendingOptions, &'static str> {
        let mut limits = [None; 3];
        for ((text, (name, most)), limit) in self.numbers().into_iter().zip(LIMITS).zip(&mut limits) {
            // People write 1 000 with a blank, of several kinds.
            let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            if !digits.is_empty() {
                let number = digits.parse::<u32>().ok().filter(|number| (1..=most).contains(number));
                *limit = Some(number.ok_or(name)?);
            }
        }
        let [max_connections, per_minute, per_day] = limits;
        let (check_hourly, fallback) = (!self.check_hourly.is_empty(), !self.fallback.is_empty());
        Ok(SendingOptions { max_connections, per_minute, per_day, check_hourly, fallback })
    }

    /// As a query, so that nothing typed is lost when something is wrong.
    fn query(&self) -> String {
        let kept =
            |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).take(12).collect();
        let numbers: Vec<String> = self.numbers().into_iter().map(kept).collect();
        let names = LIMITS.map(|(name, _)| name);
        let pairs = names.iter().zip(&numbers).map(|(name, text)| format!("&{name}={text}"));
        let flags = [("check-hourly", &self.check_hourly), ("fallback", &self.fallback)];
        let flags = flags.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, _)| format!("&{name}=1"));
        pairs.chain(flags).collect()
    }
}

/// **Enregistrer** of the page **Envoi**.
#[server(name = SaveSending, prefix = "/api", endpoint = "profiles/sending", input = PostUrl)]
pub async fn save_sending(
    #[server(default)] id: String,
    #[server(default)] sending: TypedSending,
    #[server(default)] was: String,
) -> Result<(), AppError> {
    finish(save(&id, &sending, &was).await)
}

/// What the page showed, as one word.
pub fn shown(options: &SendingOptions) -> String {
    let number = |limit: Option<u32>| limit.map(|limit| limit.to_string()).unwrap_or_default();
    let SendingOptions { max_connections, per_minute, per_day, check_hourly, fallback } = *options;
    let flags = format!("{}{}", u8::from(check_hourly), u8::from(fallback));
    [number(max_connections), number(per_minute), number(per_day), flags].join(".")
}

/// What [`shown`] wrote.
fn read(word: &str) -> Option<SendingOptions> {
    let parts: Vec<&str> = word.split('.').collect();
    let [connections, minute, day, flags] = parts[..] else { return None };
    let number = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
    let flag = |at: usize| match flags.as_bytes().get(at) {
        Some(b'1') => Some(true),
        Some(b'0') => Some(false),
        _ => None,
    };
    Some(SendingOptions {
        max_connections: number(connections)?,
        per_minute: number(minute)?,
        per_day: number(day)?,
        check_hourly: flag(0)?,
        fallback: flag(1)?,
    })
}

async fn save(id: &str, typed: &TypedSending, was: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    let options = match typed.check() {
        Ok(options) => options,
        Err(wrong) => return Ok(format!("/profiles/sending?id={id}&wrong={wrong}{}", typed.query())),
    };
    match services.profiles.set_sending(session.author(), id, options, read(was)).await {
        Err(AppError::Stale) if wants_page() => Ok(format!("/profiles/sending?id={id}&stale=1{}", typed.query())),
        done => done.map(|()| format!("/profiles?selected={id}&notice=saved")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(numbers: [&str; 3]) -> TypedSending {
        let [max_connections, per_minute, per_day] = numbers.map(str::to_owned);
        TypedSending { max_connections, per_minute, per_day, check_hourly: "1".to_owned(), fallback: String::new() }
    }

    #[test]
    fn numbers_within_their_bounds_are_taken_and_empty_is_the_provider_s() {
        let options = typed(["", " 30 ", "10\u{202f}000"]).check().unwrap();
        assert_eq!((options.max_connections, options.per_minute, options.per_day), (None, Some(30), Some(10_000)));
        assert!(options.check_hourly && !options.fallback);
        for (numbers, wrong) in [
            (["0", "", ""], "max-connections"),
            (["21", "", ""], "max-connections"),
            (["", "6001", ""], "per-minute"),
            (["", "-1", "x"], "per-minute"),
            (["1", "1", "1e3"], "per-day"),
        ] {
            assert_eq!(typed(numbers).check(), Err(wrong), "{numbers:?}");
        }
    }

    #[test]
    fn what_the_page_showed_is_read_again() {
        for options in [
            SendingOptions::default(),
            SendingOptions {
                max_connections: Some(3),
                per_day: Some(1_000_000),
                fallback: true,
                ..SendingOptions::default()
            },
        ] {
            assert_eq!(read(&shown(&options)), Some(options));
        }
        for word in ["", "1.2.3", "1.2.3.x", "a.2.3.10", "1.2.3.1"] {
            assert_eq!(read(word), None, "{word}");
        }
    }

    #[test]
    fn what_was_typed_comes_back_and_nothing_else() {
        assert_eq!(typed(["3&x=<", "", "abc"]).query(), "&max-connections=3x&per-minute=&per-day=abc&check-hourly=1");
    }
}

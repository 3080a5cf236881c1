//! Server side. The server function of the page **Envoi**.

use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::{api::existing, sending::SendingOptions};
use crate::{
    error::{AppError, finish},
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
) -> Result<(), AppError> {
    finish(save(&id, &sending).await)
}

async fn save(id: &str, typed: &TypedSending) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    let options = match typed.check() {
        Ok(options) => options,
        Err(wrong) => return Ok(format!("/profiles/sending?id={id}&wrong={wrong}{}", typed.query())),
    };
    services.profiles.set_sending(session.author(), id, options).await?;
    Ok(format!("/profiles?selected={id}&notice=saved"))
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
    fn what_was_typed_comes_back_and_nothing_else() {
        assert_eq!(typed(["3&x=<", "", "abc"]).query(), "&max-connections=3x&per-minute=&per-day=abc&check-hourly=1");
    }
}

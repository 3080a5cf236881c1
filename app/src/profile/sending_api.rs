//! Server side. The server function of the page **Envoi**.

use leptos::{prelude::*, server_fn::codec::PostUrl};

use super::{
    asked::{existing, shown_then},
    draft::{Choice, KeptDraft},
    model::ProfileId,
    sending::SendingOptions,
    typed_sending::TypedSending,
};
use crate::{
    error::{AppError, finish, wants_page},
    services::services,
    session::session,
};

/// **Enregistrer** of the page **Envoi**.
#[server(name = SaveSending, prefix = "/api", endpoint = "profiles/sending", input = PostUrl)]
pub async fn save_sending(
    #[server(default)] id: String,
    #[server(default)] sending: TypedSending,
    #[server(default)] was: String,
    #[server(default)] revision: String,
) -> Result<(), AppError> {
    finish(save(&id, &sending, &was, &revision).await)
}

/// The name under which the input is stored for the page that asks again.
pub fn sending_form(id: ProfileId) -> String {
    format!("sending-{id}")
}

/// What the page showed, encoded in one hidden field.
pub fn shown(options: &SendingOptions) -> String {
    let number = |limit: Option<u32>| limit.map(|limit| limit.to_string()).unwrap_or_default();
    let SendingOptions { max_connections, per_minute, per_day, check_hourly, fallback } = *options;
    let flags = format!("{}{}", u8::from(check_hourly), u8::from(fallback));
    [number(max_connections), number(per_minute), number(per_day), flags].join(".")
}

/// The reverse of [`shown`].
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

async fn save(id: &str, typed: &TypedSending, was: &str, revision: &str) -> Result<String, AppError> {
    let (session, services) = (session()?, services()?);
    let id = existing(id)?;
    let who = session.who();
    let again = async |wrong: Vec<&str>, flag: &str| {
        services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
        let choice = Choice::Sending(typed.shortened(), wrong.into_iter().map(str::to_owned).collect());
        services.drafts.keep(&who, &KeptDraft::of_choice(sending_form(id), choice)).await?;
        Ok(format!("/profiles/sending?id={id}&{flag}=1"))
    };
    let options = match typed.check() {
        Ok(options) => options,
        Err(wrong) if wants_page() => return again(wrong, "draft").await,
        Err(_) => return Err(AppError::Malformed),
    };
    let set = match shown_then(was, revision, read) {
        Ok(shown) => services.profiles.set_sending(session.author(), id, options, shown).await,
        Err(stale) => Err(stale),
    };
    match set {
        Err(AppError::Stale) if wants_page() => again(Vec::new(), "stale").await,
        done => {
            done?;
            services.drafts.forget(&who, &sending_form(id)).await?;
            Ok(format!("/profiles?selected={id}&notice=sending-saved"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::typed_sending::LONGEST, *};

    fn typed(numbers: [&str; 3]) -> TypedSending {
        let [max_connections, per_minute, per_day] = numbers.map(str::to_owned);
        TypedSending { max_connections, per_minute, per_day, check_hourly: "1".to_owned(), fallback: String::new() }
    }

    #[test]
    fn numbers_in_range_are_accepted_and_empty_means_the_provider_s() {
        let options = typed(["", " 30 ", "10\u{202f}000"]).check().unwrap();
        assert_eq!((options.max_connections, options.per_minute, options.per_day), (None, Some(30), Some(10_000)));
        assert!(options.check_hourly && !options.fallback);
        for (numbers, wrong) in [
            (["0", "", ""], &["max-connections"][..]),
            (["21", "", ""], &["max-connections"]),
            (["", "6001", ""], &["per-minute"]),
            (["", "-1", "x"], &["per-minute", "per-day"]),
            (["1", "1", "1e3"], &["per-day"]),
        ] {
            assert_eq!(typed(numbers).check(), Err(wrong.to_vec()), "{numbers:?}");
        }
    }

    #[test]
    fn the_hidden_field_round_trips() {
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
    fn stored_input_is_truncated() {
        let long = typed([&"9".repeat(5_000), "1 000", "<b>"]);
        assert_eq!(long.shortened().limits(), [&"9".repeat(LONGEST)[..], "1 000", "<b>"]);
    }
}

//! Tokens, and responses that are too long for the command.

use super::*;

const REASON: &str = r#"{"status":"401","schemes":"Bearer","scope":"https://mail.google.com/"}"#;
const TOKENS: [Mechanism; 2] = [Mechanism::Xoauth2, Mechanism::OauthBearer];
/// The mechanisms with an initial response that contains the secret.
const CARRIERS: [Mechanism; 3] = [Mechanism::Plain, Mechanism::Xoauth2, Mechanism::OauthBearer];

fn response(exchange: &Exchange<'_>) -> String {
    decoded(exchange.command().rsplit(' ').next().unwrap())
}

/// The login in an OAUTHBEARER message, unescaped.
fn login_in(message: &str) -> String {
    let name = message.strip_prefix("n,a=").unwrap().split(',').next().unwrap();
    name.replace("=2C", ",").replace("=3D", "=")
}

#[test]
fn the_messages_are_those_of_the_documents() {
    let token = SecretString::from("vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==");
    let xoauth2 = exchange(Mechanism::Xoauth2, "someuser@example.com", &token);
    let command = "AUTH XOAUTH2 dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB2RjlkZnQ0cW1UYzJO\
                   dmIzUmxja0JoZEhSaGRtbHpkR0V1WTI5dENnPT0BAQ==";
    assert_eq!(*xoauth2.command(), command);
    assert_eq!(xoauth2.shown(), "AUTH XOAUTH2 •••");
    // RFC 7628 §4.1, with another port.
    let bearer = exchange(Mechanism::OauthBearer, "user@example.com", &token);
    let command = "AUTH OAUTHBEARER bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3\
                   AWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2c9PQEB";
    assert_eq!(*bearer.command(), command);
    assert_eq!(bearer.shown(), "AUTH OAUTHBEARER •••");
    let awkward = exchange(Mechanism::OauthBearer, "a=b,c=2C", &token);
    assert!(response(&awkward).starts_with("n,a=a=3Db=2Cc=3D2C,\x01host="));
}

#[test]
fn a_refusal_is_answered_and_its_reason_kept() {
    let token = SecretString::from("ya29.short");
    for (mechanism, answered) in [(Mechanism::Xoauth2, ""), (Mechanism::OauthBearer, "AQ==")] {
        let mut oauth = exchange(mechanism, "claire", &token);
        assert_eq!(answer(oauth.step(&challenge(REASON))), answered);
        assert_eq!(oauth.hidden_error.as_deref(), Some(REASON));
        assert!(matches!(oauth.step(&reply("535 5.7.8 no")), Step::Refused));
        // The server ignored the response, and asks once more.
        let mut oauth = exchange(mechanism, "claire", &token);
        assert_eq!(decoded(&answer(oauth.step(&reply("334 ")))), response(&oauth));
        assert_eq!(answer(oauth.step(&challenge(REASON))), answered);
        assert_eq!(answer(oauth.step(&challenge(REASON))), answered);
        assert!(matches!(oauth.step(&challenge(REASON)), Step::Broken), "it never ends");
    }
}

#[test]
fn a_long_response_waits_until_it_is_requested() {
    let secret = SecretString::from("x".repeat(2_000));
    for mechanism in CARRIERS {
        for request in ["334 ", "334", "334 go on", "334 Continue"] {
            let mut long = exchange(mechanism, "claire", &secret);
            let bare = format!("AUTH {}", mechanism.name());
            assert_eq!((long.command().as_str(), long.shown().as_str()), (bare.as_str(), bare.as_str()));
            let sent = decoded(&answer(long.step(&reply(request))));
            assert!(sent.contains(secret.expose_secret()), "{request}");
            assert_eq!(long.challenges, 0, "a request is no challenge");
            assert!(matches!(long.step(&reply("235 ok")), Step::Done));
        }
    }
}

#[test]
fn a_long_token_is_sent_once() {
    let token = SecretString::from("x".repeat(2_000));
    for (mechanism, answered) in [(Mechanism::Xoauth2, ""), (Mechanism::OauthBearer, "AQ==")] {
        let mut oauth = exchange(mechanism, "claire", &token);
        answer(oauth.step(&reply("334 ")));
        assert_eq!(answer(oauth.step(&challenge(REASON))), answered);
        assert_eq!(oauth.hidden_error.as_deref(), Some(REASON));
        assert!(matches!(oauth.step(&reply("535 5.7.8 no")), Step::Refused));
        // An empty challenge after it is a reason without words.
        let mut oauth = exchange(mechanism, "claire", &token);
        answer(oauth.step(&reply("334 ")));
        for _ in 0..MOST_CHALLENGES {
            assert_eq!(answer(oauth.step(&reply("334 "))), answered);
        }
        assert!(matches!(oauth.step(&reply("334 ")), Step::Broken), "it never ends");
        assert_eq!(oauth.hidden_error, None);
    }
    let mut plain = exchange(Mechanism::Plain, "claire", &token);
    answer(plain.step(&reply("334 ")));
    assert!(matches!(plain.step(&reply("334 ")), Step::Broken), "the password is sent once");
}

#[test]
fn a_reason_before_the_token_breaks_the_rules() {
    let token = SecretString::from("x".repeat(2_000));
    for mechanism in TOKENS {
        let mut oauth = exchange(mechanism, "claire", &token);
        assert!(matches!(oauth.step(&challenge(REASON)), Step::Broken));
        assert_eq!(oauth.hidden_error.as_deref(), Some(REASON));
    }
}

#[test]
fn a_long_login_is_sent_after_the_command() {
    let (login, secret) = ("c".repeat(600), SecretString::from("secret"));
    let mut prompted = exchange(Mechanism::Login, &login, &secret);
    assert_eq!(*prompted.command(), "AUTH LOGIN");
    assert_eq!(decoded(&answer(prompted.step(&challenge("Username:")))), login);
    assert_eq!(answer(prompted.step(&challenge("Password:"))), "c2VjcmV0");
    let mut scram = exchange(Mechanism::ScramSha256, &login, &secret);
    assert_eq!(*scram.command(), "AUTH SCRAM-SHA-256");
    assert!(decoded(&answer(scram.step(&reply("334 ")))).starts_with("n,,n=ccc"));
    let first = challenge("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    assert!(decoded(&answer(step(&mut scram, &first))).starts_with("c=biws,r=rOprNGfwEbeRWgbNEkqOx,p="));
}

#[test]
fn the_limits_are_exact() {
    for mechanism in CARRIERS {
        let line = |length: usize| {
            let secret = SecretString::from("x".repeat(length));
            let mut exchange = exchange(mechanism, "claire", &secret);
            let command = exchange.command().to_string();
            let answered =
                if command.matches(' ').count() == 1 { answer(exchange.step(&reply("334 "))) } else { command };
            (answered, fits(mechanism, SERVER, "claire", &secret))
        };
        let last = (1..512).rev().find(|length| line(*length).0.starts_with("AUTH")).unwrap();
        assert!((507..=510).contains(&line(last).0.len()), "a block more would be too long: {}", line(last).0.len());
        let last = (9_000..9_300).rev().find(|length| line(*length).1).unwrap();
        assert_eq!(line(last).0.len(), 12_284, "a block more would be 12,288 and the line end");
        assert_eq!(line(last + 1).0.len(), 12_288);
    }
    let long = SecretString::from("x".repeat(100_000));
    for (mechanism, may) in [
        (Mechanism::ScramSha256, true),
        (Mechanism::CramMd5, true),
        (Mechanism::Login, false),
        (Mechanism::Plain, false),
    ] {
        assert_eq!(fits(mechanism, SERVER, "claire", &long), may, "a hash has a fixed length");
        assert!(!fits(mechanism, SERVER, &"x".repeat(100_000), &SecretString::from("secret")));
    }
}

#[test]
fn the_status_of_a_reason() {
    for (reason, found) in [
        (REASON, Some("401")),
        (r#"{"schemes":"Bearer", "status" : "invalid_token"}"#, Some("invalid_token")),
        (r#"{"status":400,"scope":"x"}"#, Some("400")),
        (r#"{"status":""}"#, None),
        (r#"{"status":"a b"}"#, None),
        (r#"{"status":"#, None),
        (r#"{"status":"401"#, None),
        ("401", None),
    ] {
        assert_eq!(status(reason), found, "{reason}");
    }
}

proptest! {
    #[test]
    fn an_escaped_login_decodes_back(login in "[a-z=,23CD]{0,12}|\\PC{0,20}") {
        let token = SecretString::from("t");
        let message = token::oauth_bearer(SERVER, &login, token.expose_secret());
        prop_assert_eq!(login_in(&message), login);
    }

    #[test]
    fn no_line_is_too_long(
        mechanism in mechanisms(),
        login in "\\PC{0,40}|[a-z,=]{300,700}",
        length in prop::sample::select(vec![0_usize, 100, 300, 370, 380, 390, 1_000, 9_100, 9_200, 9_300, 20_000]),
        more in 0_usize..40,
    ) {
        let secret = SecretString::from("x".repeat(length + more));
        let mut exchange = exchange(mechanism, &login, &secret);
        prop_assert!(exchange.command().len() + 2 <= 512);
        if !fits(mechanism, SERVER, &login, &secret) {
            return Ok(());
        }
        let challenges = [reply("334 "), challenge("<1@x>"), challenge("Password:"), reply("334 ")];
        for challenge in challenges {
            if let Step::Answer(line) = step(&mut exchange, &challenge) {
                prop_assert!(line.len() + 2 <= 12_288);
            }
        }
    }
}

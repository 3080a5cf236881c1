//! Real replies and what they mean.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Example {
    stage: String,
    host: String,
    reply: String,
    cause: String,
}

#[test]
fn real_replies_are_understood() {
    let examples: Vec<Example> = serde_json::from_str(include_str!("replies.json")).unwrap();
    assert!(examples.len() >= 80);
    let mut wrong = Vec::new();
    for Example { stage, host, reply, cause } in &examples {
        let stage: Stage = serde_json::from_str(&format!("\"{stage}\"")).unwrap();
        let parsed = Reply::parse(reply).unwrap();
        let found = diagnose(stage, host, &parsed).cause;
        if found.as_str() != cause {
            wrong.push(format!("{cause} expected, {} found: {stage:?} {reply}", found.as_str()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), examples.len(), wrong.join("\n"));
}

#[test]
fn the_same_code_means_another_thing_at_another_provider() {
    let reply = Reply::parse("550 5.7.30 Refused").unwrap();
    assert_eq!(diagnose(Stage::Auth, "smtp.office365.com", &reply).cause, Cause::BasicAuthDisabled);
    assert_ne!(diagnose(Stage::Data, "smtp.gmail.com", &reply).cause, Cause::BasicAuthDisabled);
}

#[test]
fn what_is_not_recognised_is_not_guessed() {
    for (stage, reply) in
        [(Stage::Data, "554 5.0.0 Computer says no"), (Stage::MailFrom, "550 zxq 17"), (Stage::Greeting, "554 Nope")]
    {
        assert_eq!(diagnose(stage, "smtp.exemple.fr", &Reply::parse(reply).unwrap()).cause, Cause::Unknown, "{reply}");
    }
}

#[test]
fn transient_replies_can_be_tried_again() {
    let of = |reply: &str| diagnose(Stage::RcptTo, "smtp.exemple.fr", &Reply::parse(reply).unwrap()).retryable;
    assert!(of("450 4.2.0 Greylisted"));
    assert!(!of("550 5.1.1 User unknown"));
}

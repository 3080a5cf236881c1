//! The examples of the specifications, and servers that do not follow them.

use proptest::prelude::*;

use super::*;
use crate::smtp::capabilities::Capabilities;

mod tokens;

const SERVER: Server<'_> = Server { host: "server.example.com", port: 587 };

fn reply(text: &str) -> Reply {
    Reply::parse(text).unwrap()
}

fn challenge(text: &str) -> Reply {
    reply(&format!("334 {}", BASE64_STANDARD.encode(text)))
}

fn answer(step: Step) -> String {
    match step {
        Step::Answer(line) => line.to_string(),
        _ => panic!("an answer was expected"),
    }
}

/// The next step, including any derivation it needs.
fn step(exchange: &mut Exchange<'_>, reply: &Reply) -> Step {
    match exchange.step(reply) {
        Step::Derive(derivation) => exchange.derived(derivation.run()),
        step => step,
    }
}

fn decoded(line: &str) -> String {
    String::from_utf8(BASE64_STANDARD.decode(line).unwrap()).unwrap()
}

fn exchange<'a>(mechanism: Mechanism, login: &'a str, secret: &'a SecretString) -> Exchange<'a> {
    Exchange::with_nonce(mechanism, SERVER, login, secret, "rOprNGfwEbeRWgbNEkqO".to_owned())
}

#[test]
fn plain_carries_its_response_and_repeats_it_when_asked() {
    let secret = SecretString::from("tim");
    let mut plain = exchange(Mechanism::Plain, "test", &secret);
    assert_eq!(*plain.command(), "AUTH PLAIN AHRlc3QAdGlt");
    assert_eq!(answer(plain.step(&reply("334 "))), "AHRlc3QAdGlt");
    assert!(matches!(plain.step(&reply("334 more?")), Step::Broken));
    assert_eq!(plain.shown(), "AUTH PLAIN •••");
}

#[test]
fn login_answers_prompts_in_any_language() {
    let secret = SecretString::from("secret");
    for (password_prompt, login_prompt) in [
        (challenge("Password:"), challenge("Username:")),
        (challenge("Mot de passe :"), challenge("Nom d’utilisateur :")),
        (reply("334 Kennwort"), reply("334 Benutzername")),
    ] {
        let mut login = exchange(Mechanism::Login, "claire", &secret);
        assert_eq!((login.command().as_str(), login.shown().as_str()), ("AUTH LOGIN Y2xhaXJl", "AUTH LOGIN •••"));
        assert_eq!(answer(login.step(&password_prompt)), "c2VjcmV0");
        assert!(matches!(login.step(&password_prompt), Step::Broken), "the password is said once");
        // A server that ignores the username sent with the command.
        let mut login = exchange(Mechanism::Login, "claire", &secret);
        assert_eq!(answer(login.step(&login_prompt)), "Y2xhaXJl");
        assert_eq!(answer(login.step(&reply("334 ???"))), "c2VjcmV0");
        assert!(matches!(login.step(&reply("235 ok")), Step::Done));
    }
}

#[test]
fn login_starts_again_where_the_initial_response_is_not_understood() {
    let secret = SecretString::from("secret");
    // An unclear prompt may ask for either: the username is sent first, and again without a guess.
    for prompt in ["334 ", "334 ???", "334 8J+Ygg=="] {
        let mut login = exchange(Mechanism::Login, "claire", &secret);
        assert_eq!(answer(login.step(&reply(prompt))), "Y2xhaXJl");
        assert!(matches!(login.step(&reply("535 no")), Step::Again), "{prompt}");
        assert_eq!(*login.command(), "AUTH LOGIN");
        assert_eq!(answer(login.step(&reply(prompt))), "Y2xhaXJl");
        assert_eq!(answer(login.step(&reply(prompt))), "c2VjcmV0");
        assert!(matches!(login.step(&reply("535 no")), Step::Refused));
    }
    let mut login = exchange(Mechanism::Login, "claire", &secret);
    assert!(matches!(login.step(&reply("501 5.5.4 no initial response")), Step::Again));
    assert_eq!(*login.command(), "AUTH LOGIN");
    assert!(matches!(login.step(&reply("501 5.5.4 still not")), Step::Refused));
}

#[test]
fn challenges_are_shown_without_what_a_password_could_be_guessed_from() {
    let secret = SecretString::from("secret");
    let shown = |mechanism, reply: &Reply| {
        exchange(mechanism, "claire", &secret).shown_challenge(reply).unwrap_or_else(|| reply.words())
    };
    assert_eq!(shown(Mechanism::Login, &challenge("Username:")), "334 VXNlcm5hbWU6 (Username:)");
    assert_eq!(shown(Mechanism::Login, &reply("334 Kennwort")), "334 Kennwort (Kennwort)");
    assert_eq!(shown(Mechanism::CramMd5, &challenge("<1@x>")), "334 •••");
    assert_eq!(shown(Mechanism::ScramSha256, &challenge("r=x,s=y,i=1")), "334 •••");
    let proof = reply("235 dj02cnJpVFJCaTIzV3BSUi93dHVwK21NaFVaVW4vZEI1bkxUSlJzamw5NUc0PQ==");
    assert_eq!(shown(Mechanism::ScramSha256, &proof), "235 •••");
    assert_eq!(shown(Mechanism::ScramSha256, &reply("235 2.7.0 ok")), "235 2.7.0 ok");
    assert_eq!(shown(Mechanism::Plain, &reply("334 ")), "334");
}

#[test]
fn cram_md5_is_rfc_2195_s() {
    let secret = SecretString::from("tanstaaftanstaaf");
    let mut cram = exchange(Mechanism::CramMd5, "tim", &secret);
    let asked = challenge("<1896.697170952@postoffice.reston.mci.net>");
    assert_eq!(decoded(&answer(cram.step(&asked))), "tim b913a602c7eda7a495b4e6e7334d3890");
}

#[test]
fn scram_is_rfc_7677_s() {
    let secret = SecretString::from("pencil");
    let mut scram = exchange(Mechanism::ScramSha256, "user", &secret);
    let command = scram.command();
    assert_eq!(decoded(command.rsplit(' ').next().unwrap()), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    let server_first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    let last = decoded(&answer(step(&mut scram, &challenge(server_first))));
    assert!(last.ends_with("p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), "{last}");
    let proof = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
    assert_eq!(answer(scram.step(&challenge(proof))), "");
    assert!(matches!(scram.step(&reply("235 ok")), Step::Done));
}

#[test]
fn a_server_that_does_not_know_the_password_is_not_believed() {
    let secret = SecretString::from("pencil");
    let first = challenge("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    let mut scram = exchange(Mechanism::ScramSha256, "user", &secret);
    answer(step(&mut scram, &first));
    assert!(matches!(scram.step(&challenge("v=AAAA")), Step::Broken));
    let mut hasty = exchange(Mechanism::ScramSha256, "user", &secret);
    answer(step(&mut hasty, &first));
    assert!(matches!(hasty.step(&reply("235 welcome")), Step::Broken));
    for wrong in [
        "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000",
        "r=rOprNGfwEbeRWgbNEkqOx,s=?,i=4096",
        "nonsense",
    ] {
        assert!(
            matches!(exchange(Mechanism::ScramSha256, "user", &secret).step(&challenge(wrong)), Step::Broken),
            "{wrong}"
        );
    }
}

#[test]
fn the_best_mechanism_that_is_offered() {
    let offers = |names: &[&str]| Capabilities {
        auth: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Capabilities::default()
    };
    for (names, encrypted, chosen) in [
        (&["LOGIN", "PLAIN", "CRAM-MD5"][..], true, &[Mechanism::Plain, Mechanism::Login, Mechanism::CramMd5][..]),
        (&["LOGIN", "PLAIN", "CRAM-MD5"], false, &[Mechanism::CramMd5, Mechanism::Plain, Mechanism::Login]),
        (&["PLAIN", "SCRAM-SHA-256"], true, &[Mechanism::ScramSha256, Mechanism::Plain]),
        (&["CRAM-MD5", "NTLM"], true, &[Mechanism::CramMd5]),
        (&["XOAUTH2", "OAUTHBEARER", "GSSAPI"], true, &[]),
    ] {
        assert_eq!(candidates(&offers(names), None, encrypted), chosen, "{names:?}");
    }
    let wanted = |names: &[&str], wanted| candidates(&offers(names), Some(wanted), true);
    assert_eq!(wanted(&["PLAIN"], Mechanism::Login), []);
    let both = &["PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2"][..];
    for (token, other) in [(Mechanism::Xoauth2, Mechanism::OauthBearer), (Mechanism::OauthBearer, Mechanism::Xoauth2)] {
        assert_eq!(wanted(both, token), [token], "one mechanism for a token");
        assert_eq!(wanted(&["PLAIN", other.name()], token), [other]);
        assert_eq!(wanted(&["PLAIN", "LOGIN", "SCRAM-SHA-256"], token), [], "a token is no password");
    }
    assert_eq!(Mechanism::from_name("scram-sha-256"), Some(Mechanism::ScramSha256));
}

#[test]
fn only_235_is_a_yes() {
    let secret = SecretString::from("secret");
    for (text, broken) in [("250 ok", true), ("220 ready", true), ("535 no", false), ("454 later", false)] {
        let step = exchange(Mechanism::Plain, "claire", &secret).step(&reply(text));
        assert_eq!(matches!(step, Step::Broken), broken, "{text}");
        assert_eq!(matches!(step, Step::Refused), !broken, "{text}");
    }
}

fn mechanisms() -> impl Strategy<Value = Mechanism> {
    prop::sample::select(Mechanism::ALL.to_vec())
}

proptest! {
    #[test]
    fn no_challenge_makes_it_panic(bytes in any::<Vec<u8>>(), text in "\\PC{0,40}", mechanism in mechanisms()) {
        let secret = SecretString::from("secret");
        let mut exchange = exchange(mechanism, "claire", &secret);
        for line in [format!("334 {}", BASE64_STANDARD.encode(&bytes)), format!("334 {text}"), format!("235 {text}")] {
            if let Some(reply) = Reply::parse(&line) {
                let _ = exchange.step(&reply);
            }
        }
    }
}

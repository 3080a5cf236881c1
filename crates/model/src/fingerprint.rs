//! What a result applies to: a test, a failure or a connection counts only while the settings are the ones it was made
//! with.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{encoding::Encoding, settings::Settings};

/// A hash of the settings that matter to a server: destination, sender address, encoding, and the time of the secret's
/// last change. The preset, the user, the sender's name and the reply address are left out: no server accepts or
/// refuses mail because of them.
pub fn fingerprint(settings: &Settings, encoding: Encoding, secret_changed_at: Option<Timestamp>) -> [u8; 32] {
    let Settings { name: _, preset: _, user: _, destination, sender_name: _, sender_address, reply_to: _ } = settings;
    let changed_at = secret_changed_at.map(Timestamp::as_millisecond).unwrap_or_default();
    let parts =
        [destination.canonical(), sender_address.to_string(), encoding.as_str().to_owned(), changed_at.to_string()];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{address::EmailAddress, security::Security, settings::Destination};

    #[test]
    fn what_no_server_looks_at_keeps_the_proof_and_the_rest_asks_for_another() {
        let address = |text: &str| EmailAddress::parse(text).unwrap();
        let settings = Settings {
            name: String::new(),
            preset: None,
            user: None,
            destination: Destination {
                host: "smtp.exemple.fr".to_owned(),
                port: 465,
                security: Security::Tls,
                login: "claire@exemple.fr".to_owned(),
                mechanism: None,
            },
            sender_name: "Boulangerie Martin".to_owned(),
            sender_address: address("claire@exemple.fr"),
            reply_to: None,
        };
        let of = |settings: &Settings| fingerprint(settings, Encoding::Utf8, None);
        for same in [
            Settings { sender_name: "Boulangerie Martin et Fils".to_owned(), ..settings.clone() },
            Settings { reply_to: Some(address("devis@exemple.fr")), ..settings.clone() },
            Settings { preset: Some("gmail".to_owned()), user: Some("7".to_owned()), ..settings.clone() },
        ] {
            assert_eq!(of(&same), of(&settings), "{same:?}");
        }
        let at = |destination| Settings { destination, ..settings.clone() };
        let now = || settings.destination.clone();
        for other in [
            at(Destination { host: "smtp.exemple.com".to_owned(), ..now() }),
            at(Destination { port: 587, ..now() }),
            at(Destination { security: Security::Starttls, ..now() }),
            at(Destination { login: "karim@exemple.fr".to_owned(), ..now() }),
            Settings { sender_address: address("devis@exemple.fr"), ..settings.clone() },
        ] {
            assert_ne!(of(&other), of(&settings), "{other:?}");
        }
        assert_ne!(fingerprint(&settings, Encoding::Latin1, None), of(&settings));
        assert_ne!(
            fingerprint(&settings, Encoding::Utf8, Some(Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1))),
            of(&settings)
        );
    }
}

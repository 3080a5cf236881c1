//! An envelope opens only with the binding it was sealed for.

use app::profile::model::ProfileId;
use proptest::prelude::*;

use super::*;
use crate::store::sqlite::SqliteStore;

fn account(name: &str) -> AccountId {
    AccountId { portal: "demo".to_owned(), account: name.to_owned() }
}

fn vault(id: &str, byte: u8) -> Vault {
    Vault::new(vec![VaultKey::new(id, [byte; 32]).unwrap()]).unwrap()
}

fn profile(number: u128) -> ProfileId {
    ProfileId(uuid::Uuid::from_u128(number))
}

const DESTINATION: &str = "smtp.exemple.fr\n465\ntls\nclaire@exemple.fr";

fn sealed(vault: &Vault) -> (AccountId, Vec<u8>) {
    let account = account("martin");
    let binding = Binding { account: &account, profile: profile(1), field: "secret", destination: DESTINATION };
    let envelope = vault.seal(&SecretString::from("abcdefghijklmnop"), &binding).unwrap();
    (account, envelope)
}

#[test]
fn it_opens_for_what_it_was_sealed_for() {
    let vault = vault("k1", 1);
    let (account, envelope) = sealed(&vault);
    let binding = Binding { account: &account, profile: profile(1), field: "secret", destination: DESTINATION };
    assert_eq!(vault.open(&envelope, &binding).unwrap().expose_secret(), "abcdefghijklmnop");
    assert!(!envelope.windows(4).any(|window| window == b"abcd"));
    assert_ne!(envelope, sealed(&vault).1, "a nonce is never used twice");
}

#[test]
fn it_opens_for_nothing_else() {
    let vault = vault("k1", 1);
    let (martin, envelope) = sealed(&vault);
    let dubois = account("dubois");
    let right = Binding { account: &martin, profile: profile(1), field: "secret", destination: DESTINATION };
    let others = [
        Binding { account: &dubois, ..right },
        Binding { profile: profile(2), ..right },
        Binding { field: "token", ..right },
        Binding { destination: "evil.exemple\n465\ntls\nclaire@exemple.fr", ..right },
    ];
    for other in others {
        assert_eq!(vault.open(&envelope, &other).unwrap_err(), VaultError::DoesNotOpen, "{other:?}");
    }
}

#[test]
fn a_changed_or_cut_envelope_does_not_open() {
    let vault = vault("k1", 1);
    let (account, envelope) = sealed(&vault);
    let binding = Binding { account: &account, profile: profile(1), field: "secret", destination: DESTINATION };
    for position in 0..envelope.len() {
        let mut changed = envelope.clone();
        changed[position] ^= 1;
        assert!(vault.open(&changed, &binding).is_err(), "byte {position}");
        assert!(vault.open(&envelope[..position], &binding).is_err(), "cut at {position}");
    }
}

#[test]
fn an_older_key_still_opens_and_a_missing_one_is_named() {
    let old = vault("k1", 1);
    let (account, envelope) = sealed(&old);
    let binding = Binding { account: &account, profile: profile(1), field: "secret", destination: DESTINATION };
    let rotated =
        Vault::new(vec![VaultKey::new("k2", [2; 32]).unwrap(), VaultKey::new("k1", [1; 32]).unwrap()]).unwrap();
    assert!(rotated.open(&envelope, &binding).is_ok());
    assert_eq!(vault("k2", 2).open(&envelope, &binding).unwrap_err(), VaultError::UnknownKey);
    assert_eq!(vault("k1", 9).open(&envelope, &binding).unwrap_err(), VaultError::DoesNotOpen);
}

#[tokio::test]
async fn a_wrong_key_is_noticed_at_the_start() {
    let store = SqliteStore::in_memory().await.unwrap();
    vault("k1", 1).check(&store).await.unwrap();
    vault("k1", 1).check(&store).await.unwrap();
    assert!(matches!(vault("k1", 2).check(&store).await, Err(CanaryError::WrongKey(_))));
}

#[test]
fn nothing_of_a_key_is_printed() {
    assert_eq!(format!("{:?}", vault("k1", 7)), "Vault { keys: [VaultKey(k1)] }");
}

proptest! {
    #[test]
    fn every_secret_comes_back_and_nonsense_never_panics(secret in any::<String>(), noise in any::<Vec<u8>>()) {
        let vault = vault("k1", 1);
        let account = account("martin");
        let binding = Binding { account: &account, profile: profile(1), field: "secret", destination: DESTINATION };
        let envelope = vault.seal(&SecretString::from(secret.clone()), &binding).unwrap();
        let opened = vault.open(&envelope, &binding).unwrap();
        prop_assert_eq!(opened.expose_secret(), secret.as_str());
        prop_assert!(vault.open(&noise, &binding).is_err());
    }
}

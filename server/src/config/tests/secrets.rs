//! Secret files, and placeholders in them.

use super::*;

#[tokio::test]
async fn key_files_belong_to_their_owner_and_hold_keys() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let key = folder.0.join("vault.key");
    let good = fs::read_to_string(&key).unwrap();
    assert!(good.ends_with('\n'), "a trailing line end is usual, and ignored");
    fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(folder.try_out(GOOD).await.unwrap_err().contains("others than its owner"));
    fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    for content in
        ["", "short", "not base64 at all, but long enough for one", &good[..20], &format!("{}AAAA", good.trim())]
    {
        fs::write(&key, content).unwrap();
        let refused = folder.try_out(GOOD).await.unwrap_err();
        assert!(refused.contains("32 bytes in base64"), "{refused}");
        assert!(content.len() < 6 || !refused.contains(content), "nothing of it is shown");
    }
    assert!(matches!(secret_file::make(&key), Err(secret_file::SecretFileError::Exists)));
}

#[tokio::test]
async fn what_stands_in_the_place_of_a_secret_is_refused_with_the_file_s_name() {
    let folder = Folder::new();
    let relay = "[portal.relay]\nhost = \"smtp.exemple.fr\"\nport = 465\nsecurity = \"tls\"\nlogin = \"comptoir\"\n\
                 secret_file = \"relay.key\"\nsender_address = \"post@exemple.fr\"\n\
                 [portal.webhook]\nurl = \"https://portail.exemple/hook\"\nsecret_files = [\"webhook.key\"]\n\
                 [portal.theme]";
    let whole = GOOD.replacen("[portal.theme]", relay, 1);
    let write = |name: &str, content: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    };
    let good = |name: &str| match name {
        "relay.key" => "tres-bien-garde\n".to_owned(),
        "webhook.key" => "whsec_6Zq0bXo1TnX2b0m0JcYk1bQ3uYFh9sPz\n".to_owned(),
        // Always the same vault key, or the database would not open.
        _ => fs::read_to_string(folder.0.join(name)).unwrap(),
    };
    for name in ["relay.key", "webhook.key"] {
        write(name, &good(name));
    }
    folder.try_out(&whole).await.unwrap();
    let repeated = "ab".repeat(20);
    let zeros = format!("{}=", "A".repeat(43));
    for (name, content, place) in [
        ("relay.key", "***", "portal comptoir, relay"),
        ("relay.key", "changeme\n", "portal comptoir, relay"),
        ("relay.key", "<password>", "portal comptoir, relay"),
        ("relay.key", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "portal comptoir, relay"),
        ("webhook.key", "********", "portal comptoir, webhook"),
        ("webhook.key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "portal comptoir, webhook"),
        ("webhook.key", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "portal comptoir, webhook"),
        ("portal.key", "changeme-changeme-changeme-changeme", "portal comptoir, key k1"),
        ("portal.key", &repeated, "portal comptoir, key k1"),
        ("vault.key", &zeros, "vault.keys, v1"),
        ("vault.key", "CHANGEME", "vault.keys, v1"),
    ] {
        let before = good(name);
        write(name, content);
        let refused = folder.try_out(&whole).await.unwrap_err();
        assert!(refused.starts_with(place) && refused.contains(name), "{refused}");
        assert!(refused.contains("contains a placeholder") && !refused.contains(content), "{refused}");
        write(name, &before);
    }
    folder.try_out(&whole).await.unwrap();
}

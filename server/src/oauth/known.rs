//! Server side. What is known about providers: endpoints, scopes, and the mail servers their tokens may be sent to.
//!
//! The scopes are fixed: Microsoft lets a person grant `SMTP.Send` without an administrator, but no scope that reads
//! mail. Google's SMTP server accepts the full mail scope only. A test pins both lists.

use app::profile::security::Security;

use super::{
    client::{Kind, MailServer},
    endpoints::{Endpoints, FixedEndpoints, Issuer},
};

/// The scope of Microsoft's SMTP (the full URL: a short name means Graph, whose tokens SMTP refuses).
pub const MICROSOFT_SMTP: &str = "https://outlook.office.com/SMTP.Send";
/// What an administrator consents to: every scope that the registration lists.
pub const MICROSOFT_CONSENT_SCOPE: &str = "https://outlook.office.com/.default";
/// The scope of Gmail's SMTP.
pub const GOOGLE_MAIL: &str = "https://mail.google.com/";
/// The tenant of Microsoft's personal accounts, as the `tid` of an ID token.
pub const MICROSOFT_PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// Microsoft's server for accounts of organisations.
pub const MICROSOFT_WORK_HOST: &str = "smtp.office365.com";
/// Microsoft's server for personal accounts.
pub const MICROSOFT_PERSONAL_HOST: &str = "smtp-mail.outlook.com";

/// The constant part of a client.
pub struct Known {
    pub name: &'static str,
    pub endpoints: Endpoints,
    pub issuer: Issuer,
    pub scopes: &'static [&'static str],
    pub mail_scope: &'static str,
    pub servers: Vec<MailServer>,
    pub presets: &'static [&'static str],
    pub parameters: &'static [(&'static str, &'static str)],
    pub shared_mailboxes: bool,
    pub permissions_page: Option<&'static str>,
}

/// Microsoft's endpoints for an authority: `common`, `organizations`, `consumers`, or a tenant.
pub fn microsoft(authority: &str) -> Known {
    let base = format!("https://login.microsoftonline.com/{authority}");
    let server = |host: &str, preset: &str| MailServer {
        host: host.to_owned(),
        port: 587,
        security: Security::Starttls,
        preset: Some(preset.to_owned()),
    };
    Known {
        name: "Microsoft",
        endpoints: Endpoints::Fixed(FixedEndpoints {
            authorization: format!("{base}/oauth2/v2.0/authorize"),
            token: format!("{base}/oauth2/v2.0/token"),
            keys: format!("{base}/discovery/v2.0/keys"),
            revocation: None,
        }),
        issuer: Issuer::MicrosoftTenants,
        scopes: &[MICROSOFT_SMTP, "offline_access", "openid", "email", "profile"],
        mail_scope: MICROSOFT_SMTP,
        servers: vec![server(MICROSOFT_WORK_HOST, "microsoft-365"), server(MICROSOFT_PERSONAL_HOST, "outlook-com")],
        presets: &[],
        parameters: &[("prompt", "select_account")],
        shared_mailboxes: true,
        permissions_page: Some("https://account.live.com/consent/Manage"),
    }
}

/// Google's endpoints.
pub fn google() -> Known {
    Known {
        name: "Google",
        endpoints: Endpoints::Fixed(FixedEndpoints {
            authorization: "https://accounts.google.com/o/oauth2/v2/auth".to_owned(),
            token: "https://oauth2.googleapis.com/token".to_owned(),
            keys: "https://www.googleapis.com/oauth2/v3/certs".to_owned(),
            revocation: Some("https://oauth2.googleapis.com/revoke".to_owned()),
        }),
        issuer: Issuer::Exactly("https://accounts.google.com".to_owned()),
        scopes: &[GOOGLE_MAIL, "openid", "email"],
        mail_scope: GOOGLE_MAIL,
        servers: vec![MailServer {
            host: "smtp.gmail.com".to_owned(),
            port: 465,
            security: Security::Tls,
            preset: Some("gmail".to_owned()),
        }],
        presets: &["google-workspace"],
        // Without `prompt=consent`, a second sign-in brings no refresh token.
        parameters: &[("access_type", "offline"), ("prompt", "consent")],
        shared_mailboxes: false,
        permissions_page: None,
    }
}

/// The page on which owners withdraw a permission of an organisation's account.
pub const MICROSOFT_WORK_PERMISSIONS: &str = "https://myapplications.microsoft.com";

/// What is known about a kind; `None` for a custom one.
pub fn of_kind(kind: Kind, authority: &str) -> Option<Known> {
    match kind {
        Kind::Microsoft => Some(microsoft(authority)),
        Kind::Google => Some(google()),
        Kind::Custom => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_scope_is_ever_requested() {
        assert_eq!(
            microsoft("common").scopes,
            ["https://outlook.office.com/SMTP.Send", "offline_access", "openid", "email", "profile"]
        );
        assert_eq!(google().scopes, ["https://mail.google.com/", "openid", "email"]);
    }

    #[test]
    fn tokens_go_to_the_provider_s_own_servers() {
        let hosts = |known: Known| known.servers.into_iter().map(|server| server.host).collect::<Vec<_>>();
        assert_eq!(hosts(microsoft("common")), ["smtp.office365.com", "smtp-mail.outlook.com"]);
        assert_eq!(hosts(google()), ["smtp.gmail.com"]);
    }

    #[test]
    fn every_preset_of_a_known_server_exists() {
        let presets = app::profile::preset::Catalogue::builtin();
        for known in [microsoft("common"), google()] {
            for server in &known.servers {
                let preset = presets.get(server.preset.as_deref().unwrap()).unwrap();
                let mut ways = vec![(preset.host.clone(), preset.port, preset.security)];
                ways.extend(preset.alternates.iter().map(|other| (other.host.clone(), other.port, other.security)));
                assert!(ways.contains(&(server.host.clone(), server.port, server.security)), "{server:?}: {ways:?}");
            }
            for preset in known.presets {
                assert!(presets.get(preset).is_some(), "{preset}");
            }
        }
    }
}

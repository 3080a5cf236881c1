//! Server side. The demo's registration with its provider. The browser opens the provider's pages on 127.0.0.1;
//! requests to it go through the guard, under a name of the sandbox.

use app::profile::security::Security;

use super::{
    provider::{MAIL_SCOPE, Provider},
    sandbox::DOMAIN,
};
use crate::oauth::{
    Client, Kind, MailServer,
    endpoints::{Endpoints, FixedEndpoints, Issuer},
};

/// The provider's host in requests to it.
pub(crate) const PROVIDER_HOST: &str = "connexion.sandbox.example";

/// `smtp`: the sandbox' port with TLS.
pub(crate) fn client(provider: &Provider, smtp: u16, configurator_url: &str) -> Client {
    let (client_id, secret, issuer) = provider.client();
    let port = issuer.rsplit(':').next().unwrap_or_default();
    let internal = |path: &str| format!("http://{PROVIDER_HOST}:{port}{path}");
    Client {
        id: "sandbox".to_owned(),
        kind: Kind::Custom,
        name: "Sandbox".to_owned(),
        client_id,
        secret,
        secret_expires: None,
        portals: None,
        endpoints: Endpoints::Fixed(FixedEndpoints {
            authorization: format!("{issuer}/authorize"),
            token: internal("/token"),
            keys: internal("/jwks"),
            revocation: Some(internal("/revoke")),
        }),
        issuer: Issuer::Exactly(issuer),
        scopes: [MAIL_SCOPE, "openid", "email", "offline_access"].map(str::to_owned).to_vec(),
        mail_scope: MAIL_SCOPE.to_owned(),
        servers: vec![MailServer {
            host: format!("smtp.{DOMAIN}"),
            port: smtp,
            security: Security::Tls,
            preset: Some("sandbox".to_owned()),
        }],
        presets: Vec::new(),
        domains: Vec::new(),
        parameters: vec![("prompt", "select_account")],
        shared_mailboxes: true,
        permissions_page: None,
        redirect_uri: format!("{configurator_url}/oauth/callback/sandbox"),
    }
}

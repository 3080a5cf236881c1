//! Server side. `[[oauth]]`.

use std::path::PathBuf;

use serde::Deserialize;

/// `[[oauth]]`: a registration (client) with a provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oauth {
    /// 1 to 40 lower-case letters, digits and hyphens. It stands in the redirect URI, and never changes.
    pub id: String,
    /// `microsoft`, `google` or `custom`.
    pub provider: String,
    pub client_id: String,
    pub secret_file: PathBuf,
    /// The last day on which the secret is valid: `2028-06-30`. Warned about 30 days before.
    pub secret_expires: Option<jiff::civil::Date>,
    /// Microsoft: `common` (default), `organizations`, `consumers`, or a tenant.
    pub authority: Option<String>,
    /// The portals that offer it; default: all.
    pub portals: Option<Vec<String>>,
    /// Everything below: `custom` only. The name on the button.
    pub name: Option<String>,
    /// The `iss` of its ID tokens.
    pub issuer: Option<String>,
    /// Default: `{issuer}/.well-known/openid-configuration`.
    pub discovery_url: Option<String>,
    pub scopes: Option<Vec<String>>,
    /// The scope without which no mail can be sent; default: the first that is not `OpenID`'s own.
    pub mail_scope: Option<String>,
    /// The only server that its tokens are sent to.
    pub smtp: Option<OauthServer>,
    /// Domains of addresses that sign in there.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Whether a signed-in person may log in as another mailbox.
    #[serde(default)]
    pub shared_mailboxes: bool,
}

/// `smtp` of `[[oauth]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OauthServer {
    pub host: String,
    pub port: u16,
    /// `tls` or `starttls`.
    pub security: String,
    pub preset: Option<String>,
}

//! Server side. The portal's side of opening a session: a fresh token, posted by the reader's browser to the
//! configurator. A portal has nothing else to do.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::json;
use uuid::Uuid;

use super::{PortalOptions, accounts::Account, look::Reader};

/// How long a token lives, in seconds: time enough for a redirect.
const LIFE_S: i64 = 120;

/// The token that identifies the user. `challenge` comes from the element: only the page that sent it can use the
/// token.
pub(super) fn token(
    portal: &PortalOptions,
    account: &Account,
    page: &str,
    locale: &str,
    challenge: Option<&str>,
) -> Result<String, jsonwebtoken::errors::Error> {
    let now = (portal.clock)().as_second();
    let person = account.person();
    let users: Vec<_> = account.users.iter().map(|user| json!({ "id": user.id, "name": user.name })).collect();
    let claims = json!({
        "iss": portal.issuer,
        "aud": portal.configurator_url,
        "challenge": challenge,
        "sub": person.id,
        "iat": now,
        "exp": now + LIFE_S,
        "jti": Uuid::new_v4().to_string(),
        "account": { "id": account.slug, "name": account.name },
        "name": person.name,
        "email": person.email,
        "locale": locale,
        "users": users,
        "return_url": format!("{}/{}/settings", portal.public_url, account.slug),
        "page": page,
    });
    let header = Header { kid: Some(portal.key.id.clone()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&portal.key.secret))
}

/// A page that posts the token, automatically or with a button.
pub(super) fn page(
    portal: &PortalOptions,
    account: &Account,
    page: &str,
    reader: &Reader,
) -> Result<Markup, jsonwebtoken::errors::Error> {
    let token = token(portal, account, page, reader.locale.tag(), None)?;
    Ok(html! {
        (DOCTYPE)
        html lang=(reader.locale.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (reader.word("opening")) }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="/favicon.svg" type="image/svg+xml";
            }
            body {
                main {
                    h1 { (reader.word("opening")) }
                    form method="post" action={ (portal.configurator_url) "/session" } {
                        input type="hidden" name="token" value=(token);
                        button { (reader.word("open")) }
                    }
                }
                script nonce=(reader.nonce.0) { (PreEscaped("document.forms[0].submit()")) }
            }
        }
    })
}

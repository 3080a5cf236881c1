//! Server side. The pages of the window.

use app::{
    i18n::{Locale, Texts},
    sign_in::model::Outcome,
    theme::Theme,
};
use axum::{
    http::header,
    response::{Html, IntoResponse},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::words;
use crate::{
    http::{Site, pages::assets},
    sign_in::{Answered, Window},
};

/// What the window shows.
pub(super) enum Shown {
    /// It leads to the provider.
    Leads(Window),
    Ended(Answered),
    /// Nothing is known about the sign-in.
    Over,
}

/// A page of the window. No page may frame it.
pub(super) fn show(site: &Site, locale: Locale, theme: &Theme, shown: &Shown) -> impl IntoResponse + use<> {
    let style = format!("{}/{}/facteur.css", site.base_path.0, assets::package_folder());
    let css = format!(":root{{{}}}", theme.css());
    let url = match shown {
        Shown::Leads(window) => Some(format!("0;url={}", window.url)),
        Shown::Ended(_) | Shown::Over => None,
    };
    let (title, content) = content(locale, shown);
    let page = html! {
        (DOCTYPE)
        html lang=(locale.tag()) data-theme=(theme.scheme().as_str()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(url) = &url { meta http-equiv="refresh" content=(url); }
                title { (title) }
                link rel="stylesheet" href=(style);
                link rel="icon" href={ (site.base_path.0) "/favicon.svg" } type="image/svg+xml";
                style { (PreEscaped(&css)) }
            }
            body { main id="content" class="window" { h1 { (title) } (content) } }
        }
    };
    let hash = BASE64_STANDARD.encode(Sha256::digest(css.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'self' 'sha256-{hash}'; img-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page.into_string()))
}

fn content(locale: Locale, shown: &Shown) -> (String, Markup) {
    match shown {
        Shown::Leads(window) => {
            let arguments = [
                ("provider", window.provider.clone()),
                ("portal", window.portal_name.clone()),
                ("account", window.account_name.clone()),
            ];
            let text = |key: &str| locale.text(key, &arguments);
            let content = html! {
                p class="lead" { (text("sign-in-leads-about")) }
                p class="actions" { a class="button primary" href=(window.url) rel="noreferrer" { (text("sign-in-open")) } }
            };
            (text("sign-in-title"), content)
        }
        Shown::Ended(answered) => {
            let [title, sentence] = words(locale, &answered.outcome, &answered.provider);
            let class =
                if matches!(answered.outcome, Outcome::Connected { .. }) { "notice done" } else { "notice warning" };
            let content = html! {
                p class=(class) role="status" { (sentence) }
                p { (locale.text("sign-in-close", &[])) }
            };
            (title, content)
        }
        Shown::Over => {
            let content = html! {
                p class="lead" { (locale.text("sign-in-over-about", &[])) }
                p { (locale.text("sign-in-close", &[])) }
            };
            (locale.text("sign-in-over-title", &[]), content)
        }
    }
}

//! Server side. The HTML document around every page, and its content security policy.

use axum::http::{HeaderValue, header};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

use crate::{app::App, i18n::Locale};

/// Who may put the pages into a frame: the origins of the visit's portal. Given by the server with each request.
#[derive(Debug, Clone)]
pub struct FrameAncestors(pub String);

/// The document. `options` names the folder of the built site.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    protect();
    let style = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    view! {
        <!DOCTYPE html>
        <html lang=Locale::current().tag()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="stylesheet" href=style />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
                <HydrationScripts options islands=true />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// Sets the page's content security policy. `frame-ancestors` only works as a header, so the whole policy is one.
fn protect() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    let ancestors = use_context::<axum::http::request::Parts>()
        .and_then(|parts| parts.extensions.get::<FrameAncestors>().cloned())
        .map_or_else(|| "'none'".to_owned(), |FrameAncestors(origins)| origins);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

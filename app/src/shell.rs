//! Server side. The HTML document around every page, and its content security policy.

use axum::http::{HeaderValue, header, request::Parts};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;
use leptos_meta::MetaTags;

use crate::{
    app::App,
    base_path::{Package, at},
    i18n,
    session::{SessionLeft, Visit, visit},
    theme::Theme,
};

/// The origins that may frame the page: those of the visit's portal; empty when there are none or the portal is
/// unknown. Set by the server for each request.
#[derive(Debug, Clone)]
pub struct FrameAncestors(pub String);

/// The theme of the visit. Set by the server for each request.
#[derive(Debug, Clone, Default)]
pub struct PageTheme(pub Theme);

fn page_theme() -> Theme {
    use_context::<axum::http::request::Parts>()
        .and_then(|parts| parts.extensions.get::<PageTheme>().cloned())
        .map(|PageTheme(theme)| theme)
        .unwrap_or_default()
}

/// The script that talks to the portal's page around a frame.
pub const FRAME_SCRIPT: &str = "frame.js";

/// The document. `options` names the folder of the built site.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    protect();
    provide_context(Package(options.site_pkg_dir.to_string()));
    let theme = page_theme();
    let css = theme.css();
    let style = at(&format!("/{}/{}.css", options.site_pkg_dir, options.output_name));
    view! {
        <!DOCTYPE html>
        <html lang=i18n::current().tag() data-theme=theme.scheme().as_str()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="stylesheet" href=style />
                {(!css.is_empty()).then(|| view! { <style nonce=use_nonce() inner_html=format!(":root{{{css}}}")></style> })}
                <link rel="icon" href=at("/favicon.svg") type="image/svg+xml" />
                <Language />
                <Frame package=options.site_pkg_dir.to_string() />
                <Loader package=options.site_pkg_dir.to_string() name=options.output_name.to_string() />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// Loads the WebAssembly and starts the islands. The framework's own loader is seven times as large, because it also
/// supports nested islands.
#[component]
fn Loader(package: String, name: String) -> impl IntoView {
    if let Some(context) = Owner::current_shared_context() {
        // Only islands are hydrated: the rest of the page needs no markers.
        context.set_is_hydrating(false);
    }
    let nonce = use_nonce();
    let (glue, wasm) = (at(&format!("/{package}/{name}.js")), at(&format!("/{package}/{name}_bg.wasm")));
    let script = format!(
        "import init,*as m from'{glue}';await init({{module_or_path:'{wasm}'}});m.hydrate();\
         for(const e of document.querySelectorAll('leptos-island'))m[e.dataset.component](e)"
    );
    view! {
        <link rel="modulepreload" href=glue />
        <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="" />
        <script type="module" nonce=nonce inner_html=script></script>
    }
}

/// Stores the language in the tab. Without a cookie the server does not know the language of the former session: this
/// script adds it to the URL, so that the page about the session's end is in the user's language.
#[component]
fn Language() -> impl IntoView {
    let script = if matches!(visit(), Visit::Open(_)) {
        "try{sessionStorage.facteurLang=document.documentElement.lang}catch{}"
    } else {
        "try{const l=sessionStorage.facteurLang,u=new URL(location),q=u.searchParams;\
         if(l&&l!=document.documentElement.lang&&!q.has('lang')){q.set('lang',l);location.replace(u)}}catch{}"
    };
    view! { <script nonce=use_nonce() inner_html=script></script> }
}

/// Loads `frame.js` in a frame, and where the browser does not say (no `Sec-Fetch-Dest`): it does nothing outside a
/// frame.
#[component]
fn Frame(package: String) -> impl IntoView {
    let parts = use_context::<Parts>()?;
    let alone = parts.headers.get("sec-fetch-dest").is_some_and(|place| place == "document" || place == "empty");
    let FrameAncestors(origins) = parts.extensions.get::<FrameAncestors>()?.clone();
    let seconds = parts.extensions.get::<SessionLeft>().map(|SessionLeft(seconds)| *seconds);
    let visit = match visit() {
        Visit::Open(_) => "open",
        Visit::Ended { .. } => "ended",
        Visit::Stranger { .. } => "stranger",
    };
    let source = at(&format!("/{package}/{FRAME_SCRIPT}"));
    (!alone && !origins.is_empty()).then(|| {
        view! {
            <script
                src=source
                nonce=use_nonce()
                data-origins=origins
                data-visit=visit
                data-base=at("")
                data-seconds=seconds.filter(|seconds| *seconds > 0)
            ></script>
        }
    })
}

/// Sets the content security policy. `frame-ancestors` works in a header only, so the whole policy is a header.
fn protect() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else {
        return;
    };
    let ancestors = use_context::<Parts>()
        .and_then(|parts| parts.extensions.get::<FrameAncestors>().cloned())
        .filter(|FrameAncestors(origins)| !origins.is_empty())
        .map_or_else(|| "'none'".to_owned(), |FrameAncestors(origins)| origins);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

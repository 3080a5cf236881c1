//! Server side. A form that arrives after its session has ended. What was typed is kept, except for secrets: the
//! response is a page that holds the fields, and posts them once the configurator was opened again ([`resume`]). If the
//! ended session is still stored, they are also kept as a draft of its person. The form changes nothing else.
//!
//! In a frame the portal's page brings a fresh token (`session/renew.rs`), and `frame.js` sends this page's form
//! automatically.

use app::{
    carried::{Carried, Fields, SECRET, carried, may_be_kept},
    error::wants_page_of,
    forms::is_function,
    i18n::{Locale, Texts},
    session::Visit,
    shell::{FRAME_SCRIPT, FrameAncestors, PageTheme},
    theme::Theme,
    ui::form_owner::{FORM_OWNER, FormOwner},
};
use axum::{
    Extension,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{DOCTYPE, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::{is_a_form, takes_forms};
use crate::http::{BODY_LIMIT, Site, pages::assets};

/// Where that page sends its fields.
pub const PATH: &str = "/api/resume";
/// The field with the path of the function that the form was for.
const SENT_TO: &str = "sent-to";
/// The field that says that a password was typed.
const TYPED: &str = "typed";

/// Answers such a form; passes every other request on.
pub async fn keep(State(site): State<Site>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_form = *request.method() == Method::POST && takes_forms(path);
    let ended = request.extensions().get::<Visit>().filter(|visit| !matches!(visit, Visit::Open(_))).cloned();
    let Some(visit) = ended.filter(|_| is_form && is_a_form(request.headers())) else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    if !wants_page_of(&parts) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Some(form) = Form::read(parts.uri.path(), &body) else {
        return next.run(Request::from_parts(parts, body.into())).await;
    };
    let carried = form.carried(&site);
    let press = carried.is_press();
    let kept = carried.kept;
    if let (Visit::Ended { who: Some(who), .. }, Some(kept)) = (&visit, &kept)
        && form.owner().is_none_or(|owner| owner.is_of(who))
        && site.services.drafts.keep(who, kept).await.is_err()
    {
        tracing::error!("cannot store the draft of a form without a session");
    }
    let FrameAncestors(origins) =
        parts.extensions.get::<FrameAncestors>().cloned().unwrap_or(FrameAncestors(String::new()));
    let PageTheme(theme) = parts.extensions.get::<PageTheme>().cloned().unwrap_or_default();
    // The form knows the language it was shown in, even if the cookie is gone.
    let locale = form.owner().and_then(|owner| owner.locale).unwrap_or(visit.locale());
    let text = |key: &str| locale.text(key, &[]);
    let about = match (press, form.fields.contains_key(TYPED)) {
        (true, _) => "carry-about-press",
        (_, true) => "carry-about-secret",
        (_, false) => "carry-about",
    };
    ResendPage {
        status: StatusCode::UNAUTHORIZED,
        locale,
        back: visit.return_url(),
        origins: &origins,
        theme: &theme,
        visit: "ended",
        seconds: None,
        title: text("session-ended-title"),
        about: text(about),
        steps: [text("carry-open"), text("carry-then")],
        button: text("carry-again"),
        form: &form,
    }
    .answer(&site)
}

/// `POST /api/resume`: keeps the fields for the person who is signed in now, and redirects to the form's own page. The
/// form's owner has already been compared (`other_account.rs`).
pub async fn resume(State(site): State<Site>, Extension(visit): Extension<Visit>, body: Bytes) -> Response {
    let to = |page: &str| Redirect::to(&format!("{}{page}", site.base_path.0)).into_response();
    let (Visit::Open(session), Some(form)) = (visit, Form::read(PATH, &body)) else {
        return to("/profiles?notice=malformed");
    };
    let carried = form.carried(&site);
    let press = carried.is_press();
    let Carried { page, kept } = carried;
    let notice = match (press, form.fields.contains_key(TYPED)) {
        (true, _) => "session-renewed-press",
        (_, true) => "session-renewed-secret",
        (_, false) => "session-renewed",
    };
    if let Some(kept) = kept
        && site.services.drafts.keep(&session.who(), &kept).await.is_err()
    {
        return to("/profiles?notice=unavailable");
    }
    to(&format!("{page}&notice={notice}").replace("?&", "?"))
}

/// A form to send again: the function it is for, and its fields without secrets.
pub struct Form {
    sent_to: String,
    fields: Fields,
}

impl Form {
    /// `None` when it is for no function.
    pub fn read(path: &str, body: &[u8]) -> Option<Self> {
        let sent: Fields =
            form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let sent_to = if path == PATH { sent.get(SENT_TO)?.clone() } else { path.to_owned() };
        let secret = sent.contains_key(TYPED) || sent.get(SECRET).is_some_and(|secret| !secret.is_empty());
        let mut fields: Fields =
            sent.into_iter().filter(|(name, _)| name == FORM_OWNER || may_be_kept(&sent_to, name)).collect();
        if secret {
            fields.insert(TYPED.to_owned(), "1".to_owned());
        }
        is_function(&sent_to).then_some(Self { sent_to, fields })
    }

    fn carried(&self, site: &Site) -> Carried {
        carried(&self.sent_to, &self.fields, || site.services.drafts.new_form())
    }

    fn owner(&self) -> Option<FormOwner> {
        self.fields.get(FORM_OWNER).map(|owner| FormOwner::parse(owner))
    }
}

/// A page that holds a form which was not accepted, until it is sent again.
pub struct ResendPage<'a> {
    pub status: StatusCode,
    pub locale: Locale,
    /// The way back to the portal.
    pub back: Option<&'a str>,
    pub origins: &'a str,
    pub theme: &'a Theme,
    /// The state of the session for the portal's page around the frame; `seconds`: how long it may still last.
    pub visit: &'static str,
    pub seconds: Option<i64>,
    pub title: String,
    pub about: String,
    /// What to do first, at the portal, and then here.
    pub steps: [String; 2],
    pub button: String,
    pub form: &'a Form,
}

impl ResendPage<'_> {
    pub fn answer(self, site: &Site) -> Response {
        let Self { origins, title, steps: [first, then], form: Form { sent_to, fields }, .. } = &self;
        let text = |key: &str| self.locale.text(key, &[]);
        let folder = format!("{}/{}", site.base_path.0, assets::package_folder());
        let (style, script) = (format!("{folder}/facteur.css"), format!("{folder}/{FRAME_SCRIPT}"));
        let css = format!(":root{{{}}}", self.theme.css());
        // `frame.js` sends it when the session was renewed.
        let resumes = (self.visit == "ended").then_some("");
        let page = html! {
            (DOCTYPE)
            html lang=(self.locale.tag()) data-theme=(self.theme.scheme().as_str()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) " · " (text("product-name")) }
                    link rel="stylesheet" href=(style);
                    link rel="icon" href={ (site.base_path.0) "/favicon.svg" } type="image/svg+xml";
                    style { (PreEscaped(&css)) }
                    // In a frame the portal's page learns that the session has ended, and renews it.
                    @if !origins.is_empty() {
                        script src=(script) data-origins=(origins) data-visit=(self.visit) data-base=(site.base_path.0) data-seconds=[self.seconds] {}
                    }
                }
                body {
                    header class="top" { div class="about" { p class="product" { (text("product-name")) } } }
                    main id="content" {
                        h1 { (title) }
                        p class="lead" { (self.about) }
                        ol class="lead steps" {
                            li {
                                (first)
                                @if let Some(url) = self.back {
                                    " " a href=(url) target="_blank" rel="noopener noreferrer" { (text("carry-portal")) }
                                }
                            }
                            li { (then) }
                        }
                        form method="post" action={ (site.base_path.0) (PATH) } class="actions" data-resume=[resumes] {
                            input type="hidden" name=(SENT_TO) value=(sent_to);
                            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                            button class="primary" { (self.button) }
                        }
                    }
                }
            }
        };
        let hash = BASE64_STANDARD.encode(Sha256::digest(css.as_bytes()));
        let ancestors = if origins.is_empty() { "'none'" } else { origins };
        let policy = format!(
            "default-src 'none'; style-src 'self' 'sha256-{hash}'; script-src 'self'; connect-src 'self'; img-src 'self'; \
             base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}"
        );
        (self.status, [(header::CONTENT_SECURITY_POLICY, policy)], Html(page.into_string())).into_response()
    }
}

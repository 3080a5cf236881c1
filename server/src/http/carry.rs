//! Server side. A form that arrives when nobody is signed in any more. What was typed is not lost, secrets aside: where the
//! ended session says whose it was, it is kept for that person; and the page that answers holds it, so that it can be sent
//! again once the configurator was opened anew.

use app::{
    i18n::{Locale, Texts},
    profile::asked::shown_revision,
    profile::draft::{Draft, KeptDraft, is_form_name},
    session::Visit,
    shell::{FRAME_SCRIPT, FrameAncestors},
    ui::whose::WHOSE,
};
use axum::{
    body::to_bytes,
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use maud::{DOCTYPE, html};

use super::{BODY_LIMIT, Site, assets};

/// Where forms with something typed go: what saves a profile, and what this page sends again.
const FORMS: [&str; 2] = ["/api/profiles/save", "/api/profiles/fill"];
/// Keeps what it is sent, and leads to the form.
pub(super) const AGAIN: &str = "/api/profiles/fill";

/// Answers such a form; everything else goes on.
pub async fn typed(State(site): State<Site>, request: Request, next: Next) -> Response {
    let page = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let is_page = page.is_some_and(|accepted| accepted.contains("text/html"));
    let is_form = *request.method() == Method::POST && FORMS.contains(&request.uri().path());
    let ended = request.extensions().get::<Visit>().filter(|visit| !matches!(visit, Visit::Open(_))).cloned();
    let Some(visit) = ended.filter(|_| is_page && is_form) else {
        return next.run(request).await;
    };
    let ancestors = request.extensions().get::<FrameAncestors>().map(|FrameAncestors(origins)| origins.clone());
    let Ok(body) = to_bytes(request.into_body(), BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    // Known names only; a secret is none of them.
    let fields: Vec<(String, String)> = form_urlencoded::parse(&body)
        .filter(|(name, _)| ["id", "form", "revision", WHOSE].contains(&&**name) || name.starts_with("draft["))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .take(20)
        .collect();
    if let Visit::Ended { who: Some(who), .. } = &visit
        && let Some(kept) = draft(&fields)
        && site.services.drafts.keep(who, &kept).await.is_err()
    {
        tracing::error!("what was typed could not be kept");
    }
    page_of(&site, &visit, &ancestors.unwrap_or_default(), &fields)
}

/// What was typed, under the form's name.
fn draft(fields: &[(String, String)]) -> Option<KeptDraft> {
    let value = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let typed = |name: &str| value(&format!("draft[{name}]")).unwrap_or_default();
    let profile = value("id").filter(|id| !id.is_empty());
    let form = profile.clone().or_else(|| value("form"))?;
    is_form_name(&form).then(|| KeptDraft {
        form,
        profile,
        revision: value("revision").and_then(|text| shown_revision(&text)),
        draft: Draft {
            preset: typed("preset"),
            host: typed("host"),
            port: typed("port"),
            security: typed("security"),
            user: typed("user"),
            login: typed("login"),
            sender_name: typed("sender_name"),
            sender_address: typed("sender_address"),
            reply_to: typed("reply_to"),
        },
        ..KeptDraft::default()
    })
}

fn page_of(site: &Site, visit: &Visit, origins: &str, fields: &[(String, String)]) -> Response {
    let locale = visit.locale();
    let text = |key: &str| locale.text(key, &[]);
    Again {
        status: StatusCode::UNAUTHORIZED,
        locale,
        back: visit.return_url(),
        origins,
        visit: "ended",
        seconds: None,
        title: text("session-ended-title"),
        about: text("carry-about"),
        steps: [text("carry-open"), text("carry-then")],
        action: AGAIN,
        keeps: true,
        button: text("draft-resume"),
        fields,
    }
    .answer(site)
}

/// A page that holds a form which could not be taken, until it is sent again.
pub(super) struct Again<'a> {
    pub status: StatusCode,
    pub locale: Locale,
    /// The way back to the portal.
    pub back: Option<&'a str>,
    pub origins: &'a str,
    /// What a portal's page around the frame is told of the session, which may have so many seconds left.
    pub visit: &'static str,
    pub seconds: Option<i64>,
    pub title: String,
    pub about: String,
    /// What to do first, at the portal, and then here.
    pub steps: [String; 2],
    pub action: &'a str,
    /// Whether the values stay as they were typed, where the action would fill some in.
    pub keeps: bool,
    pub button: String,
    pub fields: &'a [(String, String)],
}

impl Again<'_> {
    pub(super) fn answer(self, site: &Site) -> Response {
        let Self { origins, title, steps: [first, then], .. } = &self;
        let folder = format!("{}/{}", site.base_path.0, assets::package_folder());
        let (style, script) = (format!("{folder}/facteur.css"), format!("{folder}/{FRAME_SCRIPT}"));
        let page = html! {
            (DOCTYPE)
            html lang=(self.locale.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) }
                    link rel="stylesheet" href=(style);
                    link rel="icon" href={ (site.base_path.0) "/favicon.svg" } type="image/svg+xml";
                    // In a frame the portal's page hears of a session that has ended, and opens the configurator again.
                    @if !origins.is_empty() {
                        script src=(script) data-origins=(origins) data-visit=(self.visit) data-place=(site.base_path.0) data-seconds=[self.seconds] {}
                    }
                }
                body {
                    main id="content" {
                        h1 { (title) }
                        p class="lead" { (self.about) }
                        ol class="lead" {
                            li {
                                (first)
                                @if let Some(url) = self.back {
                                    " " a href=(url) target="_blank" rel="noopener noreferrer" { (self.locale.text("carry-portal", &[])) }
                                }
                            }
                            li { (then) }
                        }
                        form method="post" action={ (site.base_path.0) (self.action) } class="actions" {
                            @if self.keeps { input type="hidden" name="keep" value="1"; }
                            @for (name, value) in self.fields { input type="hidden" name=(name) value=(value); }
                            button class="primary" { (self.button) }
                        }
                    }
                }
            }
        };
        let ancestors = if origins.is_empty() { "'none'" } else { origins };
        let policy = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
             form-action 'self'; frame-ancestors {ancestors}"
        );
        (self.status, [(header::CONTENT_SECURITY_POLICY, policy)], Html(page.into_string())).into_response()
    }
}

/// Whether a form with a profile's fields is posted there.
pub(super) fn is_profile_form(path: &str) -> bool {
    FORMS.contains(&path)
}

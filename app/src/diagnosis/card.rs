//! Server side. The card that explains a failure: what happened, who must act, what to do, the fix, the server's reply.

use leptos::prelude::*;
use model::provider;

use super::{
    advice::{Who, field, may_be_the_profile_s, says_to_retry, who},
    blame::Found,
    cause::Cause,
    fix::Fix,
    retype::Retype,
};
use crate::{
    base_path::at,
    i18n::{self, DIGITS, Texts},
    profile::{draft::Draft, field::Field, model::Profile, security::Security},
    services::services,
    sign_in::{
        admin::ForAdmin,
        view::{SignInAgain, SignInFirst},
        way::of_draft,
    },
    t,
    test_run::{report::Report, stages::stage_name, survey::Blame},
    ui::form_owner::FormOwnerField,
};

/// A failed test, and the profile it concerns.
#[derive(Debug, Clone)]
pub struct Failure {
    pub profile: Profile,
    /// The preset's name, or the host.
    pub provider: String,
    pub recipient: String,
    pub report: Report,
}

impl Failure {
    pub fn cause(&self) -> Cause {
        self.report.cause.unwrap_or(Cause::Unknown)
    }

    /// The variables of a cause's texts.
    fn arguments(&self) -> Vec<(&'static str, String)> {
        let destination = &self.profile.settings.destination;
        vec![
            ("host", destination.host.clone()),
            // A port is a name: no thousands separator.
            ("port", format!("{}{DIGITS}", destination.port)),
            ("login", destination.login.clone()),
            ("sender", self.profile.settings.sender_address.to_string()),
            ("recipient", self.recipient.clone()),
            ("provider", self.provider.clone()),
            ("stage", stage_name(self.report.stage)),
            ("near", self.near().unwrap_or_default()),
        ]
    }

    /// The variant of the cause's text for this failure, if there is one.
    fn variant(&self) -> &'static str {
        let settings = &self.profile.settings;
        match self.cause() {
            // The host name of a known provider has no typing error.
            Cause::DnsNotFound if self.is_the_provider_s() => "-known",
            Cause::DnsNotFound if self.near().is_some() => "-near",
            Cause::SenderRejected
                if settings.sender_address.as_str().eq_ignore_ascii_case(&settings.destination.login) =>
            {
                "-own"
            }
            _ => "",
        }
    }

    /// The known server that a host which does not exist probably means.
    fn near(&self) -> Option<String> {
        let host = &self.profile.settings.destination.host;
        let missing = self.cause() == Cause::DnsNotFound;
        services().ok().filter(|_| missing)?.presets.near(host).map(str::to_owned)
    }

    /// Whether the host belongs to a known provider.
    fn is_the_provider_s(&self) -> bool {
        self.provider != self.profile.settings.destination.host
    }

    /// One of the cause's general texts: `title`, `what`, `next`.
    fn text(&self, part: &str) -> String {
        let code = self.cause().as_str().replace('_', "-");
        let variant = if part == "title" { "" } else { self.variant() };
        i18n::current().text(&format!("cause-{code}{variant}-{part}"), &self.arguments())
    }

    fn advice(&self) -> Option<&'static provider::Advice> {
        let cause = self.cause();
        provider::advice(&self.profile.settings.destination.host, cause).or_else(|| {
            // The certificate of mail.their-domain contains the hosting company's domain.
            let certificate = self.report.tls.as_ref()?.certificate.as_ref()?;
            let mut names = certificate.names.iter().filter(|_| cause == Cause::CertNameMismatch);
            names.find_map(|name| provider::advice(name.trim_start_matches("*."), cause))
        })
    }

    /// Who must act. A finding is more precise than the cause alone.
    fn who(&self) -> Who {
        match self.report.survey.as_ref().map(|survey| survey.blame) {
            Some(Blame::Us) => Who::Portal,
            Some(Blame::Server) => Who::Provider,
            Some(Blame::Settings) => Who::You,
            Some(Blame::Unclear) | None if self.variant() == "-known" => Who::Portal,
            Some(Blame::Unclear) | None => who(self.cause()),
        }
    }
}

/// The title of a cause inside a sentence, as in "Échec il y a 14 min – identifiant ou mot de passe refusé".
pub fn cause_title(cause: Option<Cause>) -> String {
    let code = cause.unwrap_or(Cause::Unknown).as_str().replace('_', "-");
    in_a_sentence(&i18n::current().text(&format!("cause-{code}-title"), &[]))
}

/// The first letter in lower case, except in names such as STARTTLS.
fn in_a_sentence(title: &str) -> String {
    let mut rest = title.chars();
    let (first, second) = (rest.next(), rest.clone().next());
    match first {
        Some(first) if !second.is_some_and(char::is_uppercase) => first.to_lowercase().chain(rest).collect(),
        _ => title.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::in_a_sentence;

    #[test]
    fn a_title_is_lowercased_inside_a_sentence_and_a_name_is_not() {
        for (title, inside) in [
            ("Identifiant ou mot de passe refusé", "identifiant ou mot de passe refusé"),
            ("Échec pour une raison inconnue", "échec pour une raison inconnue"),
            ("STARTTLS n’est pas disponible sur ce port", "STARTTLS n’est pas disponible sur ce port"),
            ("C’est", "c’est"),
            ("", ""),
        ] {
            assert_eq!(in_a_sentence(title), inside);
        }
    }
}

/// A failed test. `to`: the recipient of the next one.
#[component]
pub fn CauseCard(failure: Failure) -> impl IntoView {
    let cause = failure.cause();
    let locale = i18n::current();
    let advice = failure.advice();
    let what = advice.and_then(|advice| advice.what.as_ref()).map(|text| text.get(locale).to_owned());
    let what = what.unwrap_or_else(|| failure.text("what"));
    let next = advice.map_or_else(|| failure.text("next"), |advice| advice.next.get(locale).to_owned());
    let link = advice.and_then(|advice| advice.link.clone());
    // The link's fragment names the field to check; the assistant focuses it.
    let place = field(cause).map(|field| format!("#{}", field.id())).unwrap_or_default();
    let near = failure.near().map(|near| format!("&host={near}")).unwrap_or_default();
    let edit = at(&format!("/profiles/edit?id={}{near}{place}", failure.profile.id));
    let report = failure.report.clone();
    // Fixes that were found are tried first.
    let retypes = field(cause) == Some(Field::Secret) && report.fixes.is_empty();
    let id = failure.profile.id;
    let mended_by_the_door = report.fixes.iter().any(|fix| matches!(fix, Fix::Port { .. } | Fix::Security { .. }));
    view! {
        <section class="card bad" data-verdict="failed" data-cause=cause.as_str()>
            <p class="who">{t!(failure.who().key())}</p>
            <h2 tabindex="-1">{failure.text("title")}</h2>
            <p>{what}</p>
            {report.finding.map(|finding| view! { <p>{t!(finding.key())}</p> })}
            <Hints report=report.clone() />
            // A verified fix replaces the general advice.
            {(!mended_by_the_door).then(|| view! { <p><strong>{t!("card-next")}</strong> " " {next}</p> })}
            <Fixes failure=failure.clone() />
            {link.map(|url| view! {
                <p><a href=url target="_blank" rel="noopener noreferrer">{t!("card-link", provider = failure.provider.clone())}</a></p>
            })}
            {retypes.then(|| view! { <Retype id /> })}
            <SignIn failure=failure.clone() />
            {(report.retryable && report.fixes.is_empty() && !says_to_retry(cause)).then(|| view! { <p>{t!("card-retryable")}</p> })}
            {report.survey.clone().map(|survey| view! { <Found survey failed=failure.profile.clone() /> })}
            {report.reply.clone().map(|words| view! {
                <p class="words">
                    <span>{t!("card-server-words", stage = stage_name(report.stage))}</span> <samp dir="auto">{words}</samp>
                </p>
            })}
            {editing(&failure).map(|(class, words)| view! {
                <p class="actions"><a class=class href=edit>{t!(words)}</a></p>
            })}
        </section>
    }
}

/// Signing in again, where the permission has ended; or for the first time, where no password is accepted.
#[component]
fn SignIn(failure: Failure) -> impl IntoView {
    let (cause, id) = (failure.cause(), failure.profile.id.to_string());
    if let Some(signed_in) = failure.profile.signed_in.clone() {
        let admin = signed_in.admin_consent_url.clone().filter(|_| cause == Cause::OauthAdmin);
        let provider = signed_in.provider.clone();
        let again =
            matches!(cause, Cause::OauthReconnect | Cause::OauthAdmin | Cause::OauthAccount | Cause::OauthPermission);
        return view! {
            {admin.map(|url| view! { <ForAdmin url provider /> })}
            {again.then(|| view! { <SignInAgain id signed_in /> })}
        }
        .into_any();
    }
    if !matches!(cause, Cause::BasicAuthDisabled | Cause::AppPasswordRequired) {
        return ().into_any();
    }
    let portal = crate::session::session().map(|session| session.account.portal.clone()).unwrap_or_default();
    let Ok(services) = services() else { return ().into_any() };
    let draft = Draft::of(&failure.profile);
    let ways = services.sign_ins.ways(&portal);
    let way = of_draft(&ways, &services.presets, &draft).cloned();
    way.map(|way| view! { <SignInFirst id way /> }).into_any()
}

/// The link to the form: its class, and the key of its words. `None`: nothing in the profile can help.
fn editing(failure: &Failure) -> Option<(&'static str, &'static str)> {
    let cause = failure.cause();
    let to_blame = failure.report.survey.as_ref().is_some_and(|survey| survey.blame == Blame::Settings);
    match cause {
        Cause::DnsNotFound if failure.variant() == "-near" => Some(("button primary", "card-edit-host")),
        Cause::BasicAuthDisabled => Some(("button", "card-other-provider")),
        _ if to_blame || field(cause).is_some() || may_be_the_profile_s(cause) => Some(("button", "card-edit")),
        _ => None,
    }
}

/// Further findings of the report that help with this cause.
#[component]
fn Hints(report: Report) -> impl IntoView {
    let names =
        report.tls.as_ref().and_then(|tls| tls.certificate.as_ref()).map(|certificate| certificate.names.join(", "));
    let names = names.filter(|names| report.cause == Some(Cause::CertNameMismatch) && !names.is_empty());
    let offered = report.capabilities.iter().find_map(|line| line.strip_prefix("AUTH ").map(str::to_owned));
    let offered = offered.filter(|_| report.cause == Some(Cause::AuthMechanismUnsupported));
    view! {
        {names.map(|names| view! { <p>{t!("card-certificate-names", names = names)}</p> })}
        {offered.map(|mechanisms| view! { <p>{t!("card-offers", mechanisms = mechanisms)}</p> })}
    }
}

/// The proposed fixes, each with its button.
#[component]
fn Fixes(failure: Failure) -> impl IntoView {
    let fixes = failure.report.fixes.clone();
    let count = fixes.len();
    (count > 0).then(move || {
        let choices = fixes.into_iter().enumerate().map(|(number, fix)| {
            let says = fix_text(&fix, &failure);
            let id = format!("fix-{number}");
            view! {
                <form method="post" action=at("/api/test/apply-fix") class="fix" data-fix=fix.key()>
                    <FormOwnerField />
                    <input type="hidden" name="id" value=failure.profile.id.to_string() />
                    <input type="hidden" name="fix" value=number.to_string() />
                    <p id=id.clone()>{says}</p>
                    <button class="primary" data-test="" aria-describedby=id>{t!("action-apply-fix")}</button>
                </form>
            }
        });
        view! {
            <div class="fixes">
                <h3>{t!("card-fixes", count = count)}</h3>
                {choices.collect_view()}
            </div>
        }
    })
}

fn fix_text(fix: &Fix, failure: &Failure) -> String {
    let named = |security: Security| t!(&format!("security-{}", security.as_str()));
    let port = |port: u16| format!("{port}{DIGITS}");
    let key = fix.key();
    match fix {
        Fix::Port { port: new, security } => {
            let old = port(failure.profile.settings.destination.port);
            t!(key, port = port(*new), security = named(*security), old = old)
        }
        Fix::Security { security } => t!(key, security = named(*security)),
        Fix::Login { login } => t!(key, login = login, provider = failure.provider),
        Fix::Sender { address } => t!(key, address = address),
        Fix::Spaces { count } => t!(key, count = count),
        Fix::Mechanism { mechanism } => t!(key, mechanism = mechanism.name()),
    }
}

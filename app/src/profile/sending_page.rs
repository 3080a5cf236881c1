//! Server side. **Envoi**: the state of a profile's sending, and its settings.

use ::model::way::{Way, way};
use leptos::prelude::*;

use super::{
    autosave::RestoredChoice,
    draft::Choice,
    model::{Profile, ProfileId},
    preset::Preset,
    sending::{SendState, SendingOptions},
    sending_api::{sending_form, shown},
    sent_view::SentMail,
    typed_sending::{LIMITS, TypedSending},
};
use crate::{
    base_path::at,
    diagnosis::card::{CauseCard, Failure, cause_title},
    error::AppError,
    i18n::{self, Locale},
    sending_mode::model::SendingMode,
    services::{now, services},
    session::session,
    t,
    test_run::port::TestRun,
    ui::{
        field::Wrong,
        form_owner::FormOwnerField,
        layout::{Loaded, Page, query},
        moment::{Moment, distance},
        notice::{Kind, Notice, RequestNotice, is_stale},
    },
};

#[component]
pub fn SendingPage() -> impl IntoView {
    let id = query("id");
    let load = async move {
        let (session, services) = (session()?, services()?);
        let id = ProfileId::parse(&id).ok_or(AppError::NotFound)?;
        let profile = services.profiles.get(&session.account, id).await?.ok_or(AppError::NotFound)?;
        let typed = match services.drafts.choice(&session.who(), &sending_form(id)).await? {
            Some(Choice::Sending(typed, wrong)) if is_stale() || typed.check().as_ref() != Ok(&profile.sending) => {
                Some((typed, wrong))
            }
            _ => None,
        };
        let sent = services.sent.sent(&session.account, id).await?;
        let failure = services.profiles.last_failure(&session.account, id).await?;
        let preset = services.presets.provider_of(&profile.settings).cloned();
        let provider = services.presets.name_of(&profile.settings).to_owned();
        let portal = session.portal_name.clone();
        let own = services.sending_modes.get(&session.account).await? == SendingMode::OwnSmtp;
        let relay = services.sending_modes.portal_sends(&session.account);
        let stands_in = way(own, relay, Some(&profile.candidate), false) != Way::Profile;
        Ok(view! {
            <RequestNotice about=Some(profile.settings.title().to_owned()) />
            <State profile=profile.clone() stands_in />
            {failure.map(|run| view! { <LastFailure profile=profile.clone() provider run /> })}
            <SentMail sent />
            {typed.is_some().then(|| view! { <RestoredChoice form=sending_form(id) /> })}
            <Options profile preset portal typed />
        }
        .into_any())
    };
    view! {
        <Page title=t!("sending-title")>
            <Loaded content=load />
        </Page>
    }
}

/// The profile and its state.
#[component]
fn State(
    profile: Profile,
    /// The portal's server currently sends its mail.
    stands_in: bool,
) -> impl IntoView {
    let (health, now) = (profile.health, now());
    let broken = match profile.sends {
        SendState::Broken { since, cause } => {
            Some(t!("sending-broken", moment = distance(since, now), why = cause_title(Some(cause))))
        }
        _ => None,
    };
    let facts = [("sending-last-sent", health.sent_at), ("sending-last-failed", health.failed_at)];
    let facts = facts.into_iter().chain([("sending-last-checked", health.checked_at)]);
    let facts: Vec<_> = facts.filter_map(|(name, at)| Some((name, at?))).collect();
    view! {
        <p class="lead">{profile.settings.title().to_owned()} " · " {profile.settings.destination.host.clone()}</p>
        {broken.map(|text| view! {
            <Notice kind=Kind::Warning>
                <p>{text}</p>
                <p>{if stands_in { t!("sending-broken-fallback") } else { t!("sending-broken-next") }}</p>
            </Notice>
        })}
        {(!facts.is_empty()).then(|| view! {
            <dl class="facts">
                {facts.into_iter().map(|(name, at)| view! { <div><dt>{t!(name)}</dt><dd><Moment at /></dd></div> }).collect_view()}
            </dl>
        })}
    }
}

/// The last message that failed, with the card that explains it.
#[component]
pub fn LastFailure(profile: Profile, provider: String, run: TestRun, #[prop(optional)] named: bool) -> impl IntoView {
    let TestRun { at, recipient, mut report } = run;
    // Fixes are offered after a test only, which verified them.
    report.fixes.clear();
    // Expanded while it is current; in the list, of a profile that should send.
    let matters =
        (!named || profile.in_use) && matches!(profile.sends, SendState::Broken { .. } | SendState::Failing { .. });
    let (moment, why) = (distance(at, now()), cause_title(report.cause));
    let title = if named {
        t!("list-failure", profile = profile.settings.title())
    } else {
        t!("sending-failure", moment = moment, why = why)
    };
    let failure = Failure { profile, provider, recipient, report };
    view! {
        <details class="technical" open=matters>
            <summary>{title}</summary>
            <CauseCard failure />
        </details>
    }
}

/// The settings.
#[component]
fn Options(
    profile: Profile,
    preset: Option<Preset>,
    portal: String,
    /// Unsaved input, with the names of the invalid fields.
    typed: Option<(TypedSending, Vec<String>)>,
) -> impl IntoView {
    let sending = profile.sending;
    let stale = is_stale();
    let (typed, wrong) = typed.map_or((None, Vec::new()), |(typed, wrong)| (Some(typed), wrong));
    let was = shown(&sending);
    let meanwhile = stale.then(|| {
        let portal = portal.clone();
        view! { <Notice kind=Kind::Warning><p>{t!("stale-sending")}</p> <Saved sending portal /></Notice> }
    });
    let stored = [sending.max_connections, sending.per_minute, sending.per_day];
    let usual = preset.map_or([None; 3], |preset| [preset.max_connections, preset.per_minute, preset.daily_limit]);
    let texts = match &typed {
        Some(typed) => typed.limits().map(str::to_owned),
        None => stored.map(|number| number.map(|number| number.to_string()).unwrap_or_default()),
    };
    let texts_are_there = texts.iter().any(|text| !text.is_empty());
    let first = wrong.first().cloned();
    let faults = wrong;
    let wrong = LIMITS.map(|(name, _)| name).into_iter().filter(|name| faults.iter().any(|fault| fault == name));
    let wrong: Vec<_> = wrong.map(|name| (name, t!(&format!("sending-{name}")))).collect();
    let fields = LIMITS.into_iter().zip(texts).zip(usual).map(|(((name, most), value), usual)| {
        let (wrong, focus) = (faults.iter().any(|fault| fault == name), first.as_deref() == Some(name));
        view! { <Limit name most value usual wrong focus /> }
    });
    // Collapsed, unless one of them is set or typed.
    let open = !faults.is_empty() || texts_are_there;
    let (check, fallback) = match &typed {
        Some(typed) => (!typed.check_hourly.is_empty(), !typed.fallback.is_empty()),
        None => (sending.check_hourly, sending.fallback),
    };
    view! {
        <form method="post" action=at("/api/profiles/sending") class="stack">
            <FormOwnerField />
            <input type="hidden" name="id" value=profile.id.to_string() />
            <input type="hidden" name="was" value=was />
            <input type="hidden" name="revision" value=profile.revision.to_string() />
            <Wrong fields=wrong />
            {meanwhile}
            <fieldset class="choices">
                <legend>{t!("sending-when-it-fails")}</legend>
                <div class="choice">
                    <input
                        type="checkbox" id="check-hourly" name="sending[check_hourly]" value="1" checked=check
                        aria-describedby="about-check"
                    />
                    <label for="check-hourly">{t!("sending-check")}</label>
                    <p id="about-check">{t!("sending-check-about")}</p>
                </div>
                <div class="choice">
                    <input
                        type="checkbox" id="fallback" name="sending[fallback]" value="1" checked=fallback
                        aria-describedby="about-fallback"
                    />
                    <label for="fallback">{t!("sending-fallback", portal = portal)}</label>
                    <p id="about-fallback">{t!("sending-fallback-about")}</p>
                </div>
            </fieldset>
            <details class="advanced" open=open>
                <summary>{t!("sending-advanced")}</summary>
                <fieldset class="sending">
                    <legend>{t!("sending-limits")}</legend>
                    <p class="hint">{t!("sending-limits-about")}</p>
                    {fields.collect_view()}
                </fieldset>
            </details>
            <div class="actions">
                <button class="primary">{t!("action-save")}</button>
                <a class="button" href=at(&format!("/profiles?selected={}", profile.id))>{t!("action-back-to-list")}</a>
            </div>
        </form>
    }
}

/// The stored value, beside input that was typed over an older one.
#[component]
fn Saved(sending: SendingOptions, portal: String) -> impl IntoView {
    let number = |limit: Option<u32>| limit.map_or_else(|| t!("sending-limit-none"), grouped);
    let yes = |on: bool| if on { t!("stale-on") } else { t!("stale-off") };
    let lines = [
        (t!("sending-check"), yes(sending.check_hourly)),
        (t!("sending-fallback", portal = portal), yes(sending.fallback)),
        (t!("sending-max-connections"), number(sending.max_connections)),
        (t!("sending-per-minute"), number(sending.per_minute)),
        (t!("sending-per-day"), number(sending.per_day)),
    ];
    let line = |(name, value): (String, String)| view! { <li>{t!("stale-line", name = name, value = value)}</li> };
    view! { <ul>{lines.into_iter().map(line).collect_view()}</ul> }
}

/// A number with the language's separators: 1 000 000 in French, 1,000,000 in English.
fn grouped(number: u32) -> String {
    let between = match i18n::current() {
        Locale::Fr => '\u{202f}',
        Locale::En => ',',
    };
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(between);
        }
        text.push(digit);
    }
    text
}

/// One limit. Empty: the provider's, if it is known.
#[component]
fn Limit(
    name: &'static str,
    most: u32,
    value: String,
    usual: Option<u32>,
    wrong: bool,
    /// Whether it is the first invalid one.
    focus: bool,
) -> impl IntoView {
    let hint = match usual {
        Some(usual) => t!("sending-limit-usual", usual = grouped(usual), most = grouped(most)),
        None => t!("sending-limit-range", most = grouped(most)),
    };
    let described = format!("{name}-hint {name}-fault");
    view! {
        <div class="field narrow">
            <label for=name>{t!(&format!("sending-{name}"))} " " <span class="optional">{t!("form-optional")}</span></label>
            <p class="fault" id=format!("{name}-fault")>{wrong.then(|| t!("sending-limit-wrong", most = grouped(most)))}</p>
            <input
                type="text"
                id=name
                name=format!("sending[{}]", name.replace('-', "_"))
                value=value
                inputmode="numeric"
                maxlength="12"
                autocomplete="off"
                aria-describedby=described
                aria-invalid=wrong.then_some("true")
                autofocus=focus
            />
            <p class="hint" id=format!("{name}-hint")>{hint}</p>
        </div>
    }
}

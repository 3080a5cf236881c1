//! Server side. Moments, for the reader.
//!
//! A recent moment is shown as a distance ("5 minutes ago"). Dates and times are in the reader's time zone, which the portal's
//! token or registration names; without one they are in UTC, and say so. `datetime` is always in UTC.

use jiff::{Timestamp, Unit, Zoned};
use leptos::prelude::*;

use crate::{
    i18n::{current, date, date_time, in_utc},
    services::now,
    session::visit,
    t,
};

/// `<time>` with a distance such as "il y a 5 minutes".
#[component]
pub fn Moment(at: Timestamp) -> impl IntoView {
    let instant = at.round(Unit::Second).unwrap_or(at);
    view! { <time datetime=instant.to_string() title=exact(instant)>{distance(at, now())}</time> }
}

/// `<time>` with date and time.
#[component]
pub fn Exact(at: Timestamp) -> impl IntoView {
    let instant = at.round(Unit::Second).unwrap_or(at);
    view! { <time datetime=instant.to_string()>{exact(instant)}</time> }
}

fn exact(at: Timestamp) -> String {
    match local(at) {
        Some(local) => date_time(current(), &local, "%H:%M"),
        None => t!("moment-utc", moment = date_time(current(), &in_utc(at), "%H:%M")),
    }
}

/// In the reader's time zone, where that is known.
fn local(at: Timestamp) -> Option<Zoned> {
    visit().time_zone().map(|zone| at.to_zoned(zone))
}

/// The distance as text.
pub fn distance(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    match seconds {
        ..60 => t!("moment-now"),
        60..3_600 => t!("moment-minutes", n = seconds / 60),
        3_600..86_400 => t!("moment-hours", n = seconds / 3_600),
        86_400..2_592_000 => t!("moment-days", n = seconds / 86_400),
        _ => t!("moment-date", date = date(current(), &local(at).unwrap_or_else(|| in_utc(at)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_grow_from_now_to_a_date() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        for (at, words) in [
            ("2026-11-24T12:00:00Z", "à l’instant"),
            ("2026-11-24T11:59:00Z", "il y a 1\u{a0}min"),
            ("2026-11-24T09:30:00Z", "il y a 2\u{a0}heures"),
            ("2026-11-22T12:00:00Z", "il y a 2\u{a0}jours"),
            ("2026-01-05T12:00:00Z", "le 5 janvier 2026"),
            ("2027-01-05T12:00:00Z", "à l’instant"),
        ] {
            assert_eq!(distance(at.parse().unwrap(), now), words);
        }
    }
}

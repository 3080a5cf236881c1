//! Server side. Relative times.
//!
//! The server does not know the user's time zone, so a recent time is shown as a distance ("5 minutes ago"). The
//! element's `title` and `datetime` give the exact instant in UTC.

use jiff::{Timestamp, Unit};
use leptos::prelude::*;

use crate::{
    i18n::{current, date, date_time},
    services::now,
    t,
};

/// `<time>` with a distance such as "il y a 5 minutes".
#[component]
pub fn Moment(at: Timestamp) -> impl IntoView {
    let instant = at.round(Unit::Second).unwrap_or(at);
    let title = t!("moment-utc", moment = date_time(current(), instant, "%H:%M"));
    view! { <time datetime=instant.to_string() title=title>{distance(at, now())}</time> }
}

/// `<time>` with date and time, in UTC.
#[component]
pub fn Exact(at: Timestamp) -> impl IntoView {
    let instant = at.round(Unit::Second).unwrap_or(at);
    let text = t!("moment-utc", moment = date_time(current(), instant, "%H:%M"));
    view! { <time datetime=instant.to_string()>{text}</time> }
}

/// The distance as text.
pub fn distance(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - at.as_second();
    match seconds {
        ..60 => t!("moment-now"),
        60..3_600 => t!("moment-minutes", n = seconds / 60),
        3_600..86_400 => t!("moment-hours", n = seconds / 3_600),
        86_400..2_592_000 => t!("moment-days", n = seconds / 86_400),
        _ => t!("moment-date", date = date(current(), at)),
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

//! Server side. The messages sent through a profile: the last thirty days as bars, and the last messages.

use leptos::prelude::*;

use super::sent::{Day, Fate, Sent, SentMessage};
use crate::{
    diagnosis::card::cause_title,
    i18n::{current, date, in_utc},
    t,
    ui::moment::Exact,
};

/// The page's two sections, or the text that nothing was sent yet.
#[component]
pub fn SentMail(sent: Sent) -> impl IntoView {
    let Sent { messages, days } = sent;
    if messages.is_empty() && days.iter().all(|day| day.accepted + day.others == 0) {
        return view! { <p class="quiet">{t!("sent-nothing")}</p> }.into_any();
    }
    view! { <Chart days /> <Messages messages /> }.into_any()
}

/// Accepted messages rise from the line, all others hang below it: the position shows the outcome, not only the colour.
#[component]
fn Chart(days: Vec<Day>) -> impl IntoView {
    let most = |of: fn(&Day) -> u64| days.iter().map(of).max().unwrap_or_default();
    let (up, down) = (most(|day| day.accepted), most(|day| day.others));
    let (accepted, others) =
        days.iter().fold((0, 0), |(accepted, others), day| (accepted + day.accepted, others + day.others));
    let (from, to) = (days.first().map(|day| day.at), days.last().map(|day| day.at));
    let [from, to] = [from, to].map(|at| at.map(|at| date(current(), &in_utc(at))).unwrap_or_default());
    let bars = days.iter().enumerate().flat_map(|(at, day)| bars(at, day, (up, down))).map(|bar| {
        let Bar { class, x, y, height } = bar;
        view! { <rect class=class x=x.to_string() y=y.to_string() width="7" height=height.to_string() /> }
    });
    let bars = bars.collect_view();
    let line = line(up, down).to_string();
    let rows = days.iter().filter(|day| day.accepted + day.others > 0).rev().map(|day| {
        let named = date(current(), &in_utc(day.at));
        view! {
            <tr><th scope="row">{named}</th><td>{day.accepted.to_string()}</td><td>{day.others.to_string()}</td></tr>
        }
    });
    let rows = rows.collect_view();
    let width = (10 * days.len()).to_string();
    let about = t!("sent-chart", from = from.clone(), to = to.clone(), accepted = accepted, others = others);
    view! {
        <section class="sent">
            <h2>{t!("sent-days")}</h2>
            <p class="legend">
                <span class="up">{t!("sent-accepted-count", n = accepted)}</span>
                {(others > 0).then(|| view! { <span class="down">{t!("sent-others-count", n = others)}</span> })}
            </p>
            <svg class="chart" role="img" aria-label=about viewBox=format!("0 0 {width} {HEIGHT}") preserveAspectRatio="none">
                {bars}
                <rect class="line" x="0" y=line width=width.clone() height="1" />
            </svg>
            <p class="axis" aria-hidden="true"><span>{from}</span> <span>{to}</span></p>
            <details>
                <summary>{t!("sent-numbers")}</summary>
                <table class="numbers">
                    <thead>
                        <tr>
                            <th scope="col">{t!("sent-day")}</th>
                            <th scope="col">{t!("sent-accepted")}</th>
                            <th scope="col">{t!("sent-others")}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        </section>
    }
}

/// The height of the drawing in its own units: a hundred for the bars and one for the line.
const HEIGHT: u64 = 101;

struct Bar {
    class: &'static str,
    x: usize,
    y: u64,
    height: u64,
}

/// The position of the line. Each side that has bars keeps room for them.
fn line(up: u64, down: u64) -> u64 {
    let share = up.saturating_mul(100) / (up + down).max(1);
    share.clamp(if up > 0 { 6 } else { 0 }, if down > 0 { 94 } else { 100 })
}

/// The share in hundredths; at least visible if it is not zero.
fn scaled(count: u64, whole: u64) -> u64 {
    if count == 0 { 0 } else { (count.saturating_mul(100) / whole.max(1)).max(3) }
}

/// The bars of a day; up and down share the height.
fn bars(at: usize, day: &Day, (up, down): (u64, u64)) -> impl Iterator<Item = Bar> + use<> {
    let (line, x) = (line(up, down), 10 * at + 1);
    let rises = scaled(day.accepted, up + down).min(line);
    let hangs = scaled(day.others, up + down).min(100 - line);
    let bars =
        [Bar { class: "up", x, y: line - rises, height: rises }, Bar { class: "down", x, y: line + 1, height: hangs }];
    bars.into_iter().filter(|bar| bar.height > 0)
}

#[component]
fn Messages(messages: Vec<SentMessage>) -> impl IntoView {
    let count = messages.len();
    let rows = messages.into_iter().map(|SentMessage { at, recipient, others, fate, cause }| {
        let (class, key) = match fate {
            Fate::Accepted => ("badge good", "fate-accepted"),
            Fate::ByThePortal => ("badge unsure", "fate-portal"),
            Fate::Waiting => ("badge unsure", "fate-waiting"),
            Fate::Failed => ("badge bad", "fate-failed"),
            Fate::Unknown => ("badge unsure", "fate-unknown"),
        };
        let why = cause.filter(|_| fate != Fate::Accepted).map(|cause| cause_title(Some(cause)));
        let to = if others > 0 { t!("sent-and-others", recipient = recipient, n = others) } else { recipient };
        view! {
            <tr>
                <td><Exact at /></td>
                <td>{to}</td>
                <td><span class=class>{t!(key)}</span> {why.map(|why| view! { <span class="why">{why}</span> })}</td>
            </tr>
        }
    });
    (count > 0).then(|| {
        view! {
            <section class="sent">
                <h2>{t!("sent-messages")}</h2>
                <table class="messages">
                    <thead class="visually-hidden">
                        <tr>
                            <th scope="col">{t!("sent-date")}</th>
                            <th scope="col">{t!("sent-recipient")}</th>
                            <th scope="col">{t!("sent-state")}</th>
                        </tr>
                    </thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </section>
        }
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn day(accepted: u64, others: u64) -> Day {
        Day { at: Timestamp::UNIX_EPOCH, accepted, others }
    }

    #[test]
    fn bars_meet_at_the_line_and_stay_within_the_picture() {
        for (up, down) in [(0, 0), (1, 0), (0, 1), (500, 1), (1, 500), (33_333, 33_333), (u64::MAX / 200, 1)] {
            for (accepted, others) in [(0, 0), (up, down), (up.min(1), down.min(1)), (up / 2, down / 3)] {
                for Bar { class, y, height, .. } in bars(0, &day(accepted, others), (up, down)) {
                    assert!(height >= 1 && y + height <= HEIGHT, "{class} {up} {down} {accepted} {others}");
                    let line = line(up, down);
                    assert_eq!(if class == "up" { y + height } else { y - 1 }, line, "{class} {up} {down}");
                }
            }
        }
        assert_eq!(
            bars(3, &day(2, 0), (2, 2)).map(|bar| (bar.class, bar.x, bar.height)).collect::<Vec<_>>(),
            [("up", 31, 50)]
        );
        assert_eq!(bars(0, &day(0, 0), (2, 2)).count(), 0);
    }
}

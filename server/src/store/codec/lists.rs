//! Server side. A page of an account's messages as one statement: the newest of each state, merged. An index has the messages of a
//! state in their order, so a page costs the same however many there are. What was finished through a profile is read likewise.

use super::{Columns, instant, messages::COLUMNS};
use crate::store::{
    StoreError,
    outbox::{MessageState, SettledDay, StateFilter},
};

/// The condition of the index `message_listed`, to the letter.
const LISTED: &str = "state IN ('queued', 'deferred', 'accepted', 'failed', 'delivery_unknown', 'quarantined')";
/// An id after every other one.
pub const AFTER_ALL: &str = "~";

/// How a database says it.
pub struct Dialect {
    /// What stands before the number of a parameter.
    pub parameter: char,
    /// The index of what is being sent, where a statement may name one.
    pub sending: &'static str,
    /// Whether a message waits for a rest.
    pub rests: &'static str,
    /// What is read besides the columns of a message.
    pub besides: &'static str,
}

/// Messages that are shown in a state, or all. Parameters: portal, account, the id before which the page begins, how many.
pub fn page(state: Option<MessageState>, Dialect { parameter: p, sending, rests, besides }: &Dialect) -> String {
    let filter = state.map_or_else(
        || StateFilter { always: MessageState::ALL.to_vec(), while_resting: vec![], unless_resting: vec![] },
        StateFilter::shown_as,
    );
    let StateFilter { always, while_resting, unless_resting } = filter;
    let of =
        |states: Vec<MessageState>, condition: String| states.into_iter().map(move |state| (state, condition.clone()));
    let states = of(always, String::new())
        .chain(of(while_resting, format!(" AND {rests}")))
        .chain(of(unless_resting, format!(" AND NOT {rests}")));
    let newest: Vec<String> = states
        .map(|(state, condition)| {
            let (code, own) = (state.as_str(), format!("portal = {p}1 AND account = {p}2 AND id < {p}3"));
            if state == MessageState::Sending {
                return format!("SELECT id FROM message {sending} WHERE state = '{code}' AND {own}{condition}");
            }
            format!(
                "SELECT id FROM (SELECT id FROM message WHERE state = '{code}' AND {LISTED} AND {own}{condition}
                     ORDER BY id DESC LIMIT {p}4) AS {code}_ones"
            )
        })
        .collect();
    format!(
        "SELECT {COLUMNS}, {besides} FROM message
         WHERE id IN (SELECT id FROM ({}) AS found ORDER BY id DESC LIMIT {p}4) ORDER BY id DESC",
        newest.join(" UNION ALL ")
    )
}

/// The last finished messages of a profile: the last of each state, merged. Parameters: portal, account, profile, how many.
pub fn settled(Dialect { parameter: p, .. }: &Dialect) -> String {
    let last = MessageState::ALL.iter().filter(|state| state.is_final()).map(|state| {
        let code = state.as_str();
        format!(
            "SELECT id, finished_at FROM (SELECT id, finished_at FROM message
                 WHERE profile = {p}3 AND state = '{code}' AND finished_at IS NOT NULL
                 ORDER BY finished_at DESC LIMIT {p}4) AS {code}_ones"
        )
    });
    let last: Vec<String> = last.collect();
    format!(
        "SELECT {COLUMNS} FROM message
         WHERE id IN (SELECT id FROM ({}) AS found ORDER BY finished_at DESC LIMIT {p}4)
             AND portal = {p}1 AND account = {p}2
         ORDER BY finished_at DESC, id DESC",
        last.join(" UNION ALL ")
    )
}

/// How many milliseconds a day has.
const DAY: i64 = 86_400_000;

/// The finished messages of a profile by the day. Parameters: portal, account, profile, since when.
/// `not_by_the_relay`: a condition.
pub fn settled_by_day(Dialect { parameter: p, .. }: &Dialect, not_by_the_relay: &str) -> String {
    format!(
        "SELECT finished_at / {DAY} AS day, count(*) AS settled,
             count(CASE WHEN state = 'accepted' AND {not_by_the_relay} THEN 1 END) AS accepted
         FROM message
         WHERE profile = (SELECT id FROM profile WHERE portal = {p}1 AND account = {p}2 AND id = {p}3)
             AND state IN ('accepted', 'failed', 'delivery_unknown') AND finished_at >= {p}4
         GROUP BY finished_at / {DAY} ORDER BY day"
    )
}

/// A row of [`settled_by_day`].
pub fn settled_day(row: &impl Columns) -> Result<SettledDay, StoreError> {
    let count = |column| Ok::<_, StoreError>(u64::try_from(row.number(column)?).unwrap_or_default());
    let (settled, accepted) = (count("settled")?, count("accepted")?);
    Ok(SettledDay { day: instant(row.number("day")? * DAY), accepted, others: settled.saturating_sub(accepted) })
}

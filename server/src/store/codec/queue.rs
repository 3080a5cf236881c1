//! Server side. Lanes, destinations and their rests as types.

use app::diagnosis::cause::Cause;
use jiff::Timestamp;

use super::{Columns, cause, instant};
use crate::store::{
    StoreError,
    outbox::{DueDestination, Lane, Queue, Rest, StoredMessage},
};

fn wrong(column: &'static str, row: &str) -> StoreError {
    StoreError::Inconsistent { table: "lane", column, row: row.to_owned() }
}

/// The table, and its key.
pub const LANE: (&str, &str) = ("lane", "lane");

/// A row with `lane` and `fallback`.
pub fn queue(row: &impl Columns) -> Result<Queue, StoreError> {
    let key = row.text("lane")?;
    let lane = Lane::parse(&key).ok_or_else(|| wrong("lane", &key))?;
    Ok(Queue { lane, fallback: row.flag("fallback")? })
}

/// A row with `destination` and `due_at`.
pub fn due_destination(row: &impl Columns) -> Result<DueDestination, StoreError> {
    Ok(DueDestination { destination: row.text("destination")?, due_at: instant(row.number("due_at")?) })
}

/// How a destination is doing, from its row.
pub fn rest(row: &impl Columns) -> Result<Rest, StoreError> {
    Ok(Rest {
        until: instant(row.number("rests_until")?),
        troubles: u32::try_from(row.number("troubles")?).unwrap_or(u32::MAX),
        cause: cause(row.text_if_any("cause")?),
    })
}

/// Until when a lane, or its destination, rests, and why: the one that rests longer.
fn longer(
    (own, own_cause): (i64, Option<String>),
    (others, others_cause): (Option<i64>, Option<String>),
) -> (Timestamp, Option<Cause>) {
    let others = others.unwrap_or_default();
    (instant(own.max(others)), cause(if own >= others { own_cause } else { others_cause }))
}

/// The same from a row with `own`, `own_cause`, `others` and `others_cause`.
pub fn longer_rest(row: &impl Columns) -> Result<(Timestamp, Option<Cause>), StoreError> {
    let own = (row.number("own")?, row.text_if_any("own_cause")?);
    Ok(longer(own, (row.number_if_any("others")?, row.text_if_any("others_cause")?)))
}

/// The same for a message that came in this row, from the JSON array in its column `rest`.
pub fn wait_for_rest(row: &impl Columns, message: &mut StoredMessage) -> Result<(), StoreError> {
    let rest = row.text_if_any("rest")?;
    if !message.state.is_waiting() {
        return Ok(());
    }
    let Some(rest) = rest else { return Ok(()) };
    let (own, own_cause, others, others_cause): (i64, Option<String>, Option<i64>, Option<String>) =
        serde_json::from_str(&rest).map_err(|_| wrong("rests_until", &message.lane.key()))?;
    let (until, why) = longer((own, own_cause), (others, others_cause));
    message.waits_for(until, why);
    Ok(())
}

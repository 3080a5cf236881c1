//! Whether the answers to the next transaction stand in their places: only then is the answer before them the message's.

use crate::{reply::Reply, smtp::wire::WireError};

/// What the answers to the next transaction show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Each of them is in its place.
    Kept,
    /// There is one acceptance too many, and no refusal: whichever it was, the message was accepted.
    OneYesTooMany,
    /// A reply is missing or out of place: the answer before them may belong to something else.
    Lost,
    /// They did not come.
    Silent,
}

/// Judges the answers to a transaction that should have so many. `ended`: why no more of them were read.
pub(super) fn order(heard: &[Reply], replies: usize, ended: Option<WireError>) -> Order {
    // 354 answers nothing but DATA.
    if let Some(at) = heard.iter().position(|reply| reply.code == 354) {
        return if at + 1 == replies { Order::Kept } else { Order::Lost };
    }
    // Once a sender is refused, nothing else is accepted.
    let sender_is_refused = heard.first().is_some_and(|reply| !reply.is_positive());
    if sender_is_refused && heard.iter().any(Reply::is_positive) {
        return Order::Lost;
    }
    match ended {
        None if heard.iter().all(Reply::is_positive) => Order::OneYesTooMany,
        None if heard.last().is_some_and(Reply::is_positive) => Order::Lost,
        // DATA was refused, or the server hung up: both may happen at any time.
        None | Some(WireError::Lost) => Order::Kept,
        Some(WireError::Timeout) => Order::Silent,
        Some(_) => Order::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_in_their_places_are_believed() {
        // To MAIL, one RCPT, and DATA.
        for (heard, ended, expected) in [
            ("250 250 354", None, Order::Kept),
            ("250 550 354", None, Order::Kept),
            ("550 250 354", None, Order::Kept),
            ("250 550 554", None, Order::Kept),
            ("550 503 503", None, Order::Kept),
            ("250 250 451", None, Order::Kept),
            ("421", Some(WireError::Lost), Order::Kept),
            ("250", Some(WireError::Lost), Order::Kept),
            ("", Some(WireError::Lost), Order::Kept),
            ("250 250 250", None, Order::OneYesTooMany),
            // A refusal that was the message's, before, between and behind.
            ("554 250 250", None, Order::Lost),
            ("250 554 250", None, Order::Lost),
            ("554 250", Some(WireError::Timeout), Order::Lost),
            // One reply too few.
            ("250 354", Some(WireError::Timeout), Order::Lost),
            ("354", Some(WireError::Timeout), Order::Lost),
            ("250 354 250", None, Order::Lost),
            ("250", Some(WireError::Malformed), Order::Lost),
            ("250", Some(WireError::Timeout), Order::Silent),
            ("", Some(WireError::Timeout), Order::Silent),
        ] {
            let replies: Vec<Reply> = heard.split_whitespace().map(|code| Reply::parse(code).unwrap()).collect();
            assert_eq!(order(&replies, 3, ended), expected, "{heard:?} {ended:?}");
        }
    }
}

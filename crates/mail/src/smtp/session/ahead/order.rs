//! Checks that each reply to the next transaction is in its place: only then does the reply before them belong to the
//! message.

use crate::{reply::Reply, smtp::wire::WireError};

/// The order of the replies to the next transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Each reply is in its place.
    Kept,
    /// One acceptance too many, and no refusal: whichever it was, the message was accepted.
    OneYesTooMany,
    /// A reply is missing or out of place: the reply before them may answer another command.
    Lost,
    /// No reply came.
    Silent,
}

/// Checks the replies to a transaction that should get `replies` of them. `ended`: why reading stopped early.
pub(super) fn order(heard: &[Reply], replies: usize, ended: Option<WireError>) -> Order {
    // Only `DATA` is answered with 354.
    if let Some(at) = heard.iter().position(|reply| reply.code == 354) {
        return if at + 1 == replies { Order::Kept } else { Order::Lost };
    }
    // After a refused sender, no other command is accepted.
    let sender_is_refused = heard.first().is_some_and(|reply| !reply.is_positive());
    if sender_is_refused && heard.iter().any(Reply::is_positive) {
        return Order::Lost;
    }
    match ended {
        None if heard.iter().all(Reply::is_positive) => Order::OneYesTooMany,
        None if heard.last().is_some_and(Reply::is_positive) => Order::Lost,
        // The server refused `DATA` or closed the connection, which may happen at any time.
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
        // The replies to `MAIL`, one `RCPT`, and `DATA`.
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
            // A refusal of the message: before, among and after them.
            ("554 250 250", None, Order::Lost),
            ("250 554 250", None, Order::Lost),
            ("554 250", Some(WireError::Timeout), Order::Lost),
            // One reply missing.
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

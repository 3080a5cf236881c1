//! The id under which the server queued the message. RFC 5321 leaves the text of a reply to the server, and servers
//! write the id in a dozen ways.

use crate::reply::Reply;

/// The id in the final reply, if there is one.
pub(in crate::smtp::session) fn queue_id(reply: &Reply) -> Option<String> {
    let text = reply.text();
    let after = ["queued as ", "queued with id ", "id=", "queued mail for delivery id ", "message id ", "queueid="];
    let lower = text.to_ascii_lowercase();
    let found = after.iter().find_map(|mark| lower.find(mark).map(|at| at + mark.len()));
    let rest = match found {
        Some(at) => text.get(at..)?,
        // Sendmail and OpenSMTPD: "2.0.0 f611629f Message accepted for delivery"
        None if lower.ends_with(" message accepted for delivery") => text.as_str(),
        // Google: "2.0.0 OK  1234567890 abcdef - gsmtp"
        None => lower.strip_prefix("ok ").and_then(|_| text.get(3..))?,
    };
    let id: String =
        rest.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.@+/=$".contains(*c)).collect();
    let id = id.trim_end_matches('.').to_owned();
    (id.len() >= 4 && id.chars().any(|c| c.is_ascii_digit())).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_ids_are_found_where_servers_put_them() {
        for (text, id) in [
            ("250 2.0.0 Ok: queued as 4F1tQZ0qWxz9rxP", Some("4F1tQZ0qWxz9rxP")),
            ("250 OK id=1sXyZ-0001Ab-2C", Some("1sXyZ-0001Ab-2C")),
            ("250 2.0.0 OK  1700000000 a640c23a62f3a-abc.123 - gsmtp", Some("1700000000")),
            ("250 2.0.0 f611629f Message accepted for delivery", Some("f611629f")),
            ("250 Message accepted", None),
            ("250 Message accepted for delivery", None),
        ] {
            assert_eq!(queue_id(&Reply::parse(text).unwrap()).as_deref(), id, "{text}");
        }
    }
}

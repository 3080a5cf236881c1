//! The known server that a mistyped name probably means.

/// Names of other services that people enter instead of the sending one.
const OTHERS: [&str; 6] = ["imap", "imaps", "pop", "pop3", "mail", "www"];
/// The most typing errors that are corrected: with two, `smtp.gmx.fr` would match `smtp.gmx.de`.
const MOST: usize = 1;
/// The shortest name that is corrected: shorter ones are too similar.
const SHORTEST: usize = 8;

/// The name in `known` that `host` probably means: the sending server if another service or the bare domain was
/// entered, otherwise a name that differs by one typing error. `None` if `host` itself is known.
pub fn near<'k>(host: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let host = host.trim().trim_end_matches('.').to_ascii_lowercase();
    let rest = host.split_once('.').filter(|(first, _)| OTHERS.contains(first)).map_or(host.as_str(), |(_, rest)| rest);
    let sending = ["smtp.", rest].concat();
    let mut best = None;
    for other in known {
        if other.eq_ignore_ascii_case(&host) {
            return None;
        }
        let away = if other == sending { 0 } else { distance(&host, other, MOST) };
        if away <= MOST && best.is_none_or(|(cost, _)| away < cost) {
            best = Some((away, other));
        }
    }
    best.filter(|_| host.len() >= SHORTEST).map(|(_, other)| other)
}

/// The number of letters to change, add, remove or swap with their neighbour; counting stops above `most`.
pub(crate) fn distance(one: &str, other: &str, most: usize) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > most {
        return most + 1;
    }
    // The last three rows of the table (optimal string alignment).
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, target) in other.iter().enumerate() {
            let changed = last[column] + usize::from(letter != target);
            let mut cost = changed.min(last[column + 1] + 1).min(line[column] + 1);
            if row > 0 && column > 0 && *letter == other[column - 1] && one[row - 1] == *target {
                let swapped: &Vec<usize> = &before;
                cost = cost.min(swapped[column - 1] + 1);
            }
            line.push(cost);
        }
        before = std::mem::replace(&mut last, line);
    }
    last[other.len()]
}

/// The shortest domain name that is corrected: shorter ones are too similar, like `live.com` and `lire.com`.
const SHORTEST_NAME: usize = 5;

/// Whether `typed` is the domain `known` with one typing error, in its name or in its ending.
pub fn is_slip_of(typed: &str, known: &str) -> bool {
    let (Some((typed, end)), Some((name, known_end))) = (typed.split_once('.'), known.split_once('.')) else {
        return false;
    };
    let one_slip = |one, other| distance(one, other, 1) == 1;
    (typed == name && one_slip(end, known_end))
        || (end == known_end && name.len() >= SHORTEST_NAME && one_slip(typed, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_with_one_slip_is_understood() {
        for (typed, known, slip) in [
            ("gmial.com", "gmail.com", true),
            ("gmail.con", "gmail.com", true),
            ("hotmal.fr", "hotmail.fr", true),
            ("gmail.com", "gmail.com", false),
            ("lire.com", "live.com", false),
            ("gmx.fr", "gmx.de", false),
            ("mail.fr", "mail.ru", false),
            ("gmial.con", "gmail.com", false),
            ("gmail", "gmail.com", false),
        ] {
            assert_eq!(is_slip_of(typed, known), slip, "{typed} {known}");
        }
    }

    #[test]
    fn a_slip_or_another_service_is_understood_and_nothing_else_is() {
        const KNOWN: [&str; 5] =
            ["smtp.gmail.com", "smtp.orange.fr", "smtp.sandbox.example", "smtp.free.fr", "smtp.office365.com"];
        for (typed, meant) in [
            ("smtp.sandbx.example", Some("smtp.sandbox.example")),
            ("smtp.gmial.com", Some("smtp.gmail.com")),
            ("SMTP.Gmail.con", Some("smtp.gmail.com")),
            ("smtpgmail.com", Some("smtp.gmail.com")),
            ("imap.gmail.com", Some("smtp.gmail.com")),
            ("pop.orange.fr", Some("smtp.orange.fr")),
            ("gmail.com", Some("smtp.gmail.com")),
            ("mail.orange.fr", Some("smtp.orange.fr")),
            ("smtp.gmail.de", None),
            ("smtp.gmail.com", None),
            ("SMTP.gmail.com.", None),
            ("smtp.exemple.fr", None),
            ("mail.boulangerie-martin.fr", None),
            ("smtp", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(near(typed, KNOWN.into_iter()), meant, "{typed}");
        }
    }

    #[test]
    fn a_swap_is_one_slip() {
        assert_eq!(
            ["gmial", "gmail", "gmal", "gmaail", "hotmail"].map(|typed| distance(typed, "gmail", MOST)),
            [1, 0, 1, 1, 2]
        );
    }
}

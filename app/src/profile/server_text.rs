//! Both. Normalises what people paste into the field for the server: `smtp.exemple.fr:587`, `https://smtp.exemple.fr/`,
//! with white space around it. The page says what was removed.

/// A normalised server name and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerText {
    pub host: String,
    /// The port that followed the name.
    pub port: Option<String>,
}

/// Invisible characters.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

/// Without invisible characters, and trimmed.
pub fn visible(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !invisible(*c)).collect();
    seen.trim().to_owned()
}

/// Parses the input. Unknown input is returned unchanged, and the checks refuse it.
pub fn read(typed: &str) -> ServerText {
    let seen = visible(typed);
    let mut text = seen.trim_matches(['"', '\'', '<', '>', '«', '»', '(', ')']).trim();
    let mut scheme = false;
    if let Some((name, rest)) = text.split_once(':')
        && let Some(rest) = rest.strip_prefix("//")
        && name.len() < 12
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '+')
    {
        (text, scheme) = (rest, true);
    }
    text = text.split(['/', '?', '#', '\\']).next().unwrap_or_default().trim();
    if scheme && let Some((_, host)) = text.rsplit_once('@') {
        text = host;
    }
    let (host, port) = split_port(text);
    // A space beside a dot is a typing error; elsewhere it may separate two names.
    let parts: Vec<&str> = host.split('.').map(str::trim).collect();
    let host = parts.join(".");
    ServerText { host: host.trim_end_matches(['.', ',', ';']).to_owned(), port }
}

/// `host:port`, `[address]:port`, `host port`.
fn split_port(text: &str) -> (&str, Option<String>) {
    let is_port = |text: &str| (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let taken = |port: &str| is_port(port).then(|| port.to_owned());
    if text.starts_with('[')
        && let Some((_, rest)) = text.split_once(']')
    {
        let address = text.strip_suffix(rest).unwrap_or(text);
        return match rest.trim().strip_prefix(':').map(str::trim) {
            Some(port) if port.is_empty() || is_port(port) => (address, taken(port)),
            _ => (text, None),
        };
    }
    // More than one colon is an IPv6 address without brackets.
    if let Some((host, port)) = text.split_once(':').filter(|(_, rest)| !rest.contains(':')) {
        let port = port.trim();
        return if port.is_empty() || is_port(port) { (host, taken(port)) } else { (text, None) };
    }
    match text.rsplit_once(char::is_whitespace) {
        Some((host, port)) if is_port(port) => (host, taken(port)),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn common_ways_to_write_a_server_are_understood() {
        let gmail = |port: &str| ("smtp.gmail.com".to_owned(), (!port.is_empty()).then(|| port.to_owned()));
        for (typed, meant) in [
            ("smtp.gmail.com", gmail("")),
            ("smtp.gmail.com:587", gmail("587")),
            (" smtp.gmail.com : 587 ", gmail("587")),
            ("smtp.gmail.com 587", gmail("587")),
            ("smtp.gmail.com:", gmail("")),
            ("https://smtp.gmail.com/", gmail("")),
            ("https://smtp.gmail.com/mail?u=0#inbox", gmail("")),
            ("smtp://claire:pass@smtp.gmail.com:465", gmail("465")),
            ("ssl://smtp.gmail.com:465", gmail("465")),
            ("SSL://smtp.gmail.com", gmail("")),
            ("smtp+tls://smtp.gmail.com", gmail("")),
            ("smtp.gmail.com.", gmail("")),
            ("smtp.gmail.com,", gmail("")),
            ("\u{a0}smtp.gmail.com\u{202f}", gmail("")),
            ("smtp\u{200b}.gmail.com\u{feff}", gmail("")),
            ("smtp. gmail .com", gmail("")),
            ("<smtp.gmail.com>", gmail("")),
            ("« smtp.gmail.com »", gmail("")),
            ("smtp.gmail.com/", gmail("")),
        ] {
            assert_eq!(read(typed), ServerText { host: meant.0, port: meant.1 }, "{typed:?}");
        }
        for (typed, host, port) in [
            ("[2001:db8::1]:465", "[2001:db8::1]", Some("465")),
            ("2001:db8::1", "2001:db8::1", None),
            ("[::1]", "[::1]", None),
        ] {
            assert_eq!(read(typed), ServerText { host: host.to_owned(), port: port.map(str::to_owned) }, "{typed:?}");
        }
    }

    #[test]
    fn unclear_input_is_left_unchanged() {
        for typed in ["claire@gmail.com", "smtp gmail com", "smtp.gmail.com:https", "smtp.gmail.com:123456", "smtp", ""]
        {
            assert_eq!(read(typed), ServerText { host: typed.to_owned(), port: None }, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_twice_is_reading_once(typed in "\\PC{0,40}") {
            let once = read(&typed);
            prop_assert!(once.port.is_none() || once.host.len() < typed.len());
            let again = read(&once.host);
            prop_assert!(again.host.len() <= once.host.len());
        }
    }
}

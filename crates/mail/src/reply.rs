//! A server's reply: code, enhanced code, text (RFC 5321 §4.2, RFC 3463).

/// One reply with all its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits, the first from 2 to 5.
    pub code: u16,
    /// The enhanced status code at the start of the text, if there is one.
    pub enhanced: Option<EnhancedCode>,
    /// The text of each line, without code and separator. Decoded lossily: old servers send Latin-1.
    pub lines: Vec<String>,
}

/// An enhanced status code such as `5.7.8` (RFC 3463).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnhancedCode {
    /// 2: success, 4: temporary failure, 5: permanent failure.
    pub class: u8,
    /// What it concerns (RFC 3463 §3): 1 an address, 2 a mailbox, 3 the mail system, 4 the network, 5 the protocol, 6
    /// the message's content, 7 security or policy.
    pub subject: u16,
    /// The detail within the subject.
    pub detail: u16,
}

/// The line is not part of an SMTP reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reply")]
pub struct NotAReply;

/// One line of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub code: u16,
    /// Whether more lines follow.
    pub more: bool,
    pub text: String,
}

impl Line {
    /// Parses a line without its line end. `220` alone is valid: RFC 5321 §4.2.1 allows the text to be missing.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, NotAReply> {
        let (digits, rest) = line.split_at_checked(3).ok_or(NotAReply)?;
        if !digits.iter().all(u8::is_ascii_digit) || !(b'2'..=b'5').contains(&digits[0]) {
            return Err(NotAReply);
        }
        let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        let (more, text) = match rest.split_first() {
            None => (false, rest),
            Some((b' ', text)) => (false, text),
            Some((b'-', text)) => (true, text),
            Some(_) => return Err(NotAReply),
        };
        Ok(Self { code, more, text: decode(text) })
    }
}

/// Decodes UTF-8 if valid, otherwise Latin-1, so every byte becomes a character. A lone CR (RFC 5321 §2.3.8) becomes a
/// space, so that a line stays one line in every output.
fn decode(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    text.replace(['\r', '\n'], " ")
}

impl Reply {
    pub(crate) fn new(code: u16, lines: Vec<String>) -> Self {
        let enhanced = lines.iter().find(|line| !line.trim().is_empty()).and_then(|line| EnhancedCode::parse(line));
        Self { code, enhanced, lines }
    }

    /// Parses a whole reply as found in a log or a support ticket: `535-5.7.8 …`, one line or several.
    pub fn parse(text: &str) -> Option<Self> {
        let lines: Vec<Line> = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .filter_map(|line| Line::parse(line.as_bytes()).ok())
            .collect();
        let code = lines.first()?.code;
        Some(Self::new(code, lines.into_iter().map(|line| line.text).collect()))
    }

    /// 2yz or 3yz: the server accepts the command.
    pub fn is_positive(&self) -> bool {
        self.code < 400
    }

    /// 4yz: the same command may succeed later.
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// The text of all lines joined, without a repeated enhanced code.
    pub fn text(&self) -> String {
        let code = self.enhanced.map(|code| code.to_string());
        let bare = |line: &String| match &code {
            Some(code) => without(code, line).trim().to_owned(),
            None => line.trim().to_owned(),
        };
        self.lines.iter().map(bare).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The reply as shown to people: code, enhanced code, text.
    pub fn words(&self) -> String {
        let enhanced = self.enhanced.map(|code| format!(" {code}")).unwrap_or_default();
        format!("{}{enhanced} {}", self.code, self.text()).trim_end().to_owned()
    }
}

/// The line without its leading code. `5.7.1` is not the beginning of `5.7.139`.
fn without<'a>(code: &str, line: &'a str) -> &'a str {
    let rest = line.trim_start().strip_prefix(code);
    rest.filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)).unwrap_or(line)
}

impl EnhancedCode {
    /// Parses the code at the start of a text.
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.split_whitespace().next()?;
        let mut parts = word.split('.');
        let mut number = |digits: usize| {
            let part = parts.next()?;
            (part.len() <= digits && part.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| part.parse::<u16>().ok())?
        };
        let (class, subject, detail) = (number(1)?, number(3)?, number(3)?);
        let class = u8::try_from(class).ok().filter(|class| [2, 4, 5].contains(class))?;
        parts.next().is_none().then_some(Self { class, subject, detail })
    }
}

impl std::fmt::Display for EnhancedCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_read() {
        let line = |text: &str| Line::parse(text.as_bytes());
        assert_eq!(line("250-PIPELINING"), Ok(Line { code: 250, more: true, text: "PIPELINING".to_owned() }));
        assert_eq!(line("220"), Ok(Line { code: 220, more: false, text: String::new() }));
        for nonsense in ["", "22", "199 x", "600 x", "2x0 x", "220_x", "999 x", "HTTP/1.1 400 Bad Request", "SSH-2.0-x"]
        {
            assert_eq!(line(nonsense), Err(NotAReply), "{nonsense}");
        }
        assert_eq!(Line::parse(b"220 bient\xf4t").map(|line| line.text), Ok("bientôt".to_owned()));
        assert_eq!(line("550 a\rb").map(|line| line.text), Ok("a b".to_owned()));
    }

    #[test]
    fn the_enhanced_code_is_taken_out_of_every_line() {
        let reply = Reply::parse("535-5.7.8 Username and Password not accepted.\r\n535 5.7.8  https://support.example")
            .unwrap();
        assert_eq!(reply.enhanced, Some(EnhancedCode { class: 5, subject: 7, detail: 8 }));
        assert_eq!(reply.words(), "535 5.7.8 Username and Password not accepted. https://support.example");
        let words = |text: &str| Reply::parse(text).map(|reply| reply.words()).unwrap_or_default();
        assert_eq!(words("550-5.7.1 no\n550 5.7.139 no"), "550 5.7.1 no 5.7.139 no", "another code is left whole");
        assert_eq!(words("550  5.7.1 no"), "550 5.7.1 no", "after two blanks it is not repeated");
        assert_eq!(words("550-\n550-5.7.1 no\n550 5.7.1  never"), "550 5.7.1 no never", "after an empty line");
        assert_eq!(EnhancedCode::parse("1.2.3.4 is blocked"), None);
        assert_eq!(EnhancedCode::parse("5.7.1000"), None);
        assert_eq!(EnhancedCode::parse("3.1.1"), None);
    }

    proptest! {
        #[test]
        fn bytes_never_make_it_panic(bytes in any::<Vec<u8>>(), text in any::<String>()) {
            let _ = Line::parse(&bytes);
            let _ = Reply::parse(&text).map(|reply| reply.words());
        }
    }
}

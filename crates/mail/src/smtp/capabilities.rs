//! The extensions that a server announces in its reply to EHLO (RFC 5321 §4.1.1.1). Keywords are case-insensitive.

use crate::{reply::Reply, shown::clean};

/// The extensions that matter to a submission.
#[allow(clippy::struct_excessive_bools, reason = "an extension is supported or not")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The keywords as the server sent them.
    pub lines: Vec<String>,
    /// SASL mechanisms, in upper case (RFC 4954; also in the old form `AUTH=LOGIN`).
    pub auth: Vec<String>,
    /// RFC 3207.
    pub starttls: bool,
    /// RFC 2920.
    pub pipelining: bool,
    /// RFC 3030.
    pub chunking: bool,
    /// RFC 6152.
    pub eight_bit_mime: bool,
    /// RFC 6531.
    pub smtputf8: bool,
    /// RFC 2034.
    pub enhanced_status_codes: bool,
    /// RFC 1870: announced, and the limit in bytes if there is one.
    pub size: Option<Option<u64>>,
    /// RFC 9422: the most recipients of one transaction.
    pub most_recipients: Option<usize>,
}

/// The most keywords that are shown.
const MOST_SHOWN: usize = 64;
/// Longest keyword line that is shown, in characters.
const LONGEST_SHOWN: usize = 100;

impl Capabilities {
    /// Parses the reply. Its first line is the server's name.
    pub fn parse(reply: &Reply) -> Self {
        let mut found = Self::default();
        for line in reply.lines.iter().skip(1) {
            found.read(line.trim());
        }
        found
    }

    fn read(&mut self, line: &str) {
        let upper = line.to_ascii_uppercase();
        let mut words = upper.split_whitespace();
        let Some(keyword) = words.next() else { return };
        match keyword {
            "STARTTLS" => self.starttls = true,
            "PIPELINING" => self.pipelining = true,
            "CHUNKING" => self.chunking = true,
            "8BITMIME" => self.eight_bit_mime = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "ENHANCEDSTATUSCODES" => self.enhanced_status_codes = true,
            "SIZE" => self.size = Some(words.next().and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0)),
            "LIMITS" => {
                let most = words.find_map(|word| word.strip_prefix("RCPTMAX=").map(str::parse::<usize>));
                self.most_recipients = most.and_then(Result::ok).filter(|most| *most > 0);
            }
            "AUTH" => words.for_each(|mechanism| self.add_mechanism(mechanism)),
            _ => {
                if let Some(first) = keyword.strip_prefix("AUTH=") {
                    self.add_mechanism(first);
                    words.for_each(|mechanism| self.add_mechanism(mechanism));
                }
            }
        }
        if self.lines.len() < MOST_SHOWN {
            self.lines.push(clean(line).chars().take(LONGEST_SHOWN).collect());
        }
    }

    fn add_mechanism(&mut self, name: &str) {
        if !name.is_empty() && self.auth.len() < MOST_SHOWN && !self.auth.iter().any(|known| known == name) {
            self.auth.push(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_keyword_counts() {
        let reply = Reply::parse(
            "250-mx.example at your service\r\n250-size 35882577\r\n250-Pipelining\r\n250-auth=LOGIN plain\r\n\
             250-AUTH LOGIN XOAUTH2\r\n250-StartTLS\r\n250-8bitmime\r\n250-CHUNKING\r\n250 SMTPUTF8",
        )
        .unwrap();
        let found = Capabilities::parse(&reply);
        assert_eq!(found.auth, ["LOGIN", "PLAIN", "XOAUTH2"]);
        assert_eq!(found.size, Some(Some(35_882_577)));
        assert!(found.pipelining && found.starttls && found.eight_bit_mime && found.chunking && found.smtputf8);
        assert!(!found.enhanced_status_codes);
        assert_eq!(found.lines.len(), 8);
    }

    #[test]
    fn the_first_line_is_a_name_and_sizes_may_be_missing() {
        assert_eq!(Capabilities::parse(&Reply::parse("250 STARTTLS").unwrap()), Capabilities::default());
        let sizes = |line: &str| Capabilities::parse(&Reply::parse(&format!("250-x\r\n250 {line}")).unwrap()).size;
        assert_eq!(sizes("SIZE"), Some(None));
        assert_eq!(sizes("SIZE 0"), Some(None));
        assert_eq!(sizes("SIZES 5"), None);
    }

    #[test]
    fn a_limit_of_recipients_is_read() {
        let most =
            |line: &str| Capabilities::parse(&Reply::parse(&format!("250-x\r\n250 {line}")).unwrap()).most_recipients;
        assert_eq!(most("limits MAILMAX=5 rcptmax=50"), Some(50));
        for nothing in ["LIMITS MAILMAX=5", "LIMITS RCPTMAX=0", "LIMITS RCPTMAX=many", "RCPTMAX=5"] {
            assert_eq!(most(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_server_that_lists_hundreds_is_cut() {
        let keywords: String = (0..200).map(|n| format!("250-X{n}\r\n")).collect();
        let mechanisms: String = (0..200).map(|n| format!(" M{n}")).collect();
        let found =
            Capabilities::parse(&Reply::parse(&format!("250-x\r\n{keywords}250 AUTH{mechanisms} PLAIN")).unwrap());
        assert_eq!((found.lines.len(), found.auth.len()), (64, 64));
    }
}

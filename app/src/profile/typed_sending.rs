//! Server side. The input of the page **Envoi**, and its parser.

use super::sending::SendingOptions;

/// A limit that may be set: its name in the form, and the most it may be.
pub const LIMITS: [(&str, u32); 3] = [("max-connections", 20), ("per-minute", 6_000), ("per-day", 1_000_000)];

/// The raw input. An empty field means the provider's limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct TypedSending {
    pub max_connections: String,
    pub per_minute: String,
    pub per_day: String,
    pub check_hourly: String,
    pub fallback: String,
}

impl TypedSending {
    fn numbers(&self) -> [&str; 3] {
        [&self.max_connections, &self.per_minute, &self.per_day].map(|text| text.trim())
    }

    /// The parsed settings, or the names of the invalid fields.
    pub fn check(&self) -> Result<SendingOptions, Vec<&'static str>> {
        let (mut limits, mut wrong) = ([None; 3], Vec::new());
        for ((text, (name, most)), limit) in self.numbers().into_iter().zip(LIMITS).zip(&mut limits) {
            // 1 000 may be written with any kind of space.
            let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            if !digits.is_empty() {
                let number = digits.parse::<u32>().ok().filter(|number| (1..=most).contains(number));
                if number.is_none() {
                    wrong.push(name);
                }
                *limit = number;
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let [max_connections, per_minute, per_day] = limits;
        let (check_hourly, fallback) = (!self.check_hourly.is_empty(), !self.fallback.is_empty());
        Ok(SendingOptions { max_connections, per_minute, per_day, check_hourly, fallback })
    }

    /// Input stored to be shown again: truncated, because a limit is a short number.
    pub(crate) fn shortened(&self) -> Self {
        let short = |text: &str| text.chars().take(LONGEST).collect();
        Self {
            max_connections: short(&self.max_connections),
            per_minute: short(&self.per_minute),
            per_day: short(&self.per_day),
            check_hourly: short(&self.check_hourly),
            fallback: short(&self.fallback),
        }
    }

    /// The texts of the limits, as they were typed.
    pub fn limits(&self) -> [&str; 3] {
        [&self.max_connections, &self.per_minute, &self.per_day]
    }
}

/// Longest text that is shown again, in characters.
pub(super) const LONGEST: usize = 24;

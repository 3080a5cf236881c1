//! Server side. Parsers for lengths and font families.

/// Generic families, which must not be quoted (CSS Fonts 4, §2.1).
const GENERIC: [&str; 6] = ["serif", "sans-serif", "monospace", "system-ui", "ui-sans-serif", "ui-monospace"];

/// Parses `14px` or `0.875rem`; in CSS pixels, within bounds.
pub(super) fn length(text: &str, least: f64, most: f64) -> Option<f64> {
    let text = text.trim();
    let (digits, pixels) = match (text.strip_suffix("rem"), text.strip_suffix("px")) {
        (Some(digits), _) => (digits, 16.0),
        (None, Some(digits)) => (digits, 1.0),
        (None, None) => return None,
    };
    let plain =
        !digits.is_empty() && digits.len() < 8 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value = digits.parse::<f64>().ok().filter(|_| plain)? * pixels;
    (least..=most).contains(&value).then_some(value)
}

/// Parses a list of font families and quotes each. Only installed fonts are used: none is loaded.
pub(super) fn families(text: &str) -> Option<String> {
    let names: Option<Vec<String>> = text.split(',').map(|name| family(name.trim())).collect();
    names.filter(|names| names.len() <= 8).map(|names| names.join(","))
}

fn family(name: &str) -> Option<String> {
    let bare = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(name);
    let bare = bare.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(bare);
    let plain = (1..=40).contains(&bare.len())
        && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_".contains(&byte));
    match (plain, GENERIC.contains(&bare)) {
        (false, _) => None,
        (true, true) => Some(bare.to_owned()),
        (true, false) => Some(format!("\"{bare}\"")),
    }
}

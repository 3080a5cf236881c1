//! Makes untrusted text safe to show.

/// The most characters of a server's text that are shown.
pub(crate) const LONGEST: usize = 500;

/// The text as it may be shown: at most 500 characters, no control characters, no bidirectional marks.
pub fn clean(text: &str) -> String {
    let mut visible = visible(text);
    let mut begun: String = visible.by_ref().take(LONGEST).collect();
    if visible.next().is_some() {
        begun.pop();
        begun.push('…');
    }
    begun
}

/// The visible characters: neither control characters nor marks without a shape.
pub(crate) fn visible(text: &str) -> impl Iterator<Item = char> {
    let hidden = |c: &char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(move |c| !hidden(c))
}

//! Server side. What stands in the place of a password and is none: the dots a page shows, what a program writes for "nothing",
//! a place holder that nobody filled in.
//!
//! Whatever fills a form in a browser (a script, a password manager, a portal's page) may send back what it was shown. Stored,
//! it would be tried three times, and the owner would look for the fault at the provider. A password that is really made of
//! nothing but mask characters is not worth that.

use model::password::is_invisible;

/// Characters that masks are made of and keyboards do not type.
const DOTS: [char; 26] = [
    '•', '●', '∙', '·', '⋅', '○', '◦', '⚫', '⚪', '⬤', '■', '█', '▪', '◾', '▮', '…', '․', '‧', '∗', '⁎', '＊', '✱',
    '✲', '⦁', '⏺', '◉',
];
/// Typed ones: a mask when there is nothing else and there are several.
const TYPED: [char; 4] = ['*', '.', '-', '_'];
/// How many typed ones make a mask.
const SEVERAL: usize = 3;
/// What programs write for "there is nothing", by itself or in any quotes and brackets.
const NOTHING: [&str; 7] = ["null", "undefined", "none", "nil", "objectobject", "nan", "nullptr"];
/// What is written in the place of a secret, without spaces: in brackets only, since some are words.
const WITHHELD: [&str; 22] = [
    "unchanged",
    "hidden",
    "redacted",
    "masked",
    "filtered",
    "protected",
    "removed",
    "omitted",
    "secret",
    "password",
    "not set",
    "notset",
    "unset",
    "set",
    "empty",
    "inchangé",
    "inchange",
    "masqué",
    "caché",
    "motdepasse",
    "keep",
    "encrypted",
];

/// Whether this stands for a password and is none. Invisible characters hide nothing.
pub fn is_mask(typed: &str) -> bool {
    let seen: String = typed.chars().filter(|c| !is_invisible(*c)).collect();
    let text: String = seen.chars().filter(|c| !c.is_whitespace()).collect();
    let Some(first) = text.chars().next() else { return false };
    let length = text.chars().count();
    let only = |set: &[char]| text.chars().all(|c| set.contains(&c) || DOTS.contains(&c));
    // Dots in a row with something else: the last characters of a secret, shown to tell one from another.
    let dots = text.split(|c| !DOTS.contains(&c)).map(|run| run.chars().count()).max().unwrap_or_default();
    // A sign that no keyboard types, again and again.
    let repeated =
        !first.is_ascii() && !first.is_alphanumeric() && length >= SEVERAL && text.chars().all(|c| c == first);
    if only(&[]) || dots >= SEVERAL || (only(&TYPED) && length >= SEVERAL) || repeated || text == "**" {
        return true;
    }
    stands_for_nothing(seen.trim()) || is_place_holder(seen.trim())
}

/// Whether a program wrote this into a field that people type a name into. Somebody may be called Null.
pub fn is_leftover(typed: &str) -> bool {
    let seen: String = typed.chars().filter(|c| !is_invisible(*c)).collect();
    let text = seen.trim();
    ["null", "undefined", "NaN"].contains(&text) || is_object(&text.to_lowercase()) || (text.len() > 4 && is_mask(text))
}

/// `[object HTMLInputElement]`, in lower case.
fn is_object(text: &str) -> bool {
    let name = text.trim_matches(['[', ']']).strip_prefix("object ").map(str::trim_start);
    text.starts_with('[')
        && name.is_some_and(|name| !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric()))
}

fn stands_for_nothing(text: &str) -> bool {
    const FENCES: &str = "<>()[]{}\"'`";
    let inner = text.trim_matches(|c: char| FENCES.contains(c) || c == '*' || c.is_whitespace());
    // Spaces may have been taken off already, where they are cosmetic.
    let word: String = inner.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let fenced = inner.len() < text.len();
    // Quotes and brackets around nothing are an empty value that somebody wrote down.
    let empty = word.is_empty() && text.len() > 1 && text.contains(|c: char| FENCES.contains(c));
    let nothing = |word: &str| NOTHING.iter().any(|nothing| !word.is_empty() && word.replace(nothing, "").is_empty());
    empty || nothing(&word) || is_object(&text.to_lowercase()) || (fenced && WITHHELD.contains(&word.as_str()))
}

/// `${SMTP_PASSWORD}`, `{{ password }}`, `%PASSWORD%`, `<%= secret %>`: a template that was not filled in.
fn is_place_holder(text: &str) -> bool {
    let fences = [("${", "}"), ("{{", "}}"), ("<%", "%>"), ("%", "%"), ("#{", "}"), ("$(", ")")];
    fences.into_iter().any(|(open, close)| {
        let inner = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        let name = |inner: &str| {
            let inner = inner.trim_matches(|c: char| c.is_whitespace() || c == '=' || c == '{' || c == '}');
            let word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            let about = ["pass", "secret", "pwd", "smtp", "mail"];
            !inner.is_empty() && inner.chars().all(word) && about.iter().any(|word| inner.to_lowercase().contains(word))
        };
        inner.is_some_and(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_place_of_a_password_is_none() {
        for mask in [
            "********",
            "***",
            "**",
            "••••",
            "•",
            "●●●●●●●●",
            "∙∙∙∙",
            "········",
            "........",
            "--------",
            "____",
            "…",
            "＊＊＊＊",
            "**** ****",
            " •••••••• ",
            "•\u{200b}•\u{200b}•",
            "*•*•",
            "••••abcd",
            "ab•••••••yz",
            "null",
            "NULL",
            "Null",
            "undefined",
            "None",
            "nil",
            "NaN",
            " null\n",
            "\"null\"",
            "'undefined'",
            "(null)",
            "<nil>",
            "[object Object]",
            "[Object object]",
            "(unchanged)",
            "<unchanged>",
            "[hidden]",
            "[FILTERED]",
            "***REDACTED***",
            "<redacted>",
            "{masked}",
            "(inchangé)",
            "\"\"",
            "''",
            "{}",
            "[]",
            "()",
            "${SMTP_PASSWORD}",
            "{{ password }}",
            "%PASSWORD%",
            "<%= secret %>",
            "<password>",
            "null\u{feff}",
            "\u{202e}null",
            "nu\u{200b}ll",
            "undefinedundefined",
            "nullnull",
            "[object HTMLInputElement]",
            "[object Undefined]",
            "\u{2011}\u{2011}\u{2011}\u{2011}",
            "\u{25cf}\u{fe0f}\u{25cf}\u{fe0f}\u{25cf}\u{fe0f}",
            "🔒🔒🔒🔒",
            "🔑🔑🔑🔑",
            "⋆⋆⋆⋆",
        ] {
            assert!(is_mask(mask), "{mask:?}");
        }
    }

    #[test]
    fn a_password_is_a_password() {
        for password in [
            "tres-secret",
            "abcdefghijklmnop",
            "abcd efgh ijkl mnop",
            "x",
            "*",
            "-",
            "**a**",
            "p****",
            "null1",
            "nullable",
            "undefined2",
            "nonesuch",
            "unchanged",
            "hidden",
            "redacted",
            "Secret",
            "password",
            "motdepasse",
            "(a)",
            "{abc}",
            "<b>null</b>",
            "a·b",
            "···a",
            "a…b",
            "100%",
            "%abc%",
            "${x}",
            "a.b.c",
            "-_-",
            "o_O",
            "123456",
            "é",
            "🔑🔒",
            "ééé",
            "[objects]",
            "object",
            "nullified",
            "\"a\"",
            "",
            "set",
            "empty",
        ] {
            // Three middle dots in a row are a mask's; so is a face of three typed ones.
            let expected = matches!(password, "···a" | "-_-");
            assert_eq!(is_mask(password), expected, "{password:?}");
        }
        let long = "x".repeat(1024);
        assert!(!is_mask(&long));
    }

    #[test]
    fn what_a_program_left_in_a_name_is_none() {
        for left in ["null", "undefined", " undefined\u{200b}", "[object Object]", "NaN", "********", "${SMTP_LOGIN}"] {
            assert!(is_leftover(left), "{left}");
        }
        for name in
            ["Null", "NULL", "Christopher Null", "null@exemple.fr", "Boulangerie ***", "***", "", "Undefined Studio"]
        {
            assert!(!is_leftover(name), "{name}");
        }
    }
}

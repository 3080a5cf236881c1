//! Server side. Placeholders instead of a password: the dots that a page shows, a program's text for "no value", an
//! unfilled template.
//!
//! A script or a password manager may send back the placeholder it was shown. If it were stored, it would be tried
//! three times, and the user would blame the provider. The price: a real password that consists only of mask characters
//! is refused, too.

use model::password::is_invisible;

/// Characters that masks are made of and keyboards do not type.
const DOTS: [char; 26] = [
    '•', '●', '∙', '·', '⋅', '○', '◦', '⚫', '⚪', '⬤', '■', '█', '▪', '◾', '▮', '…', '․', '‧', '∗', '⁎', '＊', '✱',
    '✲', '⦁', '⏺', '◉',
];
/// Mask characters that keyboards do type: several of them and nothing else are a mask.
const TYPED: [char; 4] = ['*', '.', '-', '_'];
/// How many of those make a mask.
const SEVERAL: usize = 3;
/// How many stars in a row, beside a few characters, make a mask: the end of a secret, as pages show it.
const STARS: usize = 5;
/// What programs write for "no value", alone or in quotes or brackets.
const NOTHING: [&str; 7] = ["null", "undefined", "none", "nil", "objectobject", "nan", "nullptr"];
/// Placeholders for a secret, without spaces. They count only in brackets, because some are ordinary words.
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

/// Whether this is a placeholder instead of a password. Invisible characters are ignored.
pub fn is_mask(typed: &str) -> bool {
    let seen: String = typed.chars().filter(|c| !is_invisible(*c)).collect();
    let text: String = seen.chars().filter(|c| !c.is_whitespace()).collect();
    let Some(first) = text.chars().next() else { return false };
    let length = text.chars().count();
    let only = |set: &[char]| text.chars().all(|c| set.contains(&c) || DOTS.contains(&c));
    // Dots and a few characters: the end of a secret, as pages show it.
    let dots = text.split(|c| !DOTS.contains(&c)).map(|run| run.chars().count()).max().unwrap_or_default();
    // A repeated character that no keyboard types.
    let repeated =
        !first.is_ascii() && !first.is_alphanumeric() && length >= SEVERAL && text.chars().all(|c| c == first);
    let stars = text.split(|c| c != '*').map(str::len).max().unwrap_or_default();
    if stars >= STARS
        || is_crossed_out(seen.trim())
        || is_code(&text)
        || only(&[])
        || dots >= SEVERAL
        || (only(&TYPED) && length >= SEVERAL)
        || repeated
        || text == "**"
    {
        return true;
    }
    stands_for_nothing(seen.trim()) || is_place_holder(seen.trim())
}

/// `xxxx xxxx xxxx`, `XXXX-XXXX`: groups of a placeholder letter.
fn is_crossed_out(text: &str) -> bool {
    let mut groups = text.split(|c: char| c.is_whitespace() || "-_./".contains(c)).filter(|group| !group.is_empty());
    let crossed =
        |group: &str| group.len() >= SEVERAL && group.bytes().all(|letter| letter.eq_ignore_ascii_case(&b'x'));
    groups.clone().count() > 1 && groups.all(crossed)
}

/// A function that was printed instead of called, without spaces: `function(){}`, `()=>{…}`.
fn is_code(text: &str) -> bool {
    let body = text.ends_with('}') && text.contains('{');
    (text.starts_with("function") && text.contains("()") && body) || (text.contains(")=>") && text.starts_with('('))
}

/// Whether a name field contains a program's placeholder. `null` is allowed: it is a surname.
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
    // Cosmetic spaces may be removed already.
    let word: String = inner.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let fenced = inner.len() < text.len();
    // Quotes or brackets around nothing: an empty value.
    let empty = word.is_empty() && text.len() > 1 && text.contains(|c: char| FENCES.contains(c));
    let nothing = |word: &str| NOTHING.iter().any(|nothing| !word.is_empty() && word.replace(nothing, "").is_empty());
    empty
        || nothing(word.trim_end_matches([';', ',']))
        || is_object(&text.to_lowercase())
        || (fenced && WITHHELD.contains(&word.as_str()))
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
    fn placeholders_are_not_passwords() {
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
            "xxxx xxxx xxxx xxxx",
            "XXXX-XXXX-XXXX",
            "xxx_xxx",
            "null;",
            "undefined,",
            "function () {}",
            "function value() { [native code] }",
            "() => {}",
            "*******a",
            "a*******",
            "*****abcd",
        ] {
            assert!(is_mask(mask), "{mask:?}");
        }
    }

    #[test]
    fn unusual_passwords_are_accepted() {
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
            "xxxxxxxxxxxx",
            "xx-xx",
            "xxx xyz",
            "xxx",
            "functional",
            "function1{}",
            "a;b",
            "nullify;",
            "(a)=b",
        ] {
            // Three middle dots are a mask; so are three typed ones.
            let expected = matches!(password, "···a" | "-_-");
            assert_eq!(is_mask(password), expected, "{password:?}");
        }
        let long = "x".repeat(1024);
        assert!(!is_mask(&long));
    }

    #[test]
    fn placeholders_are_not_names() {
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

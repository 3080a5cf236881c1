//! No form of the secret is shown.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use secrecy::SecretString;

use super::*;

mod blocking;
mod properties;

#[test]
fn text_of_strangers_is_cleaned() {
    assert_eq!(clean("550 \u{1b}[31mno\u{7}\u{202e}txt"), "550 [31mnotxt");
    assert_eq!(clean(&"x".repeat(10_000)).chars().count(), 500);
    let nobody = Redactor::new(None);
    assert_eq!(nobody.redact("550 \u{1b}[31mno\u{7}\u{202e}txt"), "550 [31mnotxt");
    assert_eq!(nobody.redact(&"x".repeat(10_000)), clean(&"x".repeat(10_000)));
}

fn redactor(secret: &str) -> Redactor {
    Redactor::new(Some(("claire@exemple.fr", &SecretString::from(secret))))
}

fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase()
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// The secret is not shown, in any case, with or without spaces, in a line or across lines.
fn is_clear(shown: &str, secret: &str) -> bool {
    !squeeze(shown).contains(&squeeze(secret))
}

/// The runs of `run` characters of `wanted` that are in `shown`.
fn left(shown: &str, wanted: &str, run: usize) -> Option<String> {
    let wanted: Vec<char> = wanted.chars().collect();
    wanted.windows(run).map(|run| run.iter().collect::<String>()).find(|run| shown.contains(run.as_str()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn percent(text: &str, mark: char) -> String {
    let letter = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("{mark}{byte:02X}") }
    };
    text.bytes().map(letter).collect()
}

#[test]
fn a_secret_is_found_behind_every_disguise() {
    let secret = "Tr0ub4dor&3 <é>";
    let inside = BASE64_STANDARD.encode(format!("user=claire\x01auth=Bearer {secret}\x01\x01"));
    for echoed in [
        secret.to_uppercase(),
        secret.chars().rev().collect(),
        secret.chars().flat_map(|c| [c, '\u{200b}']).collect(),
        secret.chars().flat_map(|c| [c, '\u{ad}', '\u{7}']).collect(),
        secret.chars().flat_map(|c| [c, ' ']).collect(),
        "Tr0ub4dor&amp;3 &lt;é&gt;".to_owned(),
        "Tr0ub4dor=263=20=3C=C3=A9=3E".to_owned(),
        secret.bytes().map(|byte| format!("{byte:02X}")).collect(),
        secret[..10].to_owned(),
        BASE64_STANDARD.encode(format!("xx{secret}xx")),
        inside.clone(),
        inside[..inside.len() - 3].to_owned(),
    ] {
        let shown = redactor(secret).redact(&format!("535 <{echoed}> is wrong"));
        assert!(is_clear(&shown, secret) && shown.contains(REDACTED), "{echoed:?} {shown:?}");
        assert!(!shown.to_lowercase().contains(&echoed.to_lowercase()), "{shown:?}");
    }
    assert_eq!(redactor(secret).redact("535 Invalid login or password"), "535 Invalid login or password");
    assert_eq!(redactor("aB1").redact("535 aB1 and AB1"), "535 ••• and •••");
    let initial = BASE64_STANDARD.encode("\0claire@exemple.fr\0aB1");
    assert_eq!(redactor("aB1").redact(&format!("501 {initial}?")), "501 •••?");
}

/// Forms that earlier versions missed: each must be replaced by the mark alone.
#[test]
fn gaps_that_are_closed() {
    let secret = "kX9mQ2vL5tRw";
    let each =
        |separator: &str, one: &dyn Fn(u8) -> String| secret.bytes().map(one).collect::<Vec<_>>().join(separator);
    let mut bits: String = secret.bytes().map(|byte| format!("{byte:08b}")).collect();
    while !bits.len().is_multiple_of(5) {
        bits.push('0');
    }
    let base32: String = bits
        .as_bytes()
        .chunks(5)
        .map(|five| usize::from_str_radix(std::str::from_utf8(five).unwrap(), 2).unwrap())
        .map(|value| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[value]))
        .collect();
    let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for echoed in [
        each(" ", &|byte| format!("{byte:02x}")),
        each(".", &|byte| format!("{byte:02X}")),
        each(":", &|byte| format!("{byte:02x}")),
        each("-", &|byte| format!("{byte:02x}")),
        each(", ", &|byte| format!("0x{byte:02x}")),
        each("", &|byte| format!("\\x{byte:02x}")),
        each("", &|byte| format!("\\u{byte:04x}")),
        each("", &|byte| format!("\\{byte:03o}")),
        each(" ", &|byte| format!("{byte}")),
        each(",", &|byte| format!("{byte}")),
        each(" ", &|byte| format!("{byte:o}")),
        each(" ", &|byte| format!("{byte:08b}")),
        each("", &|byte| format!("&#{byte};")),
        each("", &|byte| format!("&#x{byte:x};")),
        each("", &|byte| format!("%{byte:02x}")),
        each("", &|byte| format!("%25{byte:02x}")),
        "xK9zD2iY5gEj".to_owned(),
        base32.clone(),
        base32.to_lowercase(),
        BASE64_STANDARD.encode(BASE64_STANDARD.encode(secret)),
        BASE64_STANDARD.encode(BASE64_STANDARD.encode(format!("\0claire@exemple.fr\0{secret}"))),
        BASE64_STANDARD.encode(hex(secret.as_bytes())),
        hex(BASE64_STANDARD.encode(secret).as_bytes()),
        BASE64_STANDARD.encode(&wide),
        hex(&wide),
        BASE64_STANDARD.encode(format!("\0claire@exemple.fr\0{secret}")).to_uppercase(),
        secret.chars().map(|c| format!("{c}.")).collect(),
        secret.chars().map(|c| format!("[{c}] ")).collect(),
    ] {
        let shown = redactor(secret).redact(&format!("535 wrong: {echoed} !"));
        assert!(shown.contains(REDACTED), "{echoed} {shown}");
        assert!(left(&plain(&shown), &plain(&echoed), 8).is_none(), "{echoed} {shown}");
        assert!(shown.starts_with("535 wrong: ") && shown.ends_with('!'), "the rest stays: {shown}");
    }
}

/// Letters that look like the secret's, and encodings that no sensible server uses.
#[test]
fn jokes_are_found() {
    let secret = "Zq7!mWvP-3xK9rTnB5yL";
    let turned: String = secret.chars().rev().collect();
    let between = |put: &str| secret.chars().map(|c| format!("{c}{put}")).collect::<String>();
    let shifted = |by: u32| -> String { secret.chars().map(|c| char::from_u32(u32::from(c) + by).unwrap()).collect() };
    let once = BASE64_STANDARD.encode(secret);
    let reversed = |text: &str| text.chars().rev().collect::<String>();
    let thrice = |before: &str| (0..3).fold(format!("{before}{secret}"), |text, _| BASE64_STANDARD.encode(text));
    for (echoed, run) in [
        (shifted(0xfee0), 6),
        (between("\u{301}"), 12),
        (between("\u{20dd}\u{fe0f}"), 18),
        (between("•"), 12),
        (between("😀"), 12),
        (between("x"), 12),
        (between("xx"), 18),
        (between("ab."), 24),
        (secret.chars().flat_map(|c| ['#', c]).collect(), 12),
        (BASE64_STANDARD.encode(&turned), 9),
        (reversed(&once), 9),
        (reversed(&hex(secret.as_bytes())), 12),
        (hex(turned.as_bytes()), 12),
        (thrice(""), 16),
        (thrice("x"), 16),
        (thrice("xy"), 16),
        // Base85 (RFC 1924, Adobe) and uuencode (with spaces, with accents), after nothing and after up to three
        // letters.
        ("T5&faZC7?sEi-saIdW8PLN$3z".to_owned(), 6),
        (">&cJED-(mW/MhWE3HA):68a$^".to_owned(), 6),
        ("46G$W(6U7=E M,WA+.7)4;D(U>4P".to_owned(), 7),
        ("46G$W(6U7=E`M,WA+.7)4;D(U>4P`".to_owned(), 7),
        ("by{&ZA#GQ7P%SffOF42>ZbCJAOa".to_owned(), 6),
        ("F]rcD+`1;(:b=JJ90%#lDF-4+9E".to_owned(), 6),
        (r#"5=5IQ-R%M5W90+3-X2SER5&Y"-7E,"#.to_owned(), 7),
        (r#"5=5IQ-R%M5W90+3-X2SER5&Y"-7E,"#.to_owned(), 7),
        ("b#q#AHz93Tc2F%dcuP5QRBl2wc}x".to_owned(), 6),
        (r"F`U`+2^*$>G#0bHGY:&;<,P#[Gt\".to_owned(), 6),
        (r#"6=7-:<3<A;5=V4"TS>$LY<E1N0C5Y3"#.to_owned(), 7),
        (r#"6=7-:<3<A;5=V4"TS>$LY<E1N0C5Y3```"#.to_owned(), 7),
        ("b#rA}aW^4tS9VY>Gk8lma#U_YHF-<".to_owned(), 6),
        ("F`V+tEAo%X=*@Cl1O)PQE`?pC20hj".to_owned(), 6),
        ("7=7-E6G$W(6U7=E M,WA+.7)4;D(U>4P".to_owned(), 7),
        ("7=7-E6G$W(6U7=E`M,WA+.7)4;D(U>4P`".to_owned(), 7),
    ] {
        let shown = redactor(secret).redact(&format!("535 wrong: {echoed} !"));
        assert!(shown.contains(REDACTED), "{echoed} {shown}");
        assert!(left(&shown, &echoed, run).is_none(), "{echoed} {shown}");
        assert!(shown.starts_with("535 wrong: ") && shown.ends_with('!'), "the rest stays: {shown}");
    }
    let accented = "Gâteau-Éclair-9";
    for echoed in ["gateau-eclair-9", "GATEAU ECLAIR 9", "G\u{302}ateau-E\u{301}clair"] {
        let shown = redactor(accented).redact(&format!("535 wrong: {echoed} !"));
        assert_eq!(shown, "535 wrong: ••• !", "{echoed}");
    }
}

#[test]
fn a_secret_across_the_lines_of_a_reply_is_found() {
    for reply in [
        "535-5.7.8 no abcde\r\n535 fghijkl",
        "535-5.7.8 no abcde\r\n535 5.7.8 fghijkl",
        "535-no ab\r\n535-cd\r\n535-ef\r\n535-gh\r\n535 ijkl",
    ] {
        let mut transcript = Transcript::new(redactor("abcdefghijkl"));
        let reply = Reply::parse(reply).unwrap();
        transcript.reply(&reply);
        let shown = [transcript.take().join(" "), transcript.shown(&reply.words())];
        for shown in shown {
            for part in ["abcd", "ab", "cd", "ef", "gh", "ij", "kl"] {
                assert!(!shown.contains(part), "{shown}");
            }
            assert!(shown.contains("no"), "{shown}");
        }
    }
}

/// Half of it in each of two replies: the remaining part is too short to reveal it.
#[test]
fn a_secret_across_two_replies_is_found() {
    let mut transcript = Transcript::new(redactor("abcdefgh"));
    transcript.reply(&Reply::parse("334 so far abcd").unwrap());
    transcript.client("•••");
    transcript.reply(&Reply::parse("535-efgh\r\n535 no").unwrap());
    assert_eq!(transcript.take(), ["S: 334 so far abcd", "C: •••", "S: 535-•••", "S: 535 no"]);
    let capabilities = ["XA abcd".to_owned(), "efgh".to_owned()];
    assert_eq!(transcript.shown_lines(&capabilities), ["XA •••", "•••"]);
}

/// Of a long token, base64 of other encodings is found by decoding it.
#[test]
fn a_token_inside_base64_is_found() {
    let token: String = (0..3_000_u32).map(|n| char::from(b"aQ9/-x_Zk3+R"[(n * n % 131 % 12) as usize])).collect();
    let part = &token[..180];
    let escaped: String = part.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    for got in [percent(part, '%'), escaped[..400].to_owned(), BASE64_STANDARD.encode(part), part.replace('/', "\\/")] {
        let json = format!(r#"{{"status":"401","got":"{got}"}}"#);
        for whole in [BASE64_STANDARD.encode(&json), BASE64_URL_SAFE.encode(&json)] {
            let cut = &whole[..whole.len().min(480)];
            assert_eq!(redactor(&token).redact(&format!("535 <{cut}> no")), "535 <•••> no", "{json}");
        }
    }
    let reason = BASE64_STANDARD.encode(r#"{"status":"401","schemes":"Bearer"}"#);
    assert_eq!(redactor(&token).redact(&reason), reason, "an innocent one stays");
}

#[test]
fn a_part_of_a_long_token_is_found() {
    let token: String = (0..20_000_u32).map(|n| char::from(b'a' + u8::try_from(n * n % 23).unwrap())).collect();
    let shown = redactor(&token).redact(&format!("535 token {} expired", &token[7_000..7_050]));
    assert_eq!(shown, "535 token ••• expired");
}

/// 64 KiB in one reply, or in many: the search is limited, and unsearched text is not shown.
#[test]
fn what_is_not_searched_is_not_shown() {
    let secret = "kX9mQ2vL5tRw";
    let mut lines = vec!["x".repeat(700); 20];
    lines.push(secret.to_owned());
    let shown = redactor(secret).redact_lines(&lines);
    assert!(shown[0].starts_with('x') && shown[7].starts_with('x'), "{shown:?}");
    assert!(shown[8..].iter().all(|line| line == "…"), "{shown:?}");
    let mut transcript = Transcript::new(redactor(secret));
    for _ in 0..100 {
        transcript.reply(&Reply::parse(&format!("535 {}", "x".repeat(700))).unwrap());
    }
    assert!((5..20).contains(&transcript.take().len()));
}

#[test]
fn the_cut_does_not_show_the_beginning() {
    let secret = "kX9mQ2vL5tRw";
    for encoded in [secret.to_owned(), BASE64_STANDARD.encode(secret), hex(secret.as_bytes())] {
        for before in 470..=505 {
            let shown = redactor(secret).redact(&format!("{} {encoded} {}", "x".repeat(before), "y ".repeat(40_000)));
            assert!(shown.chars().count() <= LONGEST && shown.ends_with('…'), "{before}");
            assert!(left(&shown, &encoded, 3).is_none(), "{before}: {shown}");
        }
    }
}

/// A common password does not redact an ordinary refusal.
#[test]
fn what_servers_say_stays_as_it_is() {
    let corpus: Vec<serde_json::Value> = serde_json::from_str(include_str!("../../diagnosis/corpus.json")).unwrap();
    for secret in [
        "Tr0ub4dor&3 <é>",
        "abcd efgh ijkl mnop",
        "kX9#mQ2$vL5!tR8w",
        "hunter2",
        "Soleil-2024!",
        "azerty123",
        "S3cret-Marmotte",
        "SG.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf",
    ] {
        let redactor = redactor(secret);
        for reply in corpus.iter().filter_map(|line| line["reply"].as_str()) {
            assert_eq!(redactor.redact(reply), clean(reply), "{secret}");
        }
    }
}

//! The forms of a secret in each encoding that servers, libraries and gateways use.
//!
//! A block encoding (base64, base32) differs depending on where in a block the secret begins. The symbols at its ends
//! depend on its neighbours, and are left out. To add an encoding: its symbols here, in lower case, and the view in
//! which they are adjacent.

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::views::{APART, View, plain_shape};

/// This many consecutive characters of a secret count as the secret. A shorter secret is searched for as a whole.
pub const RUN: usize = 6;
/// The shortest secret that is searched for with other characters in between, and the shortest encoded one.
const SPREAD: usize = 4;
/// The shortest secret that is searched for reversed, or with other characters in between: shorter ones would match by
/// chance.
const BACKWARDS: usize = 8;
/// In bytes. Longer secrets are tokens, not passwords: unusual encodings of them are not searched for.
const PASSWORD: usize = 256;
/// In bytes. Of longer tokens, the rarer encodings are left out, because they multiply the length.
const TOKEN: usize = 2_048;
/// RFC 4648 §6 and §7, in lower case.
const BASE32: [&[u8; 32]; 2] = [b"abcdefghijklmnopqrstuvwxyz234567", b"0123456789abcdefghijklmnopqrstuv"];

/// RFC 1924, and Adobe's variant.
const BASE85: [&[u8; 85]; 2] = [
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
    b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstu",
];
/// In the order of their values.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// One form of the secret.
pub struct Form {
    /// The view in which it is searched for.
    pub view: View,
    /// Its symbols in that view.
    pub symbols: Zeroizing<Vec<u8>>,
    /// How many consecutive symbols count as a match.
    pub run: usize,
    /// Whether a symbol may belong to more than one character of the secret.
    pub encoded: bool,
}

#[derive(Default)]
struct Forms(Vec<Form>);

impl Forms {
    /// Adds a form if it is long enough to be significant.
    fn add(&mut self, view: View, symbols: impl Into<Vec<u8>>, run: usize, encoded: bool) {
        let mut symbols = Zeroizing::new(symbols.into());
        symbols.make_ascii_lowercase();
        let least = if view == View::AsItStands { 1 } else { SPREAD };
        if symbols.len() >= least {
            self.0.push(Form { view, symbols, run, encoded });
        }
    }

    fn as_it_stands(&mut self, text: &str) {
        let blank = |c: char| if c.is_whitespace() { ' ' } else { c };
        let text: String = text.chars().map(blank).collect();
        let length = text.len();
        self.add(View::AsItStands, text, length, false);
    }

    fn encoded(&mut self, view: View, symbols: impl Into<Vec<u8>>, run: usize) {
        self.add(view, symbols, run, true);
    }

    /// Forwards and reversed.
    fn both_ways(&mut self, view: View, symbols: &[u8], run: usize) {
        self.encoded(view, symbols, run);
        self.encoded(view, backwards(symbols).to_vec(), run);
    }

    /// With its own alphabet, and with letters and digits only, so that separators do not matter.
    fn in_words(&mut self, symbols: &[u8], run: usize) {
        self.encoded(View::Plain, plain(symbols), run);
        if symbols.iter().any(|symbol| !symbol.is_ascii_alphanumeric()) {
            self.encoded(View::Squeezed, symbols, run);
        }
    }
}

/// Every form of a secret. The runs are as long as what [`RUN`] bytes determine, wherever they begin.
pub fn of(login: &str, secret: &str) -> Vec<Form> {
    let mut forms = Forms::default();
    let lower = Zeroizing::new(secret.to_lowercase());
    let squeezed = Zeroizing::new(squeeze(&lower));
    let is_short = squeezed.len() < RUN;
    let backwards: Zeroizing<String> = Zeroizing::new(lower.chars().rev().collect());
    if squeezed.len() < SPREAD {
        // Too short for partial matches: only the whole counts, without anything in between.
        for text in [&lower, &backwards] {
            forms.as_it_stands(text);
            forms.as_it_stands(text.trim());
        }
        forms.add(View::AsItStands, squeezed.to_vec(), RUN, false);
    } else {
        forms.add(View::Squeezed, squeezed.to_vec(), RUN, false);
    }
    let letters = Zeroizing::new(plain(&squeezed));
    if letters.len() >= RUN || letters.len() == squeezed.len() {
        forms.add(View::Plain, letters.to_vec(), RUN, false);
    }
    forms.add(View::Squeezed, squeeze(&backwards), BACKWARDS, false);
    let mut bare = Zeroizing::new(String::with_capacity(2 * lower.len()));
    lower.chars().filter(|c| !c.is_whitespace()).for_each(|c| plain_shape(c, |shape| bare.push(shape)));
    if bare.as_bytes() != &squeezed[..] && bare.len() >= SPREAD {
        forms.add(View::Squeezed, bare.as_bytes(), RUN, false);
        let letters = Zeroizing::new(plain(bare.as_bytes()));
        if letters.len() >= RUN || letters.len() == bare.len() {
            forms.add(View::Plain, letters.to_vec(), RUN, false);
        }
    }
    if squeezed.len() >= BACKWARDS {
        for apart in APART {
            forms.add(View::Every(apart), squeezed.to_vec(), BACKWARDS, false);
        }
    }
    if letters.len() >= RUN {
        let turned: Vec<u8> = letters.iter().map(|letter| rot13(*letter)).collect();
        forms.add(View::Plain, turned, RUN, false);
    }
    let byte_forms = bytes_of(secret);
    for bytes in &byte_forms {
        encodings(&mut forms, bytes, bytes.len() > TOKEN);
    }
    if is_short {
        // A short secret: the response of AUTH PLAIN, as a whole.
        for initial in [format!("\0{login}\0{secret}"), format!("{login}\0{login}\0{secret}")] {
            let encoded = BASE64_STANDARD_NO_PAD.encode(Zeroizing::new(initial).as_bytes());
            let length = encoded.len();
            forms.in_words(encoded.as_bytes(), length);
        }
    }
    forms.0
}

/// The bytes a secret may have: unchanged, without spaces (some servers drop them), in Latin-1.
fn bytes_of(secret: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let bare: Zeroizing<String> = Zeroizing::new(secret.chars().filter(|c| !c.is_whitespace()).collect());
    let latin: Option<Vec<u8>> = secret.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let mut all = vec![Zeroizing::new(secret.as_bytes().to_vec()), Zeroizing::new(bare.as_bytes().to_vec())];
    all.extend(latin.map(Zeroizing::new));
    all.dedup();
    all
}

fn encodings(forms: &mut Forms, bytes: &[u8], is_token: bool) {
    let hexadecimal = Zeroizing::new(hex(bytes));
    forms.both_ways(View::Hexadecimal, &hexadecimal, 2 * RUN);
    let numbers = bytes.to_ascii_lowercase();
    forms.encoded(View::Decimal, numbers.clone(), RUN);
    forms.encoded(View::Octal, numbers.clone(), RUN);
    forms.encoded(View::Binary, numbers, RUN);
    let once = base64(bytes);
    for encoded in &once {
        // 48 bits, of which the first and the last symbol may share some with a neighbour.
        forms.in_words(encoded, 7);
        let url: Vec<u8> = encoded.iter().map(|symbol| url_safe(*symbol)).collect();
        if url != **encoded {
            forms.in_words(&url, 7);
        }
        forms.in_words(&backwards(encoded), 7);
    }
    if is_token {
        return;
    }
    let turned = backwards(bytes);
    forms.encoded(View::Hexadecimal, hex(&turned), 2 * RUN);
    for encoded in base64(&turned) {
        forms.in_words(&encoded, 7);
    }
    for alphabet in BASE32 {
        for encoded in blocks(bytes, 5, |bytes| base32(bytes, alphabet)) {
            forms.encoded(View::Plain, encoded.to_vec(), 8);
        }
    }
    for encoded in &once {
        // Seven symbols of the inner encoding are 56 bits.
        for twice in base64(encoded) {
            forms.in_words(&twice, 8);
            if bytes.len() <= PASSWORD {
                for thrice in base64(&twice) {
                    forms.in_words(&thrice, 10);
                }
            }
        }
        forms.encoded(View::Hexadecimal, hex(encoded), 14);
    }
    let capitals = hexadecimal.to_ascii_uppercase();
    for digits in [&hexadecimal[..], &capitals[..]] {
        for encoded in base64(digits) {
            forms.in_words(&encoded, 14);
        }
    }
    // UTF-16, as on Windows.
    let wide: Zeroizing<Vec<u8>> = Zeroizing::new(bytes.iter().flat_map(|byte| [*byte, 0]).collect());
    forms.encoded(View::Hexadecimal, hex(&wide), 4 * RUN);
    for encoded in base64(&wide) {
        forms.in_words(&encoded, 14);
    }
    if bytes.len() <= PASSWORD {
        jokes(forms, bytes, &once);
    }
}

/// Base85 and uuencode, which no sensible server uses.
fn jokes(forms: &mut Forms, bytes: &[u8], base64: &[Zeroizing<Vec<u8>>]) {
    for alphabet in BASE85 {
        // The complete blocks inside it, for each position in a block where it may begin.
        for before in 0..4.min(bytes.len()) {
            forms.encoded(View::Squeezed, base85(&bytes[before..], alphabet), 10);
        }
    }
    for encoded in base64 {
        let value = |symbol: &u8| BASE64.iter().position(|known| known == symbol).and_then(|at| u8::try_from(at).ok());
        let symbols: Vec<u8> = encoded.iter().filter_map(value).collect();
        // A zero is written as a grave accent or as a space.
        let accents: Vec<u8> = symbols.iter().map(|value| if *value == 0 { b'`' } else { b' ' + value }).collect();
        let blanks: Vec<u8> = symbols.iter().filter(|value| **value > 0).map(|value| b' ' + value).collect();
        if blanks.len() < accents.len() {
            forms.encoded(View::Squeezed, blanks, 8);
        }
        forms.encoded(View::Squeezed, accents, 8);
    }
}

/// The complete blocks of four bytes.
fn base85(bytes: &[u8], alphabet: &[u8; 85]) -> Vec<u8> {
    let mut symbols = Vec::new();
    for block in bytes.chunks_exact(4) {
        let number = block.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let digits = [85 * 85 * 85 * 85, 85 * 85 * 85, 85 * 85, 85, 1_u32];
        symbols.extend(digits.map(|digit| alphabet[(number / digit % 85) as usize]));
    }
    symbols
}

fn backwards(symbols: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(symbols.iter().rev().copied().collect())
}

fn base64(bytes: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    blocks(bytes, 3, |bytes| BASE64_STANDARD_NO_PAD.encode(bytes).into_bytes())
}

/// Expects a lower-case letter.
fn rot13(letter: u8) -> u8 {
    if letter.is_ascii_lowercase() { (letter - b'a' + 13) % 26 + b'a' } else { letter }
}

fn url_safe(symbol: u8) -> u8 {
    match symbol {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    }
}

/// The symbols that `bytes` alone determine, for each position in a block where they may begin. The bits of a symbol
/// are as many as a block's bytes divide into evenly: 6 for 3 bytes, 5 for 5.
fn blocks(bytes: &[u8], block: usize, encode: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Zeroizing<Vec<u8>>> {
    let bits = if block == 3 { 6 } else { 5 };
    let begun = |before: usize| {
        let shifted = Zeroizing::new([&vec![0; before][..], bytes].concat());
        let encoded = Zeroizing::new(encode(&shifted));
        let (from, to) = ((8 * before).div_ceil(bits), 8 * shifted.len() / bits);
        Zeroizing::new(encoded.get(from..to).unwrap_or_default().to_vec())
    };
    (0..block).map(begun).collect()
}

fn base32(bytes: &[u8], alphabet: &[u8; 32]) -> Vec<u8> {
    let (mut symbols, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            symbols.push(alphabet[(bits >> count & 31) as usize]);
        }
        bits &= 31;
    }
    symbols
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

fn squeeze(text: &str) -> Vec<u8> {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().into_bytes()
}

fn plain(symbols: &[u8]) -> Vec<u8> {
    symbols.iter().copied().filter(|symbol| symbol.is_ascii_alphanumeric() || !symbol.is_ascii()).collect()
}

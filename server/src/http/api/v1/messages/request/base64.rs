//! Server side. Base64 in JSON.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;

/// Padding is optional.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A base64 string, decoded while it is read: it is the largest part of a request, and is not copied first.
#[derive(Debug)]
pub struct Base64(pub Result<Vec<u8>, base64::DecodeError>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = Base64;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E>(self, text: &str) -> Result<Base64, E> {
                // MIME breaks base64 into lines.
                if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
                    let bare: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
                    return Ok(Base64(ENGINE.decode(bare)));
                }
                Ok(Base64(ENGINE.decode(text)))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

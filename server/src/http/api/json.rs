//! Server side. JSON bodies: unknown fields are collected, and a wrong type names its field.

use super::problem::{Code, Fault, FieldFault, Problem};

/// Most invalid fields in one answer.
pub const MOST_FAULTS: usize = 50;
/// Longest part of a field's name in an answer, in characters.
const LONGEST_NAME: usize = 256;

/// Parses JSON, and returns the unknown fields too.
pub fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<(T, Vec<FieldFault>), Problem> {
    // serde also takes an array for an object, value by value, and would count the missing fields as defaults.
    if body.trim_ascii_start().first().is_some_and(|first| *first == b'[') {
        return Err(Problem::detailed(Code::MalformedJson, "the body must be an object, not an array"));
    }
    let mut unknown = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let request: Result<T, _> = serde_ignored::deserialize(tracked, |path| {
        if unknown.len() < MOST_FAULTS {
            unknown.push(FieldFault::new(ignored(&path), Fault::Unknown, "unknown field"));
        }
    });
    match request.and_then(|request| deserializer.end().map(|()| request)) {
        Ok(request) => Ok((request, unknown)),
        Err(error) if error.is_data() => {
            let field = pointer(&track.path());
            let detail = format!("wrong type: line {}, column {}", error.line(), error.column());
            Err(Problem::fields(vec![FieldFault::new(field, Fault::WrongType, detail)]))
        }
        Err(error) => Err(Problem::detailed(Code::MalformedJson, error.to_string())),
    }
}

/// As a JSON pointer (RFC 6901 §3).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(step(key)),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// The same for an unknown field.
fn ignored(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}/{index}", ignored(parent)),
        Path::Map { parent, key } => ignored(parent) + &step(key),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => ignored(parent),
    }
}

/// One step of a pointer, shortened: an unknown field's name may be as long as the body.
fn step(key: &str) -> String {
    let short: String = key.chars().take(LONGEST_NAME).collect();
    format!("/{}", short.replace('~', "~0").replace('/', "~1"))
}

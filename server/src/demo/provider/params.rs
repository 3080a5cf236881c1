//! Server side. The parameters of a request. Each may be there once (RFC 6749 §3.1), and an empty one counts as absent.

/// Decoded parameters.
pub(super) struct Params(Vec<(String, String)>);

/// A parameter that is there more than once.
pub(super) struct Repeated;

impl Params {
    /// From a query string or the body of a form.
    pub(super) fn parse(encoded: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(encoded).into_owned();
        Self(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Repeated),
            (value, None) => Ok(value),
        }
    }

    /// The first value, if there is one: where a repetition does no harm.
    pub(super) fn first(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// A URL with more parameters.
pub(super) fn with_query(url: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    format!("{url}{}{}", if url.contains('?') { '&' } else { '?' }, query.finish())
}

/// The origin of a URL: scheme, host and port.
pub(super) fn origin(url: &str) -> Option<&str> {
    let authority = url.find("://")? + 3;
    let end = url[authority..].find(['/', '?', '#']).map_or(url.len(), |at| authority + at);
    url.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_found_and_an_empty_one_is_absent() {
        let params = Params::parse(b"a=1&b=&c=1&c=2&d=%C3%A9+");
        assert_eq!(params.one("a").ok(), Some(Some("1")));
        assert_eq!(params.one("b").ok(), Some(None));
        assert!(params.one("c").is_err());
        assert_eq!((params.first("c"), params.first("d"), params.first("e")), ("1", "é ", ""));
    }

    #[test]
    fn addresses_are_extended_and_reduced_to_their_origin() {
        assert_eq!(with_query("http://a/b", &[("c", "d e")]), "http://a/b?c=d+e");
        assert_eq!(with_query("http://a/b?x=y", &[("c", "&")]), "http://a/b?x=y&c=%26");
        assert_eq!(origin("http://127.0.0.1:3000/oauth/callback"), Some("http://127.0.0.1:3000"));
        assert_eq!(origin("https://a.example"), Some("https://a.example"));
        assert_eq!(origin("a.example"), None);
    }
}

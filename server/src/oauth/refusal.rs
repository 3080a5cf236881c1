//! Server side. What a provider's error means: who must act, or that it is temporary.
//!
//! The `error` code decides (RFC 6749 §4.1.2.1 and §5.2). Microsoft's numbers (`AADSTS…`) say more; an unknown number
//! falls back to its `error`, since Microsoft may change them at any time.
//! Sources: Microsoft identity platform, "Authentication and authorization error codes"; Google, "Using OAuth 2.0 to
//! access Google APIs".

use app::diagnosis::cause::Cause;

use crate::store::GrantEnd;

/// An error, as an endpoint returned it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderError {
    /// `error`.
    pub error: String,
    /// `error_description`, in which Microsoft writes its number.
    pub description: String,
    /// Microsoft's `error_codes`.
    pub numbers: Vec<u32>,
    /// Google's `error_subtype`.
    pub subtype: String,
}

/// What an error means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The provider may answer later.
    Temporary { code: String },
    /// The owner said no. Only while signing in.
    Denied,
    /// A person must act, as the cause says.
    Refused(GrantEnd),
}

const ADMIN: &[u32] = &[
    90_094, 90_095, // an administrator must consent
    53_003, 530_032, 530_035, 53_000, 53_001, 50_005, 50_131, 530_003, // conditional access, security defaults
    50_105,  // the application is not assigned to the person
];
const ACCOUNT: &[u32] = &[
    50_057, 50_053, 50_055, 50_144, // disabled, locked, password expired
    50_020, 50_034, 500_208, 9_002_332, 90_072, // the wrong kind of account
];
const CLIENT: &[u32] = &[
    7_000_215, 7_000_222, 7_000_218, 700_025, // the client secret: wrong, expired, missing, not expected
    700_016, 7_000_112, 700_011, // the application: unknown, disabled
    50_194,  // a registration for one tenant, requested for all
    50_011, 900_971, // the redirect URI
    70_011, 650_057, // the scopes
    50_196,  // a loop
];
const RECONNECT: &[u32] = &[
    65_001, // no consent
    50_072, 50_074, 50_076, 50_078, 50_079, 50_158, // a second factor
    50_173, 700_082, 70_008, 70_043, 70_000, 50_089, // the token was revoked or has expired
];
const TEMPORARY: &[u32] = &[50_033, 50_087, 90_006, 90_012, 90_024, 90_033, 90_055];
/// The owner declined.
const DECLINED: u32 = 65_004;

impl ProviderError {
    /// An error of an authorization response: Microsoft's number is in the description only.
    pub fn of_redirect(error: &str, description: &str) -> Self {
        Self { error: error.to_owned(), description: description.to_owned(), ..Self::default() }
    }

    /// Microsoft's numbers, those of the list first.
    fn all_numbers(&self) -> Vec<u32> {
        let written = self.description.split("AADSTS").skip(1).filter_map(|rest| {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
            digits.parse().ok()
        });
        self.numbers.iter().copied().chain(written).collect()
    }

    /// What it means. `signing_in`: the owner is at the provider's pages, and may have declined.
    pub fn meaning(&self, signing_in: bool) -> Meaning {
        let numbers = self.all_numbers();
        for number in &numbers {
            let code = format!("AADSTS{number}");
            let cause = match number {
                number if ADMIN.contains(number) => Cause::OauthAdmin,
                number if ACCOUNT.contains(number) => Cause::OauthAccount,
                number if CLIENT.contains(number) => Cause::OauthClient,
                number if RECONNECT.contains(number) => Cause::OauthReconnect,
                number if TEMPORARY.contains(number) => return Meaning::Temporary { code },
                &DECLINED if signing_in => return Meaning::Denied,
                _ => continue,
            };
            return Meaning::Refused(GrantEnd { cause, code });
        }
        let code = numbers.first().map_or_else(|| shown(&self.error), |number| format!("AADSTS{number}"));
        let cause = match self.error.as_str() {
            "temporarily_unavailable" | "server_error" | "slow_down" => return Meaning::Temporary { code },
            "access_denied" if signing_in => return Meaning::Denied,
            "admin_policy_enforced" | "admin_consent_required" | "org_internal" => Cause::OauthAdmin,
            "invalid_client"
            | "unauthorized_client"
            | "invalid_scope"
            | "invalid_request"
            | "unsupported_grant_type"
            | "unsupported_response_type"
            | "redirect_uri_mismatch"
            | "deleted_client"
            | "disabled_client" => Cause::OauthClient,
            // Google: the session control of a Workspace administrator.
            "invalid_grant" if self.subtype == "invalid_rapt" => {
                let code = "invalid_rapt".to_owned();
                return Meaning::Refused(GrantEnd { cause: Cause::OauthReconnect, code });
            }
            _ => Cause::OauthReconnect,
        };
        Meaning::Refused(GrantEnd { cause, code })
    }
}

/// An error code without anything that is not one (RFC 6749 §5.2 allows printable ASCII).
fn shown(error: &str) -> String {
    let plain: String = error.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).take(64).collect();
    if plain.is_empty() { "unknown".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(error: &str, numbers: &[u32]) -> Option<Cause> {
        let error = ProviderError { error: error.to_owned(), numbers: numbers.to_vec(), ..ProviderError::default() };
        match error.meaning(false) {
            Meaning::Refused(end) => Some(end.cause),
            _ => None,
        }
    }

    #[test]
    fn the_number_says_who_must_act() {
        for (error, numbers, cause) in [
            ("invalid_grant", &[50_173][..], Some(Cause::OauthReconnect)),
            ("invalid_grant", &[700_082], Some(Cause::OauthReconnect)),
            ("interaction_required", &[50_076], Some(Cause::OauthReconnect)),
            ("invalid_grant", &[53_003], Some(Cause::OauthAdmin)),
            ("access_denied", &[530_003], Some(Cause::OauthAdmin)),
            ("invalid_grant", &[50_057], Some(Cause::OauthAccount)),
            ("invalid_client", &[7_000_222], Some(Cause::OauthClient)),
            ("unauthorized_client", &[700_016], Some(Cause::OauthClient)),
            ("invalid_grant", &[90_033], None),
            // Unknown numbers fall back to the error.
            ("invalid_grant", &[1], Some(Cause::OauthReconnect)),
            ("invalid_client", &[2], Some(Cause::OauthClient)),
            ("temporarily_unavailable", &[3], None),
            ("server_error", &[], None),
            ("something_new", &[], Some(Cause::OauthReconnect)),
            ("admin_policy_enforced", &[], Some(Cause::OauthAdmin)),
            ("consent_required", &[65_001], Some(Cause::OauthReconnect)),
        ] {
            assert_eq!(refused(error, numbers), cause, "{error} {numbers:?}");
        }
    }

    #[test]
    fn the_number_is_also_read_from_the_description() {
        let of = |error: &str, text: &str| ProviderError::of_redirect(error, text).meaning(true);
        let admin = of("access_denied", "AADSTS90094: The grant requires admin permission. Trace ID: 1");
        let end = GrantEnd { cause: Cause::OauthAdmin, code: "AADSTS90094".to_owned() };
        assert_eq!(admin, Meaning::Refused(end));
        assert_eq!(of("access_denied", "AADSTS65004: User declined to consent."), Meaning::Denied);
        assert_eq!(of("access_denied", "The user denied the request"), Meaning::Denied);
        assert!(matches!(of("server_error", "AADSTS: nothing"), Meaning::Temporary { .. }));
    }

    #[test]
    fn a_code_is_short_and_plain() {
        let error = ProviderError { error: "<b>evil</b>\r\nX: y".repeat(9), ..ProviderError::default() };
        let Meaning::Refused(end) = error.meaning(false) else { panic!() };
        assert!(end.code.len() <= 64 && end.code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
        let rapt = ProviderError {
            error: "invalid_grant".to_owned(),
            subtype: "invalid_rapt".to_owned(),
            ..ProviderError::default()
        };
        assert!(matches!(rapt.meaning(false), Meaning::Refused(end) if end.code == "invalid_rapt"));
    }
}

//! Server side. Who must act after a failure, and which field of the form to check.
//!
//! To add a cause: a line in both tables.

use super::cause::Cause;
use crate::profile::field::Field;

/// Who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The owner of the profile.
    You,
    /// The mail provider or host.
    Provider,
    /// The administrator of the owner's organisation.
    Administrator,
    /// The portal's support.
    Portal,
    /// Nothing to do but wait.
    Nobody,
}

impl Who {
    /// The code in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::You => "you",
            Self::Provider => "provider",
            Self::Administrator => "administrator",
            Self::Portal => "portal",
            Self::Nobody => "nobody",
        }
    }

    /// The catalogue's key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::You => "who-you",
            Self::Provider => "who-provider",
            Self::Administrator => "who-administrator",
            Self::Portal => "who-portal",
            Self::Nobody => "who-wait",
        }
    }
}

/// Who must act on a cause.
pub const fn who(cause: Cause) -> Who {
    match cause {
        Cause::TlsVersionUnsupported
        | Cause::TlsHandshakeFailed
        | Cause::CertExpired
        | Cause::CertNotYetValid
        | Cause::CertUntrusted
        | Cause::MessageRejected
        | Cause::ProtocolError => Who::Provider,
        Cause::BasicAuthDisabled
        | Cause::SmtpAuthDisabled
        | Cause::OauthPermission
        | Cause::OauthAdmin
        | Cause::DomainAuthentication => Who::Administrator,
        Cause::HostNotAllowed
        | Cause::NetworkUnreachable
        | Cause::EhloRejected
        | Cause::OauthClient
        | Cause::WrongServer
        | Cause::MessageMalformed
        | Cause::TooManyRecipients
        | Cause::IpBlocked => Who::Portal,
        Cause::DnsFailed
        | Cause::Greylisted
        | Cause::RateLimited
        | Cause::QuotaExceeded
        | Cause::TooManyConnections
        | Cause::SessionLimit
        | Cause::ServerBusy
        | Cause::OauthUnavailable
        | Cause::ConnectionLost => Who::Nobody,
        _ => Who::You,
    }
}

/// The field to check.
pub const fn field(cause: Cause) -> Option<Field> {
    Some(match cause {
        Cause::HostInvalid
        | Cause::HostNotAllowed
        | Cause::DnsNotFound
        | Cause::CertNameMismatch
        | Cause::NotSubmissionServer
        | Cause::ReplyTooLarge
        | Cause::AuthNotOffered => Field::Host,
        Cause::PortNotAllowed | Cause::ConnectRefused | Cause::ConnectTimeout | Cause::Timeout => Field::Port,
        Cause::TlsPortMismatch | Cause::StarttlsNotOffered | Cause::StarttlsRequired => Field::Security,
        Cause::AuthRequired | Cause::RelayDenied => Field::Login,
        Cause::BadCredentials | Cause::AppPasswordRequired | Cause::AuthMechanismUnsupported => Field::Secret,
        Cause::SenderRejected | Cause::SenderNotVerified | Cause::AddressSyntax | Cause::DomainAuthentication => {
            Field::SenderAddress
        }
        _ => return None,
    })
}

/// Whether settings of the profile may be wrong although no single field is.
pub const fn may_be_the_profile_s(cause: Cause) -> bool {
    matches!(cause, Cause::Unknown | Cause::ProtocolError | Cause::NoServer | Cause::TlsHandshakeFailed)
}

/// Whether the cause's own advice says to try again later.
pub const fn says_to_retry(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::DnsFailed
            | Cause::ConnectTimeout
            | Cause::NetworkUnreachable
            | Cause::TlsHandshakeFailed
            | Cause::CertNotYetValid
            | Cause::Greylisted
            | Cause::RateLimited
            | Cause::QuotaExceeded
            | Cause::TooManyConnections
            | Cause::SessionLimit
            | Cause::TooManyRecipients
            | Cause::ServerBusy
            | Cause::OauthUnavailable
            | Cause::ConnectionLost
            | Cause::Timeout
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::{Locale, Texts};

    #[test]
    fn the_advice_that_says_to_retry_is_known() {
        for &cause in Cause::ALL {
            let key = format!("cause-{}-next", cause.as_str().replace('_', "-"));
            let advice = Locale::Fr.text(&key, &[]).to_lowercase();
            let says = ["réessayez", "attendez"].iter().any(|word| advice.contains(word));
            assert_eq!(says_to_retry(cause), says, "{}: {advice}", cause.as_str());
        }
    }

    #[test]
    fn a_cause_that_only_needs_time_names_no_field() {
        for &cause in Cause::ALL {
            if who(cause) == Who::Nobody {
                assert_eq!(field(cause), None, "{}", cause.as_str());
            }
        }
    }
}

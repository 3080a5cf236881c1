//! The closed vocabulary of what can go wrong with a submission.
//!
//! To add one: a line in the table below, its `cause-…` texts in both catalogues (a test finds the missing ones),
//! and the rule that recognises it.

use serde::{Deserialize, Serialize};

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)*) => {
        /// Why a submission failed. The codes are stable: the API, the events and the database hold them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Cause {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)*
        }

        impl Cause {
            /// Every cause.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code on the wire and in the catalogues.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// The cause with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

causes! {
    /// The host is not a host name: it holds a scheme, a port, spaces…
    HostInvalid = "host_invalid",
    /// The address policy refuses the host; nothing was sent.
    HostNotAllowed = "host_not_allowed",
    /// The address policy refuses the port; nothing was sent.
    PortNotAllowed = "port_not_allowed",
    /// No such name.
    DnsNotFound = "dns_not_found",
    /// The resolver failed.
    DnsFailed = "dns_failed",
    ConnectRefused = "connect_refused",
    ConnectTimeout = "connect_timeout",
    NetworkUnreachable = "network_unreachable",
    /// Something answered that is not a mail submission server.
    NotSubmissionServer = "not_submission_server",
    /// TLS spoken to a plaintext port, or the reverse.
    TlsPortMismatch = "tls_port_mismatch",
    TlsVersionUnsupported = "tls_version_unsupported",
    TlsHandshakeFailed = "tls_handshake_failed",
    CertExpired = "cert_expired",
    CertNotYetValid = "cert_not_yet_valid",
    CertNameMismatch = "cert_name_mismatch",
    CertUntrusted = "cert_untrusted",
    /// Encryption is asked for, and the server has no STARTTLS or refuses it.
    StarttlsNotOffered = "starttls_not_offered",
    /// The server wants encryption first.
    StarttlsRequired = "starttls_required",
    /// The server does not like our name.
    EhloRejected = "ehlo_rejected",
    /// No AUTH at all (here, or before TLS).
    AuthNotOffered = "auth_not_offered",
    /// AUTH, but not the mechanisms we speak, or not the one tried.
    AuthMechanismUnsupported = "auth_mechanism_unsupported",
    /// The server requires a login.
    AuthRequired = "auth_required",
    BadCredentials = "bad_credentials",
    /// The account's password will not do: an application password is needed.
    AppPasswordRequired = "app_password_required",
    /// The provider takes no passwords at all.
    BasicAuthDisabled = "basic_auth_disabled",
    /// SMTP login is switched off for this mailbox or organisation.
    SmtpAuthDisabled = "smtp_auth_disabled",
    /// A security policy stopped this login.
    LoginBlocked = "login_blocked",
    /// The account is suspended, not activated, or barred from sending.
    AccountBlocked = "account_blocked",
    /// The account has an allow-list of addresses, and ours is not in it.
    IpNotAllowed = "ip_not_allowed",
    /// The token is valid but lacks the right on this mailbox.
    OauthPermission = "oauth_permission",
    /// This From is not allowed to this login, or its domain does not exist.
    SenderRejected = "sender_rejected",
    /// The provider wants this From or domain verified first.
    SenderNotVerified = "sender_not_verified",
    RelayDenied = "relay_denied",
    AddressSyntax = "address_syntax",
    RecipientRejected = "recipient_rejected",
    RecipientMailboxFull = "recipient_mailbox_full",
    /// Come back later: the server defers first contacts.
    Greylisted = "greylisted",
    RateLimited = "rate_limited",
    /// The daily (or paid) amount is used up.
    QuotaExceeded = "quota_exceeded",
    TooManyConnections = "too_many_connections",
    TooManyRecipients = "too_many_recipients",
    MessageTooLarge = "message_too_large",
    /// Content, spam, attachment, reputation, local policy.
    MessageRejected = "message_rejected",
    /// SPF, DKIM or DMARC of the sender's domain.
    DomainAuthentication = "domain_authentication",
    /// Our sending address is on a block list or has no reverse name.
    IpBlocked = "ip_blocked",
    /// The provider's trial mode sends to authorised recipients only.
    SandboxRestricted = "sandbox_restricted",
    /// A temporary failure of the server's own.
    ServerBusy = "server_busy",
    /// The server broke the protocol, or says that we did.
    ProtocolError = "protocol_error",
    /// It hung up or reset.
    ConnectionLost = "connection_lost",
    /// It never ended a reply.
    ReplyTooLarge = "reply_too_large",
    /// It fell silent.
    Timeout = "timeout",
    /// The account has no mail server that could send, or no password for it. Nothing was tried.
    NoServer = "no_server",
    /// None of the above: the stage and the server's own words are shown.
    Unknown = "unknown",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_back_to_its_cause() {
        for &cause in Cause::ALL {
            assert_eq!(Cause::from_code(cause.as_str()), Some(cause));
        }
        assert_eq!(Cause::from_code("no_such_cause"), None);
    }
}

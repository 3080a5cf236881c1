//! The closed list of reasons why a submission can fail.
//!
//! To add one: a line in the table below, its `cause-…` texts in both catalogues (a test finds missing ones), and the
//! rule that recognises it.

use serde::{Deserialize, Serialize};

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)*) => {
        /// Why a submission failed. The codes are stable: they appear in the API, the events and the database.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Cause {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)*
        }

        impl Cause {
            /// Every cause.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code in the API, the database and the catalogues.
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
    /// The host is not a host name: it contains a scheme, a port, spaces…
    HostInvalid = "host_invalid",
    /// The address policy refuses the host; no connection was made.
    HostNotAllowed = "host_not_allowed",
    /// The address policy refuses the port; no connection was made.
    PortNotAllowed = "port_not_allowed",
    /// The name does not exist.
    DnsNotFound = "dns_not_found",
    /// The resolver failed.
    DnsFailed = "dns_failed",
    ConnectRefused = "connect_refused",
    ConnectTimeout = "connect_timeout",
    NetworkUnreachable = "network_unreachable",
    /// The server that responded is not a mail submission server.
    NotSubmissionServer = "not_submission_server",
    /// Another server responds in place of the provider's: a network or a hosting company redirects the connection.
    WrongServer = "wrong_server",
    /// TLS spoken to a plaintext port, or the reverse.
    TlsPortMismatch = "tls_port_mismatch",
    TlsVersionUnsupported = "tls_version_unsupported",
    TlsHandshakeFailed = "tls_handshake_failed",
    CertExpired = "cert_expired",
    CertNotYetValid = "cert_not_yet_valid",
    CertNameMismatch = "cert_name_mismatch",
    CertUntrusted = "cert_untrusted",
    /// The settings require STARTTLS, and the server does not offer it or refuses it.
    StarttlsNotOffered = "starttls_not_offered",
    /// The server requires encryption first.
    StarttlsRequired = "starttls_required",
    /// The server refuses our EHLO name.
    EhloRejected = "ehlo_rejected",
    /// The server offers no AUTH at all (or not before TLS).
    AuthNotOffered = "auth_not_offered",
    /// The server offers AUTH, but no mechanism that we support, or not the requested one.
    AuthMechanismUnsupported = "auth_mechanism_unsupported",
    /// The server requires a login.
    AuthRequired = "auth_required",
    BadCredentials = "bad_credentials",
    /// The account's own password is not accepted: an application password is needed.
    AppPasswordRequired = "app_password_required",
    /// The provider accepts no passwords at all.
    BasicAuthDisabled = "basic_auth_disabled",
    /// SMTP login is switched off for this mailbox or organisation.
    SmtpAuthDisabled = "smtp_auth_disabled",
    /// A security policy blocked this login.
    LoginBlocked = "login_blocked",
    /// The account is suspended, not activated, or barred from sending.
    AccountBlocked = "account_blocked",
    /// The account has a list of allowed IP addresses, and ours is not on it.
    IpNotAllowed = "ip_not_allowed",
    /// The token is valid but has no permission for this mailbox.
    OauthPermission = "oauth_permission",
    /// The permission to send has ended (withdrawn, expired, password changed): the owner must sign in again.
    OauthReconnect = "oauth_reconnect",
    /// The owner's organisation requires its administrator to allow the application, or forbids the sign-in.
    OauthAdmin = "oauth_admin",
    /// The provider has disabled or locked the account, or another account is needed.
    OauthAccount = "oauth_account",
    /// The operator's registration with the provider does not work: its secret has expired, or it was removed.
    OauthClient = "oauth_client",
    /// The provider's sign-in service does not answer at present. No attempt counts.
    OauthUnavailable = "oauth_unavailable",
    /// The login may not use this From address, or its domain does not exist.
    SenderRejected = "sender_rejected",
    /// The provider requires this From address or domain to be verified first.
    SenderNotVerified = "sender_not_verified",
    RelayDenied = "relay_denied",
    AddressSyntax = "address_syntax",
    RecipientRejected = "recipient_rejected",
    RecipientMailboxFull = "recipient_mailbox_full",
    /// The server defers first contacts: try again later.
    Greylisted = "greylisted",
    RateLimited = "rate_limited",
    /// The daily or paid quota is used up.
    QuotaExceeded = "quota_exceeded",
    TooManyConnections = "too_many_connections",
    /// The limit of one connection is reached: its messages, its age, its idle time. A new connection helps at once.
    SessionLimit = "session_limit",
    TooManyRecipients = "too_many_recipients",
    MessageTooLarge = "message_too_large",
    /// Content, spam, attachment, reputation, local policy.
    MessageRejected = "message_rejected",
    /// The message, or one of its headers, breaks a rule of the format (RFC 5322).
    MessageMalformed = "message_malformed",
    /// SPF, DKIM or DMARC of the sender's domain.
    DomainAuthentication = "domain_authentication",
    /// Our IP address is on a block list, or has no reverse DNS name.
    IpBlocked = "ip_blocked",
    /// The provider's trial mode sends to authorised recipients only.
    SandboxRestricted = "sandbox_restricted",
    /// A temporary failure of the server itself.
    ServerBusy = "server_busy",
    /// The server broke the protocol, or says that we did.
    ProtocolError = "protocol_error",
    /// The server closed or reset the connection.
    ConnectionLost = "connection_lost",
    /// A reply exceeded the limit.
    ReplyTooLarge = "reply_too_large",
    /// The server did not respond in time.
    Timeout = "timeout",
    /// The account has no server that could send, or no password for it. No attempt was made.
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

//! Codes that lie: what they say, what they mean, whether the same message may leave later, and whether they show
//! anything about the profile.

use model::health::is_about_the_message;

use super::*;
use Stage::{Auth, Data, Greeting, MailFrom, RcptTo};

/// What follows from a reply.
#[derive(Debug, PartialEq)]
struct Follows {
    cause: Cause,
    retried: bool,
    /// It counts towards "three failures in a row".
    about_the_profile: bool,
}

const fn follows(cause: Cause, retried: bool, about_the_profile: bool) -> Follows {
    Follows { cause, retried, about_the_profile }
}

#[rustfmt::skip] // a table: stage, host, reply, what follows
const LIES: &[(Stage, &str, &str, Follows)] = &[
    // A temporary code for what does not pass by itself
    (MailFrom, "smtp.mailersend.net", "450 4.2.1 The domain must be verified to send emails #MS42207", follows(Cause::SenderNotVerified, false, true)),
    (Data, "smtp.resend.com", "450 The example.com domain is not verified", follows(Cause::SenderNotVerified, false, true)),
    (MailFrom, "smtpdm.aliyun.com", "440 mail from account doesn't conform with authentication", follows(Cause::SenderRejected, true, true)),
    (Auth, "smtp.qq.com", "454 Authentication failed, please open smtp flag first!", follows(Cause::SmtpAuthDisabled, false, true)),
    (RcptTo, "mail.example.org", "454 4.7.1 Relay access denied", follows(Cause::RelayDenied, false, true)),
    (Data, "mail.example.org", "451 Bare newline detected", follows(Cause::MessageMalformed, false, false)),
    // A permanent code for what ends by itself
    (Auth, "mail.example.org", "550 Too many login failures, please wait 92 seconds", follows(Cause::RateLimited, true, true)),
    (Data, "smtp.gmail.com", "550 5.4.5 Daily user sending limit exceeded.", follows(Cause::QuotaExceeded, true, true)),
    (Data, "mail.example.org", "554 5.7.0 Your message could not be sent. The limit on the number of allowed outgoing messages was exceeded. Try again later.", follows(Cause::RateLimited, true, true)),
    (MailFrom, "smtp.mailtrap.io", "550 5.7.0 Requested action not taken: too many emails per second", follows(Cause::RateLimited, true, true)),
    (RcptTo, "mx00.t-online.de", "550-(grey defer DKIMr)\n550 Please try again later", follows(Cause::Greylisted, true, false)),
    // The end of a connection, under any code
    (Data, "smtp.secureserver.net", "550 This message has exceeded the max number of messages per session. Open a new session and try again. IB510", follows(Cause::SessionLimit, true, false)),
    (Data, "smtp.ionos.de", "451-Requested action aborted\n451 Mails per session limit", follows(Cause::SessionLimit, true, false)),
    (MailFrom, "email-smtp.eu-west-1.amazonaws.com", "421 Too many messages in this connection", follows(Cause::SessionLimit, true, false)),
    (MailFrom, "smtp.gmail.com", "421 4.7.0 Connection expired, try reconnecting.", follows(Cause::SessionLimit, true, false)),
    // 535 and its like, which are not about the password
    (Auth, "smtp.protonmail.ch", "535 5.7.8 Error: authentication failed: unsupported authentication mechanism", follows(Cause::AuthMechanismUnsupported, false, true)),
    (Auth, "ssl0.ovh.net", "535 5.7.0 Your mailbox is blocked for spam", follows(Cause::AccountBlocked, false, true)),
    (Auth, "smtp.qq.com", "502 Invalid paramenters for this mechanism", follows(Cause::AuthMechanismUnsupported, false, true)),
    (Greeting, "smtp.163.com", "554 IP is rejected, smtp auth error limit exceed", follows(Cause::LoginBlocked, false, true)),
    // The stage names the wrong party
    (Data, "mail.example.org", "503 Valid RCPT command must precede DATA", follows(Cause::RecipientRejected, false, false)),
    (RcptTo, "mail.example.org", "554 5.7.1 <a@example.net>: Recipient address rejected: Sender is not same as SMTP authenticate username", follows(Cause::SenderRejected, false, true)),
    (RcptTo, "mail.example.org", "450 4.7.1 <a@example.net>: Recipient address rejected: maintenance ongoing, try again later", follows(Cause::ServerBusy, true, true)),
];

#[test]
fn a_code_that_lies_does_not_decide() {
    for (stage, host, reply, expected) in LIES {
        let Diagnosis { cause, retryable: retried } = diagnose(*stage, host, &Reply::parse(reply).unwrap());
        let found = Follows { cause, retried, about_the_profile: !is_about_the_message(cause) };
        assert_eq!(&found, expected, "{stage:?} {host} {reply}");
    }
}

//! `facteur probe` and the conversation behind it against real mail servers: Postfix with Dovecot's SASL, Dovecot's
//! submission server, Exim, OpenSMTPD. `make test-servers` starts them (`scripts/mail-servers`, configured by the
//! folder `etc` beside this file) and runs this; otherwise the tests are ignored. If a server is missing, its tests
//! print that.
//!
//! To add a case: a function in `cases.rs`, its name in the list below. To add a server: the script, `etc`, a line at
//! the end of this file.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic in a test says what is wrong")]

mod arrival;
mod cases;
mod probe;
mod servers;
mod tokens;

/// Every case against one server, each a test of its own, such as `exim::a_wrong_password`.
macro_rules! against {
    ($server:ident) => {
        against!(
            $server:
            accepted_over_tls
            accepted_over_starttls
            every_mechanism_that_is_offered
            a_wrong_password
            a_refused_sender
            a_refused_recipient
            one_good_and_one_refused_recipient
            a_dry_run_leaves_nothing_behind
            ten_megabytes
            dots_and_odd_line_ends
            lone_carriage_returns
            raw_bytes
            each_message_begins_with_the_end_of_the_one_before
            the_wrong_encryption
            an_authority_nobody_knows
        );
    };
    ($server:ident: $($case:ident)*) => {
        mod $server {
            $(
                #[test]
                #[ignore = "make test-servers starts the servers"]
                fn $case() {
                    if let Some(server) = crate::servers::server(stringify!($server)) {
                        crate::cases::$case(&server);
                    }
                }
            )*
        }
    };
}

against!(postfix);
against!(dovecot);
against!(exim);
against!(opensmtpd);

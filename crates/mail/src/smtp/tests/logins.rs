//! Each exchange that shows the password is a login: the gate is asked before it, and gets its result.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{
    script::{Step, send, serve},
    *,
};

/// Allows a number of exchanges, and records their results.
struct Tally {
    most: usize,
    outcomes: Mutex<Vec<LoginOutcome>>,
}

#[async_trait]
impl LoginGate for Tally {
    async fn begin(&self) -> bool {
        self.outcomes.lock().unwrap().len() < self.most
    }

    async fn ended(&self, outcome: LoginOutcome) {
        self.outcomes.lock().unwrap().push(outcome);
    }

    fn stop(&self) {}

    async fn settled(&self) {}
}

/// The results of a conversation with a server that offers these mechanisms, and the lines it got.
async fn logins(mechanisms: &str, most: usize, script: Vec<Step>) -> (Vec<LoginOutcome>, Report, String) {
    let mut steps =
        vec![send("220 hi\r\n"), Step::Expect("EHLO"), send(&format!("250-hi\r\n250 AUTH {mechanisms}\r\n"))];
    steps.extend(script);
    let (port, server) = serve(steps).await;
    let tally = Arc::new(Tally { most, outcomes: Mutex::default() });
    let mut submission = submission("plain.test.example", port, Security::None);
    submission.depth = Depth::Login;
    let login = "claire@test.example".to_owned();
    submission.credentials = Some(Credentials::counted(login, SecretString::from(SECRET), tally.clone()));
    let report = submitter(port, vec![]).submit(&submission, &mut |_| {}).await;
    let outcomes = tally.outcomes.lock().unwrap().clone();
    (outcomes, report, server.await.unwrap())
}

fn fails_with(reply: &str) -> Vec<Step> {
    vec![Step::Expect("AUTH PLAIN"), send(reply)]
}

#[tokio::test]
async fn what_a_reply_says_of_the_password() {
    use LoginOutcome::{Accepted, Refused, Unclear};
    for (reply, expected) in [
        ("235 2.7.0 ok\r\n", Accepted),
        ("535 5.7.8 Error: authentication failed\r\n", Refused),
        ("534 5.7.9 Application-specific password required\r\n", Refused),
        ("550 no\r\n", Refused),
        ("250 ok\r\n", Refused),
        ("454 4.7.0 Temporary authentication failure\r\n", Unclear),
        ("421 4.3.0 closing\r\n", Unclear),
        ("504 5.5.4 Unrecognized authentication type\r\n", Unclear),
        ("538 5.7.11 Encryption required\r\n", Unclear),
        ("535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox.\r\n", Unclear),
    ] {
        let (outcomes, report, _) = logins("PLAIN", 9, fails_with(reply)).await;
        assert_eq!(outcomes, [expected], "{reply} {report:#?}");
    }
    let (outcomes, ..) = logins("PLAIN", 9, vec![Step::Expect("AUTH PLAIN"), Step::Close]).await;
    assert_eq!(outcomes, [Unclear], "it hung up");
}

#[tokio::test]
async fn a_second_exchange_of_a_conversation_is_a_second_login() {
    use LoginOutcome::{Refused, Unclear};
    let login = |first: &str| {
        vec![
            Step::Expect("AUTH LOGIN Y2xhaXJlQHRlc3QuZXhhbXBsZQ=="),
            send(first),
            Step::Expect("AUTH LOGIN\r\n"),
            send("334 VXNlcm5hbWU6\r\n"),
            Step::Expect("Y2xhaXJlQHRlc3QuZXhhbXBsZQ=="),
            send("334 UGFzc3dvcmQ6\r\n"),
            Step::Expect("YWJjZGVmZ2hpamtsbW5vcA=="),
            send("535 5.7.8 Error: authentication failed\r\n"),
        ]
    };
    let (outcomes, report, _) = logins("LOGIN", 9, login("501 5.5.2 no initial response\r\n")).await;
    assert_eq!((outcomes, report.cause), (vec![Unclear, Refused], Some(Cause::BadCredentials)));
    let both = fails_with("504 5.5.4 Unrecognized authentication type\r\n").into_iter().chain(login("501 no\r\n"));
    assert_eq!(logins("PLAIN LOGIN", 9, both.clone().collect()).await.0, [Unclear, Unclear, Refused]);
    // Only one exchange is allowed: the second one does not take place.
    let (outcomes, report, read) = logins("PLAIN LOGIN", 1, both.collect()).await;
    assert_eq!((outcomes, report.verdict), (vec![Unclear], Verdict::Failed));
    assert_eq!(read.matches("AUTH ").count(), 1, "{read}");
    // None is allowed: the password is not shown at all.
    let (outcomes, report, read) = logins("PLAIN", 0, fails_with("235 ok\r\n")).await;
    assert_eq!((outcomes.len(), report.stage, read.contains("AUTH")), (0, Stage::Auth, false));
}

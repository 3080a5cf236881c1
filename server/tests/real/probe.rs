//! Runs the built `facteur probe` and reads its JSON output.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use app::{
    diagnosis::cause::Cause,
    profile::security::Security,
    test_run::{
        event::Stage,
        report::{Report, Verdict},
    },
};

use crate::servers::{CLAIRE, KARIM, LOGIN, PASSWORD, Server};

/// One call of `facteur probe`, valid unless a case says otherwise.
#[derive(Clone)]
pub struct Probe<'a> {
    pub server: &'a Server,
    pub port: u16,
    pub security: Security,
    pub password: &'a str,
    pub mechanism: Option<&'a str>,
    pub from: &'a str,
    pub to: Vec<&'a str>,
    pub subject: String,
    pub body: Option<&'a str>,
    pub dry_run: bool,
    /// Passes the password as a token, in a file.
    pub token_file: bool,
    pub trusts_authority: bool,
}

impl<'a> Probe<'a> {
    /// From Claire to Karim, with a subject that no other message has.
    pub fn new(server: &'a Server, security: Security) -> Self {
        Self {
            server,
            port: server.port(security),
            security,
            password: PASSWORD,
            mechanism: None,
            from: CLAIRE,
            to: vec![KARIM],
            subject: uuid::Uuid::now_v7().to_string(),
            body: None,
            dry_run: false,
            token_file: false,
            trusts_authority: true,
        }
    }

    /// Its report, after the checks that hold for every call: a line for each stage and the report, the exit code, no
    /// password.
    pub fn run(&self) -> Report {
        let body = self.body.map(|text| {
            let path = std::env::temp_dir().join(format!("facteur-{}", self.subject));
            std::fs::write(&path, text).unwrap();
            path
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_facteur"));
        command
            .arg("probe")
            .arg(format!("localhost:{}", self.port))
            .args(["--json", "--allow-private", "--login", LOGIN])
            .args(["--security", self.security.as_str(), "--from", self.from, "--subject", &self.subject]);
        let token = self.token_file.then(|| {
            let path = std::env::temp_dir().join(format!("facteur-token-{}", self.subject));
            std::fs::write(&path, format!("{}\n", self.password)).unwrap();
            path
        });
        match &token {
            Some(path) => command.arg("--token-file").arg(path),
            None => command.arg("--secret-stdin"),
        };
        for to in &self.to {
            command.args(["--to", to]);
        }
        if self.trusts_authority {
            command.arg("--ca").arg(&self.server.ca);
        }
        if let Some(mechanism) = self.mechanism {
            command.args(["--mechanism", mechanism]);
        }
        if self.dry_run {
            command.arg("--dry-run");
        }
        if let Some(path) = &body {
            command.arg("--body-file").arg(path);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(self.password.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        for path in [body, token].into_iter().flatten() {
            std::fs::remove_file(path).unwrap();
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, last) = text.trim_end().rsplit_once('\n').expect("a line a stage, and the report");
        let mut last: serde_json::Value = serde_json::from_str(last).unwrap();
        let report: Report = serde_json::from_value(last["report"].take()).unwrap();
        let well = matches!(report.verdict, Verdict::Accepted | Verdict::DryRunOk);
        assert_eq!(output.status.code(), Some(i32::from(!well)), "{report:#?}");
        assert_eq!(text.lines().count(), report.stages.len() + 1);
        let secret = serde_json::to_string(self.password).unwrap();
        assert!(!text.contains(secret.trim_matches('"')), "the password stands in what it says");
        report
    }

    /// Runs it; the server must accept the message.
    pub fn accepted(&self) -> Report {
        let report = self.run();
        assert_eq!((report.verdict, report.cause), (Verdict::Accepted, None), "{report:#?}");
        report
    }

    /// Runs it; it must fail for this reason and send nothing.
    pub fn fails(&self, cause: Cause) -> Report {
        let report = self.run();
        assert_eq!((report.verdict, report.cause), (Verdict::Failed, Some(cause)), "{report:#?}");
        assert!(!report.retryable, "{report:#?}");
        assert_eq!(report.queue_id, None);
        report
    }
}

/// Whether the conversation reached this stage.
pub fn reached(report: &Report, stage: Stage) -> bool {
    report.stages.iter().any(|event| event.stage == stage)
}

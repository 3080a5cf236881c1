//! A service manager may ask the process to stop at any moment, even while it is still starting.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "clippy recognises only functions with #[test] as tests")]

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(60);

fn start(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_facteur"))
        .args([
            "demo",
            "--port",
            "0",
            "--portal-port",
            "0",
            "--provider-port",
            "0",
            "--starttls-port",
            "0",
            "--tls-port",
            "0",
            "--data",
        ])
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Sends SIGTERM and expects the process to exit by itself, with success.
fn ends_well(mut demo: Child) {
    assert!(Command::new("kill").arg(demo.id().to_string()).status().unwrap().success());
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = demo.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "the process does not exit");
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut logs = String::new();
    demo.stderr.take().unwrap().read_to_string(&mut logs).unwrap();
    assert!(status.success(), "{status}: {logs}");
}

#[test]
fn sigterm_while_it_prepares_is_an_orderly_end() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let demo = start(&data);
    let deadline = Instant::now() + PATIENCE;
    // Its keys are written long before it listens.
    while !data.exists() {
        assert!(Instant::now() < deadline, "the process does not start");
        std::thread::sleep(Duration::from_millis(1));
    }
    ends_well(demo);
}

#[test]
fn sigterm_as_soon_as_the_addresses_are_printed_is_an_orderly_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = start(folder.path());
    let mut printed = BufReader::new(demo.stdout.take().unwrap()).lines();
    assert!(printed.any(|line| line.unwrap().contains("Ctrl+C")), "it exited before it printed its addresses");
    ends_well(demo);
}

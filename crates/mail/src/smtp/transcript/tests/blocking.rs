//! A long search leaves the thread.

use super::*;
use crate::aside::tests::leaves_the_thread;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_long_search_keeps_nobody_waiting() {
    let (redactor_of_short, text) = (redactor("hunter2hunter2"), "250 %41&#66; ok ".repeat(75));
    leaves_the_thread("a reply", move || drop(redactor_of_short.redact(&text))).await;
    let secret = "correct horse battery staple".repeat(10);
    leaves_the_thread("a secret", move || drop(redactor(&secret))).await;
}

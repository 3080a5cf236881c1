//! A long search leaves the thread.

use super::*;

/// The runtime has one thread. What is searched for long leaves it to the others meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_long_search_keeps_nobody_waiting() {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };
    type Search = Box<dyn Fn() + Send>;
    let secret = "correct horse battery staple".repeat(10);
    let long = |line: &str| line.repeat(1_200 / line.len());
    let searches: [(&str, Search); 2] = [
        ("a reply", {
            let (redactor, text) = (redactor("hunter2hunter2"), long("250 %41&#66; ok "));
            Box::new(move || drop(redactor.redact(&text)))
        }),
        ("a secret", Box::new(move || drop(redactor(&secret)))),
    ];
    for (name, search) in searches {
        let other_ran = tokio::spawn(async move {
            let ran = Arc::new(AtomicBool::new(false));
            let mark = ran.clone();
            tokio::spawn(async move { mark.store(true, Ordering::SeqCst) });
            // Nothing here waits: without leaving the thread the other one never has it.
            (0..1_000).any(|_| {
                search();
                ran.load(Ordering::SeqCst)
            })
        });
        assert!(other_ran.await.unwrap(), "{name}");
    }
}

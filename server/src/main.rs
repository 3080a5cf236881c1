//! Server side. The binary `facteur`: the allocator, the log, and the command line (`cli`).

use std::{io::IsTerminal, process::ExitCode};

use clap::Parser;
use server::{cli, config};
use tracing_subscriber::EnvFilter;

/// The system's own allocator (glibc) kept most of the memory of large bodies for good: each thread has a heap, and its
/// free space is returned from the end only.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // mimalloc asks for transparent huge pages, and hardly uses them: they made an idle server 30 MB larger. This must
    // come before any other thread starts.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    run()
}

#[tokio::main]
async fn run() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let logs = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(config::log_filter()))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if config::logs_are_json() {
        logs.json().init();
    } else {
        logs.init();
    }
    cli::run(arguments).await
}

//! Server side. The command line.

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use server::{
    config,
    demo::{Demo, DemoOptions},
};
use tracing_subscriber::EnvFilter;

/// Facteur: the SMTP configurator that web portals embed.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything on this machine, for trying it out: configurator, demo portal, sandbox mail server
    Demo {
        /// Port of the configurator (127.0.0.1)
        #[arg(long, default_value_t = 3000)]
        port: u16,
        /// Port of the demo portal (localhost)
        #[arg(long, default_value_t = 4000)]
        portal_port: u16,
        /// Port of the sandbox mail server, STARTTLS
        #[arg(long, default_value_t = 2525)]
        starttls_port: u16,
        /// Port of the sandbox mail server, TLS
        #[arg(long, default_value_t = 2465)]
        tls_port: u16,
        /// Folder of the database and the keys
        #[arg(long, default_value = "data")]
        data: PathBuf,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    tracing_subscriber::fmt().with_env_filter(EnvFilter::new(config::log_filter())).with_writer(std::io::stderr).init();
    let Command::Demo { port, portal_port, starttls_port, tls_port, data } = command;
    match demo(DemoOptions { port, portal_port, starttls_port, tls_port, folder: data }).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("facteur: {error}");
            let mut cause = error.source();
            while let Some(deeper) = cause {
                eprintln!("  because: {deeper}");
                cause = deeper.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn demo(options: DemoOptions) -> Result<(), server::demo::DemoError> {
    let demo = Demo::prepare(&options).await?;
    let (portal, configurator) = (&demo.portal_url, &demo.configurator_url);
    println!("Facteur demo");
    println!("  Start here     {portal}      the portal: +  >  Paramètres  >  Mode d’envoi des emails");
    println!("  Inbox          {portal}/inbox    what “left”, and every failure to try");
    println!("  Configurator   {configurator}");
    println!(
        "  Mail server    127.0.0.1:{} (STARTTLS), {} (TLS)",
        demo.sandbox.starttls_addr().port(),
        demo.sandbox.tls_addr().port()
    );
    println!("  Data           {}", options.folder.display());
    println!("Stop with Ctrl+C.");
    demo.serve(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
    .await
}

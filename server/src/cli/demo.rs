//! Server side. `facteur demo`: everything on one machine, for trying it out.

use std::{path::PathBuf, process::ExitCode};

use super::{Failed, failed, stop::StopRequest};
use crate::demo::{Demo, DemoOptions};

#[derive(clap::Args)]
pub struct Arguments {
    /// Port of the configurator (127.0.0.1)
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Port of the demo portal (localhost)
    #[arg(long, default_value_t = 4000)]
    portal_port: u16,
    /// Port of the provider that demo accounts sign in with (127.0.0.1)
    #[arg(long, default_value_t = 5000)]
    provider_port: u16,
    /// Port of the sandbox mail server, STARTTLS
    #[arg(long, default_value_t = 2525)]
    starttls_port: u16,
    /// Port of the sandbox mail server, TLS
    #[arg(long, default_value_t = 2465)]
    tls_port: u16,
    /// Folder of the database and the keys
    #[arg(long, default_value = "data")]
    data: PathBuf,
    /// The URL of a PostgreSQL database instead of SQLite
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

pub async fn run(arguments: Arguments) -> Result<ExitCode, Failed> {
    let Arguments { port, portal_port, provider_port, starttls_port, tls_port, data, database } = arguments;
    let options = DemoOptions { port, portal_port, provider_port, starttls_port, tls_port, folder: data, database };
    let mut stop = StopRequest::listen().map_err(failed)?;
    let demo = tokio::select! {
        demo = Demo::prepare(&options) => demo.map_err(failed)?,
        () = stop.received() => return Ok(ExitCode::SUCCESS),
    };
    let (portal, configurator) = (&demo.portal_url, &demo.configurator_url);
    println!("Facteur demo");
    println!("  Start here     {portal}      the portal: +  >  Paramètres  >  Mode d’envoi des emails");
    println!("  Inbox          {portal}/inbox    “sent” messages, and every failure to try");
    println!("  Configurator   {configurator}");
    println!("  Sign-in        {}", demo.provider_url);
    println!(
        "  Mail server    127.0.0.1:{} (STARTTLS), {} (TLS)",
        demo.sandbox.starttls_addr().port(),
        demo.sandbox.tls_addr().port()
    );
    println!("  Data           {}", options.folder.display());
    println!("Stop with Ctrl+C.");
    demo.serve(async move { stop.received().await }).await.map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

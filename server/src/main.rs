//! Server side. The command line.

use std::{
    error::Error,
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
};

use app::{i18n::Locale, test_run::event::Stage};
use clap::{Parser, Subcommand};
use server::{
    config::{self, Config},
    demo::{Demo, DemoOptions},
    explain::{explain_lines, explain_one},
    probe::{ProbeOptions, probe},
    serve::Service,
};
use tracing_subscriber::EnvFilter;

#[path = "cli/keys.rs"]
mod keys;
#[path = "cli/stop.rs"]
mod stop;

use keys::KeysCommand;
use stop::StopRequest;

/// The system's own (glibc) kept most of what large bodies had taken, for good: each thread has a heap, and its holes are
/// given back only from the end.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    /// The real thing
    Serve {
        /// The configuration file
        #[arg(long, default_value = "facteur.toml")]
        config: PathBuf,
    },
    /// The configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Keys: of the vault, of portals, of webhooks
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Copy the database into a new file, also while Facteur serves
    Backup {
        /// The new file
        to: PathBuf,
        /// The configuration file
        #[arg(long, default_value = "facteur.toml")]
        config: PathBuf,
    },
    /// After a backup was put back: messages that waited in it may have been sent since, so none is sent again by itself
    Restored {
        /// The configuration file
        #[arg(long, default_value = "facteur.toml")]
        config: PathBuf,
    },
    /// One submission from the terminal, with the code of the button
    Probe(Box<ProbeOptions>),
    /// Explain servers' replies: one on the command line, or JSON lines on standard input
    Explain {
        /// A reply, such as "535 5.7.8 Error"; without it: lines such as {"stage":"auth","host":"…","reply":"…"}
        reply: Option<String>,
        /// Where it was said: resolve, connect, tls, greeting, ehlo, starttls, auth, `mail_from`, `rcpt_to`, data, quit
        #[arg(long, default_value = "auth", value_parser = stage)]
        stage: Stage,
        /// The server's name
        #[arg(long, default_value = "")]
        host: String,
        /// fr or en
        #[arg(long, default_value = "fr", value_parser = language)]
        lang: Locale,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Read the configuration and everything it names, and open the database, without serving
    Check {
        /// The configuration file
        #[arg(long, default_value = "facteur.toml")]
        config: PathBuf,
    },
}

fn stage(code: &str) -> Result<Stage, &'static str> {
    Stage::ALL.into_iter().find(|stage| stage.as_str() == code).ok_or("not a stage")
}

fn language(tag: &str) -> Result<Locale, &'static str> {
    Locale::from_tag(tag).ok_or("fr or en")
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let logs = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(config::log_filter()))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    if config::logs_are_json() {
        logs.json().init();
    } else {
        logs.init();
    }
    let outcome = match command {
        Command::Demo { port, portal_port, starttls_port, tls_port, data } => {
            demo(DemoOptions { port, portal_port, starttls_port, tls_port, folder: data }).await
        }
        Command::Serve { config } => serve(&config).await,
        Command::Config { command: ConfigCommand::Check { config } } => check(&config).await,
        Command::Keys { command } => keys::run(command).await,
        Command::Backup { to, config } => back_up(&config, &to).await,
        Command::Restored { config } => restored(&config).await,
        Command::Probe(options) => run_probe(&options).await,
        Command::Explain { reply, stage, host, lang } => run_explain(reply.as_deref(), stage, &host, lang),
    };
    outcome.unwrap_or_else(|Failed { error, code }| {
        eprintln!("facteur: {error}");
        let mut cause = error.source();
        while let Some(deeper) = cause {
            eprintln!("  because: {deeper}");
            cause = deeper.source();
        }
        ExitCode::from(code)
    })
}

/// Why a command ended badly: 1 when what it did failed, 2 when it could not be done as it was asked.
struct Failed {
    error: Box<dyn Error>,
    code: u8,
}

async fn run_probe(options: &ProbeOptions) -> Result<ExitCode, Failed> {
    match probe(options, &mut std::io::stdout()).await {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::from(1)),
        Err(error) => Err(Failed { error: error.into(), code: 2 }),
    }
}

fn run_explain(reply: Option<&str>, stage: Stage, host: &str, lang: Locale) -> Result<ExitCode, Failed> {
    let mut output = std::io::stdout().lock();
    let explained = match reply {
        Some(reply) => explain_one(reply, stage, host, lang, &mut output).map(|()| true),
        None => explain_lines(std::io::stdin().lock(), &mut output),
    };
    match explained {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::from(2)),
        Err(error) => Err(Failed { error: error.into(), code: 1 }),
    }
}

fn failed(error: impl Error + 'static) -> Failed {
    Failed { error: error.into(), code: 1 }
}

async fn prepare(path: &Path) -> Result<Service, Failed> {
    Service::prepare(&Config::load(path).map_err(failed)?).await.map_err(failed)
}

async fn serve(path: &Path) -> Result<ExitCode, Failed> {
    let mut stop = StopRequest::listen().map_err(failed)?;
    let service = tokio::select! {
        service = prepare(path) => service?,
        () = stop.received() => return Ok(ExitCode::SUCCESS),
    };
    service.serve(async move { stop.received().await }).await.map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

async fn check(path: &Path) -> Result<ExitCode, Failed> {
    prepare(path).await?.close().await;
    println!("{} is good: its files are there, and its keys open the database.", path.display());
    Ok(ExitCode::SUCCESS)
}

async fn back_up(config: &Path, to: &Path) -> Result<ExitCode, Failed> {
    let service = prepare(config).await?;
    let done = service.back_up(to).await;
    service.close().await;
    done.map_err(failed)?;
    println!("{}: a copy of the database. Keep it where the keys are not.", to.display());
    Ok(ExitCode::SUCCESS)
}

async fn restored(config: &Path) -> Result<ExitCode, Failed> {
    let service = prepare(config).await?;
    let disowned = service.disown_waiting().await;
    service.close().await;
    println!("{} messages that waited in the backup are delivery_unknown now.", disowned.map_err(failed)?);
    Ok(ExitCode::SUCCESS)
}

async fn demo(options: DemoOptions) -> Result<ExitCode, Failed> {
    let mut stop = StopRequest::listen().map_err(failed)?;
    let demo = tokio::select! {
        demo = Demo::prepare(&options) => demo.map_err(failed)?,
        () = stop.received() => return Ok(ExitCode::SUCCESS),
    };
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
    demo.serve(async move { stop.received().await }).await.map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

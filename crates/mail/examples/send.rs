//! Sends a message and explains a refusal.
//!
//! ```sh
//! cargo run -p mail --example send                     # to a local server, which refuses the password
//! SMTP_PASSWORD=… cargo run -p mail --example send -- smtp.example.com 465 claire@example.com karim@example.org
//! ```

use std::{error::Error, net::IpAddr};

use mail::{
    model::security::Security,
    net::Policy,
    smtp::{EhloName, Letter, Submission, Submitter, SubmitterOptions},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "an example has neither a clock nor a configuration")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut options = SubmitterOptions::new(EhloName::parse("client.example.com")?);
    let (host, port, security, login, to) = match arguments.as_slice() {
        [] => {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let port = listener.local_addr()?.port();
            tokio::spawn(refuse(listener));
            // Only here: a made-up name resolves to this machine, and a password may be sent without encryption.
            let name = "smtp.example.com".to_owned();
            options.policy = Policy {
                allow_ports: vec![port],
                static_addresses: vec![(name.clone(), vec![IpAddr::from([127, 0, 0, 1])])],
                plaintext_hosts: vec![name.clone()],
                ..Policy::default()
            };
            (name, port, Security::None, "claire@example.com".to_owned(), "karim@example.org".to_owned())
        }
        [host, port, login, to] => {
            let port: u16 = port.parse()?;
            let security = if port == 465 { Security::Tls } else { Security::Starttls };
            (host.clone(), port, security, login.clone(), to.clone())
        }
        _ => return Err("usage: send [host port login recipient]".into()),
    };
    let password = std::env::var("SMTP_PASSWORD").unwrap_or_else(|_| "wrong-secret".to_owned());

    let date = std::time::SystemTime::now();
    let letter = Letter {
        subject: "Hello".to_owned(),
        text: Some("This message was sent by an example.".to_owned()),
        ..Letter::new(&login.parse()?, &to.parse()?, date)
    };
    let submission = Submission::of(&letter, &host, port, security)?.login(&login, &password);
    let mut shown = |event: mail::model::stage::StageEvent| {
        println!("{:<10} {:>7.1} ms  {}", event.stage.as_str(), event.ms, event.reply.unwrap_or_default());
    };
    let report = Submitter::new(options)?.submit(&submission, &mut shown).await;
    match report.cause {
        None => println!("accepted: {}", report.reply.unwrap_or_default()),
        Some(cause) => {
            let later = if report.retryable { "may succeed later" } else { "something has to change first" };
            println!("refused: {} at {} ({later})", cause.as_str(), report.stage.as_str());
        }
    }
    Ok(())
}

/// A server that refuses every password.
async fn refuse(listener: TcpListener) -> std::io::Result<()> {
    let (stream, _) = listener.accept().await?;
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 smtp.example.com ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let reply: &[u8] = match line.get(..4).unwrap_or_default() {
            "EHLO" => b"250-smtp.example.com\r\n250 AUTH PLAIN\r\n",
            "AUTH" => b"535 5.7.8 Username and Password not accepted\r\n",
            "QUIT" => b"221 Bye\r\n",
            _ => b"503 5.5.1 Bad sequence of commands\r\n",
        };
        writer.write_all(reply).await?;
    }
    Ok(())
}

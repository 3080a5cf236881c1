//! Server side. The sandbox: a mail server for trying things out. It delivers nothing; "sent" messages appear in its
//! inbox. Its certificate authority is created at start and trusted by the demo alone.
//!
//! Failures imitate real providers, and are chosen by login or by host name: see [`personas`]. To add a persona: a line
//! in its table, and its behaviour in `conversation.rs`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rustls::pki_types::CertificateDer;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

mod authority;
mod conversation;
pub mod inbox;
pub mod personas;
#[cfg(test)]
mod tests;

use super::provider::Tokens;
use authority::Authority;
use conversation::{Conversation, House};
pub use inbox::{Inbox, Received};
pub use personas::{PASSWORD, PERSONAS, Persona};

/// The domain of the sandbox' hosts and logins.
pub const DOMAIN: &str = "sandbox.example";
/// Connections at the same time.
const MOST_CONNECTIONS: usize = 100;
/// Longest conversation.
const LONGEST: Duration = Duration::from_secs(120);

/// The sandbox' addresses.
#[derive(Clone)]
pub struct SandboxOptions {
    /// `STARTTLS`.
    pub starttls: SocketAddr,
    /// TLS from the first byte.
    pub tls: SocketAddr,
    /// Time between the first attempt and acceptance of a greylisted message.
    pub greylist_delay: Duration,
    /// The access tokens to accept; the default offers passwords only.
    pub tokens: Tokens,
}

/// Why the sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the sandbox port {0} is in use or not permitted")]
    Listen(SocketAddr, #[source] std::io::Error),
    #[error("cannot create the sandbox certificates")]
    Certificate(#[source] rcgen::Error),
    #[error("cannot set up TLS for the sandbox")]
    Tls(#[source] rustls::Error),
}

/// A running sandbox. Dropping it closes its ports and connections.
pub struct Sandbox {
    authority: CertificateDer<'static>,
    inbox: Inbox,
    starttls: SocketAddr,
    tls: SocketAddr,
    _stop: DropGuard,
}

impl Sandbox {
    pub async fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        let authority = Authority::new().map_err(SandboxError::Certificate)?;
        let acceptor = TlsAcceptor::from(Arc::new(authority.server_config()?));
        let inbox = Inbox::default();
        let stop = CancellationToken::new();
        let listen = async |address| {
            let listener = TcpListener::bind(address).await.map_err(|error| SandboxError::Listen(address, error))?;
            let bound = listener.local_addr().map_err(|error| SandboxError::Listen(address, error))?;
            Ok::<_, SandboxError>((listener, bound))
        };
        let (in_clear, starttls) = listen(options.starttls).await?;
        let (encrypted, tls) = listen(options.tls).await?;
        let house = House { inbox: inbox.clone(), greylist_delay: options.greylist_delay, tokens: options.tokens };
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        for (listener, implicit) in [(in_clear, false), (encrypted, true)] {
            let door = Door { acceptor: acceptor.clone(), house: house.clone(), implicit, places: places.clone() };
            let stop = stop.clone();
            tokio::spawn(async move { stop.run_until_cancelled(door.open(listener, stop.clone())).await });
        }
        Ok(Self { authority: authority.certificate(), inbox, starttls, tls, _stop: stop.drop_guard() })
    }

    /// The certificate of the sandbox' authority.
    pub fn authority(&self) -> CertificateDer<'static> {
        self.authority.clone()
    }

    pub fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    pub fn starttls_addr(&self) -> SocketAddr {
        self.starttls
    }

    pub fn tls_addr(&self) -> SocketAddr {
        self.tls
    }
}

/// One listening port.
struct Door {
    acceptor: TlsAcceptor,
    house: House,
    implicit: bool,
    places: Arc<Semaphore>,
}

impl Door {
    async fn open(self, listener: TcpListener, stop: CancellationToken) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                continue;
            };
            let Ok(place) = self.places.clone().try_acquire_owned() else {
                continue;
            };
            let (acceptor, house, implicit) = (self.acceptor.clone(), self.house.clone(), self.implicit);
            let stop = stop.clone();
            tokio::spawn(async move {
                let conversation = timeout(LONGEST, serve(stream, acceptor, house, implicit));
                stop.run_until_cancelled(conversation).await;
                drop(place);
            });
        }
    }
}

/// One connection. Its errors are ignored: the client reports them.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, house: House, implicit: bool) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    if !implicit {
        Conversation::in_clear(stream, acceptor, house).run().await;
        return;
    }
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let name = stream.get_ref().1.server_name().map(str::to_owned);
    Conversation::encrypted(stream, name, house).run().await;
}

//! The stream that a conversation uses.

use std::{io, mem::MaybeUninit};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

/// A TCP or TLS stream.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {
    /// Whether the operating system holds unread bytes, or the end of the stream. The runtime may not know yet: it
    /// learns of them only when it polls.
    fn has_unread(&self) -> bool;
}

impl Stream for TcpStream {
    fn has_unread(&self) -> bool {
        let peeked = socket2::SockRef::from(self).peek(&mut [MaybeUninit::uninit()]);
        peeked.map_or_else(|error| error.kind() != io::ErrorKind::WouldBlock, |_| true)
    }
}

impl Stream for TlsStream<Box<dyn Stream>> {
    fn has_unread(&self) -> bool {
        self.get_ref().0.has_unread()
    }
}

/// The placeholder while a stream is lent.
impl Stream for tokio::io::Empty {
    fn has_unread(&self) -> bool {
        false
    }
}

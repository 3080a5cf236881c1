//! Server side. Replies in, commands out, within limits of time and size. Counts flights: writes that wait for an
//! answer.

use std::io;

use app::diagnosis::cause::Cause;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout_at},
};

use super::reply::{Line, Reply};

/// Longest line of a reply, in bytes, its end included.
const LONGEST_LINE: usize = 2 * 1024;
/// Longest reply, in bytes.
const LONGEST_REPLY: usize = 64 * 1024;
/// How much is read at once, in bytes.
const CHUNK: usize = 4 * 1024;

/// A TCP or TLS stream.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for T {}

/// Why there is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum WireError {
    #[error("silence")]
    Timeout,
    #[error("the connection is gone")]
    Lost,
    #[error("the reply never ends")]
    TooLarge,
    #[error("not a reply")]
    Malformed,
}

impl WireError {
    pub(super) const fn cause(self) -> Cause {
        match self {
            Self::Timeout => Cause::Timeout,
            Self::Lost => Cause::ConnectionLost,
            Self::TooLarge => Cause::ReplyTooLarge,
            Self::Malformed => Cause::ProtocolError,
        }
    }

    /// Whether the same may go better later.
    pub(super) const fn is_transient(self) -> bool {
        matches!(self, Self::Timeout | Self::Lost)
    }
}

/// One connection to a server.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
    /// Whether something was read since the last write.
    turned: bool,
    pub(super) flights: u32,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream, buffer: Vec::new(), turned: true, flights: 0 }
    }

    /// Lends the stream for an upgrade, until [`Wire::resume`]. `None` when bytes are waiting: they came in clear, and
    /// would be read as if they had come encrypted (CVE-2021-38371).
    pub(super) fn take_stream(&mut self) -> Option<Box<dyn Stream>> {
        self.buffer.is_empty().then(|| std::mem::replace(&mut self.stream, Box::new(tokio::io::empty())))
    }

    pub(super) fn resume(&mut self, stream: Box<dyn Stream>) {
        self.stream = stream;
        self.turned = true;
    }

    /// Writes commands, or a message, in one flight.
    pub(super) async fn write(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), WireError> {
        if std::mem::take(&mut self.turned) {
            self.flights += 1;
        }
        let written = timeout_at(deadline, async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        });
        match written.await {
            Err(_) => Err(WireError::Timeout),
            Ok(Err(_)) => Err(WireError::Lost),
            Ok(Ok(())) => Ok(()),
        }
    }

    /// Reads one reply, all its lines. Lines end in CRLF; a bare LF is tolerated, since old servers write it and
    /// nothing else can be meant.
    pub(super) async fn read_reply(&mut self, deadline: Instant) -> Result<Reply, WireError> {
        let mut lines = Vec::new();
        let mut size = 0;
        let mut code = None;
        loop {
            let line = self.read_line(deadline).await?;
            size += line.len();
            if size > LONGEST_REPLY {
                return Err(WireError::TooLarge);
            }
            let Line { code: this, more, text } = Line::parse(&line).map_err(|_| WireError::Malformed)?;
            if *code.get_or_insert(this) != this {
                return Err(WireError::Malformed);
            }
            lines.push(text);
            if !more {
                self.turned = true;
                return Ok(Reply::new(this, lines));
            }
        }
    }

    async fn read_line(&mut self, deadline: Instant) -> Result<Vec<u8>, WireError> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=searched + at).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return if line.len() > LONGEST_LINE { Err(WireError::TooLarge) } else { Ok(line) };
            }
            searched = self.buffer.len();
            if searched > LONGEST_LINE {
                return Err(WireError::TooLarge);
            }
            self.fill(deadline).await?;
        }
    }

    async fn fill(&mut self, deadline: Instant) -> Result<(), WireError> {
        let mut chunk = [0; CHUNK];
        match timeout_at(deadline, self.stream.read(&mut chunk)).await {
            Err(_) => Err(WireError::Timeout),
            Ok(Ok(0)) => Err(WireError::Lost),
            Ok(Ok(read)) => {
                self.buffer.extend_from_slice(&chunk[..read]);
                Ok(())
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => Err(WireError::Timeout),
            Ok(Err(_)) => Err(WireError::Lost),
        }
    }

    /// Reads what is there already, and waits for nothing: whether the other side is still there.
    pub(super) async fn look(&mut self) -> Result<(), WireError> {
        match self.fill(Instant::now()).await {
            Ok(()) | Err(WireError::Timeout) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Reads what still comes, to no end but the other side's, at most a reply's length.
    pub(super) async fn drain(&mut self, deadline: Instant) {
        self.buffer.clear();
        while self.buffer.len() < LONGEST_REPLY && self.fill(deadline).await.is_ok() {}
    }

    /// Whether nothing is waiting unread.
    pub(super) fn is_quiet(&self) -> bool {
        self.buffer.is_empty()
    }

    /// What is waiting unread, for a look at who is talking.
    pub(super) fn peek(&self) -> &[u8] {
        &self.buffer
    }
}

//! Replies in, commands out, within limits of time and size.
//!
//! SMTP replies carry no number: the n-th reply answers the n-th command (RFC 5321 §4.2). One reply too many, and every
//! later one would be taken for the answer to the wrong command. So the wire counts the replies that are owed, and writes
//! nothing while more than those have come. It also counts flights: writes that wait for an answer.

use std::{collections::VecDeque, future::poll_fn, io, pin::Pin, task::Poll, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf},
    task::yield_now,
    time::{Instant, timeout_at},
};

use crate::{
    net::Stream,
    reply::{Line, Reply},
};

mod error;

pub(super) use error::WireError;

/// Longest line of a reply, in bytes, its end included.
const LONGEST_LINE: usize = 2 * 1024;
/// Longest reply, in bytes.
const LONGEST_REPLY: usize = 64 * 1024;
/// How much is read at once, in bytes.
const CHUNK: usize = 4 * 1024;

/// How often the runtime gets a turn to notice what the socket says has come.
const MOST_TURNS: u32 = 64;

/// One connection to a server.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    /// Replies that were read before their turn.
    early: VecDeque<Reply>,
    /// Replies that are still to come: to commands, and the greeting.
    owed: usize,
    /// Whether something was read since the last write.
    turned: bool,
    /// A command or a message was not written to its end: what is written next would become a part of it.
    unfinished: bool,
    /// More came than was asked for: nothing that still comes means anything.
    untrusted: bool,
    pub(super) flights: u32,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            early: VecDeque::new(),
            owed: 1,
            turned: true,
            unfinished: false,
            untrusted: false,
            flights: 0,
        }
    }

    /// Lends the stream for an upgrade, until [`Wire::resume`]. `None` when bytes are waiting: they came in clear, and
    /// would be read as if they had come encrypted (CVE-2021-38371).
    pub(super) async fn take_stream(&mut self) -> Option<Box<dyn Stream>> {
        // The end is seen by the handshake.
        let _ = self.look().await;
        self.untrusted |= !self.buffer.is_empty();
        (!self.untrusted).then(|| std::mem::replace(&mut self.stream, Box::new(tokio::io::empty())))
    }

    pub(super) fn resume(&mut self, stream: Box<dyn Stream>) {
        self.stream = stream;
        self.turned = true;
    }

    /// Writes commands, or a message, in one flight, for which so many replies are due. Nothing is written when more
    /// replies came than are owed: the next one would be taken for an answer.
    pub(super) async fn write(&mut self, bytes: &[u8], replies: usize, deadline: Instant) -> Result<(), WireError> {
        self.write_beginning(bytes, replies, deadline).await?;
        self.unfinished = false;
        Ok(())
    }

    /// Writes a flight but for its end, which [`Wire::write_end`] does.
    pub(super) async fn write_beginning(
        &mut self,
        bytes: &[u8],
        replies: usize,
        deadline: Instant,
    ) -> Result<(), WireError> {
        let looked = self.look().await;
        if self.has_too_much() {
            self.untrusted = true;
            return Err(WireError::Unasked);
        }
        looked?;
        self.owed += replies;
        if std::mem::take(&mut self.turned) {
            self.flights += 1;
        }
        self.put(bytes, deadline).await
    }

    /// Writes the end of a flight whose last reply is due once the end has come.
    pub(super) async fn write_end(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), WireError> {
        self.put(bytes, deadline).await?;
        self.unfinished = false;
        Ok(())
    }

    /// The same, followed by the commands of the next transaction up to `DATA`, to which this many replies are due. What is
    /// written after them is a message.
    pub(super) async fn write_end_and_begin(
        &mut self,
        bytes: &[u8],
        replies: usize,
        deadline: Instant,
    ) -> Result<(), WireError> {
        self.owed += replies;
        self.put(bytes, deadline).await
    }

    /// The same, followed by a command that stands alone.
    pub(super) async fn write_end_and_ask(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), WireError> {
        self.owed += 1;
        self.write_end(bytes, deadline).await
    }

    /// The server did not accept `DATA`: what is written next is a command.
    pub(super) const fn is_not_begun(&mut self) {
        self.unfinished = false;
    }

    async fn put(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), WireError> {
        self.unfinished = true;
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

    /// How many of the owed replies have not come; `None` when more have come than are owed.
    pub(super) fn missing(&self) -> Option<usize> {
        if self.has_too_much() { None } else { Some(self.owed - self.waiting()) }
    }

    /// Replies in the buffer, told by their last lines.
    fn waiting(&self) -> usize {
        let lines = self.buffer.split_inclusive(|byte| *byte == b'\n');
        self.early.len() + lines.filter(|line| line.ends_with(b"\n") && line.get(3) != Some(&b'-')).count()
    }

    fn has_too_much(&self) -> bool {
        let beyond = self.owed == 0 && !self.buffer.is_empty();
        beyond || self.waiting() > self.owed
    }

    /// Whether more came than was asked for. Waits this long for it when no reply is owed.
    pub(super) async fn has_surplus(&mut self, patience: Duration) -> bool {
        let looked = self.look().await;
        if self.owed == 0 && self.buffer.is_empty() && looked.is_ok() && !patience.is_zero() {
            let _ = self.fill(Instant::now() + patience).await;
        }
        self.has_too_much()
    }

    /// Whether a refusal has been received; 421 (closing) is not one.
    pub(super) fn refuses_unasked(&self) -> bool {
        self.buffer[..]
            .split(|byte| *byte == b'\n')
            .any(|line| matches!(line, [b'4' | b'5', ..]) && !line.starts_with(b"421"))
    }

    /// Whether the next reply would be one that is owed.
    pub(super) const fn is_owed(&self) -> bool {
        self.owed > 0
    }

    /// Whether QUIT would be read as a command.
    pub(super) const fn can_part(&self) -> bool {
        !self.unfinished && !self.untrusted
    }

    /// Reads one reply, all its lines. Lines end in CRLF; a bare LF is tolerated, since old servers write it and
    /// nothing else can be meant.
    pub(super) async fn read_reply(&mut self, deadline: Instant) -> Result<Reply, WireError> {
        if let Some(reply) = self.early.pop_front() {
            self.turned = true;
            self.owed = self.owed.saturating_sub(1);
            return Ok(reply);
        }
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
                self.owed = self.owed.saturating_sub(1);
                return Ok(Reply::new(this, lines));
            }
        }
    }

    /// Puts back replies that were read before their turn, in their order.
    pub(super) fn put_back(&mut self, replies: Vec<Reply>) {
        self.owed += replies.len();
        self.early.extend(replies);
    }

    async fn read_line(&mut self, deadline: Instant) -> Result<Vec<u8>, WireError> {
        let mut searched = 0;
        loop {
            if let Some(at) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let mut line = self.buffer.split_to(searched + at + 1).to_vec();
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

    /// Reads what is there already, and waits for nothing: whether the other side is still there, and has said more.
    pub(super) async fn look(&mut self) -> Result<(), WireError> {
        let mut turns = 0;
        while self.buffer.len() < LONGEST_REPLY {
            let mut chunk = [0; CHUNK];
            let mut space = ReadBuf::new(&mut chunk);
            let read = poll_fn(|context| Poll::Ready(Pin::new(&mut self.stream).poll_read(context, &mut space))).await;
            match read {
                Poll::Ready(Ok(())) if !space.filled().is_empty() => self.buffer.extend_from_slice(space.filled()),
                Poll::Ready(_) => return Err(WireError::Lost),
                Poll::Pending if turns < MOST_TURNS && self.stream.has_unread() => {
                    turns += 1;
                    yield_now().await;
                }
                Poll::Pending => return Ok(()),
            }
        }
        Ok(())
    }

    /// Reads what still comes, to no end but the other side's, at most a reply's length.
    pub(super) async fn drain(&mut self, deadline: Instant) {
        self.buffer.clear();
        self.early.clear();
        while self.buffer.len() < LONGEST_REPLY && self.fill(deadline).await.is_ok() {}
    }

    /// What is waiting unread, for a look at who is talking.
    pub(super) fn peek(&self) -> &[u8] {
        &self.buffer
    }
}

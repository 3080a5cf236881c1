//! Reads replies and writes commands, within limits of time and size.
//!
//! SMTP replies carry no number: the n-th reply answers the n-th command (RFC 5321 §4.2). After one unsolicited reply,
//! every later one would be matched with the wrong command. So the wire counts the replies that are still due, and
//! writes nothing if more than those have arrived. It also counts flights: writes that wait for a reply.

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

/// The longest line of a reply, in bytes, including its line end.
const LONGEST_LINE: usize = 2 * 1024;
/// The longest reply, in bytes.
const LONGEST_REPLY: usize = 64 * 1024;
/// How many bytes are read at once.
const CHUNK: usize = 4 * 1024;

/// How often to yield until the runtime notices what the socket has received.
const MOST_TURNS: u32 = 64;

/// One connection to a server.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    /// Replies that were read ahead and put back.
    early: VecDeque<Reply>,
    /// How many replies are still due: to commands, and the greeting.
    owed: usize,
    /// Whether a reply was read since the last write.
    turned: bool,
    /// A command or a message was not written completely: anything written next would become part of it.
    unfinished: bool,
    /// An unsolicited reply came: nothing that follows can be trusted.
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

    /// Lends the stream for an upgrade, until [`Wire::resume`]. `None` if unread bytes are waiting: they arrived
    /// unencrypted, and would be read as if they were encrypted (CVE-2021-38371).
    pub(super) async fn take_stream(&mut self) -> Option<Box<dyn Stream>> {
        // The handshake detects a closed connection.
        let _ = self.look().await;
        self.untrusted |= !self.buffer.is_empty();
        (!self.untrusted).then(|| std::mem::replace(&mut self.stream, Box::new(tokio::io::empty())))
    }

    pub(super) fn resume(&mut self, stream: Box<dyn Stream>) {
        self.stream = stream;
        self.turned = true;
    }

    /// Writes commands, or a message, in one flight that gets `replies` replies. Writes nothing if more replies arrived
    /// than are due: the next one would be taken for an answer.
    pub(super) async fn write(&mut self, bytes: &[u8], replies: usize, deadline: Instant) -> Result<(), WireError> {
        self.write_beginning(bytes, replies, deadline).await?;
        self.unfinished = false;
        Ok(())
    }

    /// Writes a flight without its end; [`Wire::write_end`] writes that.
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

    /// Writes the end of a flight whose last reply is due after it.
    pub(super) async fn write_end(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), WireError> {
        self.put(bytes, deadline).await?;
        self.unfinished = false;
        Ok(())
    }

    /// The same, followed by the commands of the next transaction up to `DATA`, which get `replies` replies. What is
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

    /// The same, followed by a single command.
    pub(super) async fn write_end_and_ask(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), WireError> {
        self.owed += 1;
        self.write_end(bytes, deadline).await
    }

    /// The server did not accept `DATA`: a command is written next.
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

    /// How many due replies are missing; `None` if more have arrived than are due.
    pub(super) fn missing(&self) -> Option<usize> {
        if self.has_too_much() { None } else { Some(self.owed - self.waiting()) }
    }

    /// The number of replies in the buffer, counted by their last lines.
    fn waiting(&self) -> usize {
        let lines = self.buffer.split_inclusive(|byte| *byte == b'\n');
        self.early.len() + lines.filter(|line| line.ends_with(b"\n") && line.get(3) != Some(&b'-')).count()
    }

    fn has_too_much(&self) -> bool {
        let beyond = self.owed == 0 && !self.buffer.is_empty();
        beyond || self.waiting() > self.owed
    }

    /// Whether an unsolicited reply arrived. Waits for `patience` if no reply is due.
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

    /// Whether a reply is still due.
    pub(super) const fn is_owed(&self) -> bool {
        self.owed > 0
    }

    /// Whether the server would read QUIT as a command.
    pub(super) const fn can_part(&self) -> bool {
        !self.unfinished && !self.untrusted
    }

    /// Reads one reply with all its lines. Lines end in CRLF; a bare LF is accepted, because old servers send it and it
    /// has no other meaning. After a timeout nothing is lost: the reply can be read again from its beginning.
    pub(super) async fn read_reply(&mut self, deadline: Instant) -> Result<Reply, WireError> {
        if let Some(reply) = self.early.pop_front() {
            self.turned = true;
            self.owed = self.owed.saturating_sub(1);
            return Ok(reply);
        }
        let mut lines = Vec::new();
        let mut size = 0;
        let mut code = None;
        let mut taken: Vec<u8> = Vec::new();
        loop {
            let line = match self.read_line(deadline).await {
                Ok(line) => line,
                Err(error) => {
                    if error == WireError::Timeout {
                        taken.extend_from_slice(&self.buffer);
                        self.buffer = taken.as_slice().into();
                    }
                    return Err(error);
                }
            };
            taken.extend_from_slice(&line);
            taken.extend_from_slice(b"\r\n");
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

    /// Puts back replies that were read ahead, in their order.
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

    /// Reads what has arrived, without waiting: is the connection open, and has the server sent more?
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

    /// Reads and discards what still arrives, until the server closes the connection; at most the length of one reply.
    pub(super) async fn drain(&mut self, deadline: Instant) {
        self.buffer.clear();
        self.early.clear();
        while self.buffer.len() < LONGEST_REPLY && self.fill(deadline).await.is_ok() {}
    }

    /// The unread bytes, to identify the protocol.
    pub(super) fn peek(&self) -> &[u8] {
        &self.buffer
    }
}

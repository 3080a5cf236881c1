//! Reads replies and writes commands, within limits of time and size.
//!
//! SMTP replies carry no number: the n-th reply answers the n-th command (RFC 5321 §4.2). After one unsolicited reply,
//! every later one would be matched with the wrong command. So the wire counts the replies that are still due, and
//! writes nothing if more than those have arrived. It also counts flights: writes that wait for a reply.

use std::{collections::VecDeque, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, timeout_at},
};

use crate::{net::Stream, reply::Reply};

mod error;
mod read;

pub(super) use error::WireError;

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

    /// The unread bytes, to identify the protocol.
    pub(super) fn peek(&self) -> &[u8] {
        &self.buffer
    }
}

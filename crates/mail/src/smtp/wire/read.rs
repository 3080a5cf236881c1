//! Reads replies within limits of time and size.

use std::{future::poll_fn, io, pin::Pin, task::Poll};

use tokio::{
    io::{AsyncRead, AsyncReadExt, ReadBuf},
    task::yield_now,
    time::{Instant, timeout_at},
};

use super::{Wire, WireError};
use crate::reply::{Line, Reply};

/// The longest line of a reply, in bytes, including its line end.
const LONGEST_LINE: usize = 2 * 1024;
/// The longest reply, in bytes.
const LONGEST_REPLY: usize = 64 * 1024;
/// How many bytes are read at once.
const CHUNK: usize = 4 * 1024;

/// How often to yield until the runtime notices what the socket has received.
const MOST_TURNS: u32 = 64;

impl Wire {
    /// Reads one reply with all its lines. Lines end in CRLF; a bare LF is accepted, because old servers send it and it
    /// has no other meaning. After a timeout nothing is lost: the reply can be read again from its beginning.
    pub(in crate::smtp) async fn read_reply(&mut self, deadline: Instant) -> Result<Reply, WireError> {
        if let Some(reply) = self.early.pop_front() {
            return Ok(self.answered(reply));
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
                return Ok(self.answered(Reply::new(this, lines)));
            }
        }
    }

    fn answered(&mut self, reply: Reply) -> Reply {
        self.turned = true;
        self.owed = self.owed.saturating_sub(1);
        reply
    }

    /// Puts back replies that were read ahead, in their order.
    pub(in crate::smtp) fn put_back(&mut self, replies: Vec<Reply>) {
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

    pub(super) async fn fill(&mut self, deadline: Instant) -> Result<(), WireError> {
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
    pub(in crate::smtp) async fn look(&mut self) -> Result<(), WireError> {
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
    pub(in crate::smtp) async fn drain(&mut self, deadline: Instant) {
        self.buffer.clear();
        self.early.clear();
        while self.buffer.len() < LONGEST_REPLY && self.fill(deadline).await.is_ok() {}
    }
}

//! Server side. Who is connected, for how long, and which connection is closed when there are too many.
//!
//! A client that opens connections and sends nothing still costs one descriptor each. So every connection has a phase,
//! and each phase that depends on the client has a time limit: headers, a body, an idle connection, a response that is
//! not read. When there is no room for a new connection, the one that has waited longest for its client is closed, but
//! never one with a response in progress.
//!
//! | file | what it is |
//! |---|---|
//! | `limits` | the limits an operator may set |
//! | `listener` | accepts connections, and speaks HTTP/1.1 on each |
//! | `stream` | reports reads and writes to the connection's state |
//! | `connection` | the state of one connection |
//! | `registry` | all open connections: limits in total and for each client |
//! | `body` | a request's body, with a deadline |
//! | `forwarded` | the client that a proxy forwards for |

pub mod body;
mod connection;
pub mod forwarded;
mod limits;
pub mod listener;
mod registry;
mod stream;

pub use limits::ConnectionLimits;

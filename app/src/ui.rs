//! Server side. The parts that every page is made of.

pub mod event;
pub mod field;
pub mod form_owner;
pub mod layout;
pub mod moment;
pub mod notice;
pub mod secret;
pub mod session_over;
pub mod text;

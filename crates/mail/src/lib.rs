#![doc = include_str!("../README.md")]

pub mod aside;
pub mod diagnosis;
pub mod net;
pub mod reply;
mod shown;
pub mod smtp;

pub use model;

//! Server side. The conversation against servers that behave, and servers that do not.

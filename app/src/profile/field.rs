//! Server side. The fields of the form, and what can be wrong with each.
//!
//! An error is a code; its text is `error-<code>` in the catalogues.

use serde::{Deserialize, Serialize};

/// A field of the form, in the order of the page: the first wrong one gets the focus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Preset,
    Host,
    Port,
    Security,
    User,
    Login,
    Secret,
    SenderName,
    SenderAddress,
    ReplyTo,
    Name,
    Encoding,
}

impl Field {
    /// The fields whose input may be shown again.
    pub const TYPED: [Self; 10] = [
        Self::Preset,
        Self::Host,
        Self::Port,
        Self::Security,
        Self::User,
        Self::Login,
        Self::SenderName,
        Self::SenderAddress,
        Self::ReplyTo,
        Self::Name,
    ];

    /// The catalogue key of its name.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Preset => "form-preset",
            Self::Host => "form-host",
            Self::Port => "form-port",
            Self::Security => "form-security",
            Self::User => "form-owner",
            Self::Login => "form-login",
            Self::Secret => "form-secret",
            Self::SenderName => "form-sender-name",
            Self::SenderAddress => "form-sender-address",
            Self::ReplyTo => "form-reply-to",
            Self::Name => "form-name",
            Self::Encoding => "encoding-title",
        }
    }

    /// The `id` of its input, and the last part of its name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Preset => "preset",
            Self::Host => "host",
            Self::Port => "port",
            Self::Security => "security",
            Self::User => "user",
            Self::Login => "login",
            Self::Secret => "secret",
            Self::SenderName => "sender_name",
            Self::SenderAddress => "sender_address",
            Self::ReplyTo => "reply_to",
            Self::Name => "name",
            Self::Encoding => "encoding",
        }
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    Required,
    TooLong,
    /// Control characters, line ends or bidirectional controls.
    Unprintable,
    /// Not a host name: it contains a scheme, a port, a path, a space…
    HostInvalid,
    /// The address policy refuses the host.
    HostNotAllowed,
    /// Not a number from 1 to 65535.
    PortInvalid,
    /// The address policy refuses the port.
    PortNotAllowed,
    /// The password would be sent without encryption.
    Unencrypted,
    AddressInvalid,
    /// The provider's logins are addresses, and this is not one.
    LoginAddress,
    /// There is no sender address, and the login is not an address.
    SenderRequired,
    /// Not one of the choices.
    Unknown,
    /// The stored secret is bound to another destination.
    SecretForNewServer,
    /// A placeholder instead of a password: dots, `null`.
    Mask,
    /// What a program writes for a missing value: `undefined`, `[object Object]`.
    Leftover,
}

impl Fault {
    /// The catalogue's key.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Required => "error-required",
            Self::TooLong => "error-too-long",
            Self::Unprintable => "error-unprintable",
            Self::HostInvalid => "error-host-invalid",
            Self::HostNotAllowed => "error-host-not-allowed",
            Self::PortInvalid => "error-port-invalid",
            Self::PortNotAllowed => "error-port-not-allowed",
            Self::Unencrypted => "error-unencrypted",
            Self::AddressInvalid => "error-address-invalid",
            Self::LoginAddress => "error-login-address",
            Self::SenderRequired => "error-sender-required",
            Self::Unknown => "error-unknown-choice",
            Self::SecretForNewServer => "error-secret-for-new-server",
            Self::Mask => "error-mask",
            Self::Leftover => "error-leftover",
        }
    }
}

/// One thing that is wrong with one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: Field,
    pub fault: Fault,
}

impl FieldError {
    pub const fn new(field: Field, fault: Fault) -> Self {
        Self { field, fault }
    }

    /// The catalogue's key. Some fields have a more precise text than the fault alone.
    pub const fn key(self) -> &'static str {
        match (self.fault, self.field) {
            (Fault::Required, Field::Host) => "error-required-host",
            (Fault::Required, Field::Port) => "error-required-port",
            (Fault::Required, Field::Login) => "error-required-login",
            (Fault::Required, Field::Secret) => "error-required-secret",
            (Fault::TooLong, Field::Login) => "error-too-long-login",
            (Fault::TooLong, Field::SenderName) => "error-too-long-name",
            (Fault::TooLong, Field::Secret) => "error-too-long-secret",
            (fault, _) => fault.key(),
        }
    }
}

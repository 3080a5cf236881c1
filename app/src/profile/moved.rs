//! Both. Which edits invalidate the stored password: it is sealed for one login at one server.

/// The edited part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// The host, the port or the encryption.
    Server,
    Login,
}

/// What a password is sealed for, as in the form: host, port, encryption, login.
pub type Place<'a> = [&'a str; 4];

impl Moved {
    /// `None`: the password is still valid.
    pub fn of(saved: Place<'_>, typed: Place<'_>) -> Option<Self> {
        let same = |at: usize| {
            let plain = |text: &'_ str| text.trim().trim_end_matches('.').to_owned();
            plain(saved[at]).eq_ignore_ascii_case(&plain(typed[at]))
        };
        if !(same(0) && same(1) && same(2)) {
            Some(Self::Server)
        } else if same(3) {
            None
        } else {
            Some(Self::Login)
        }
    }

    /// The catalogue key of the text that says what to do.
    #[cfg(feature = "ssr")]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Server => "form-secret-moved-server",
            Self::Login => "form-secret-moved-login",
        }
    }

    #[cfg(feature = "ssr")]
    pub fn between(saved: &super::draft::Draft, typed: &super::draft::Draft) -> Option<Self> {
        let place = |draft: &super::draft::Draft| -> [String; 4] {
            let super::server_text::ServerText { host, port } = super::server_text::read(&draft.host);
            [host, port.unwrap_or_else(|| draft.port.clone()), draft.security.clone(), draft.login.clone()]
        };
        let (saved, typed) = (place(saved), place(typed));
        Self::of(saved.each_ref().map(String::as_str), typed.each_ref().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_named_before_the_login_and_the_way_of_writing_does_not_count() {
        let saved = ["smtp.exemple.fr", "465", "tls", "claire@exemple.fr"];
        for (typed, moved) in [
            (saved, None),
            ([" SMTP.exemple.fr. ", "465 ", "tls", "Claire@Exemple.fr"], None),
            (["smtp.orange.fr", "465", "tls", "claire@exemple.fr"], Some(Moved::Server)),
            (["smtp.exemple.fr", "587", "tls", "claire@exemple.fr"], Some(Moved::Server)),
            (["smtp.exemple.fr", "465", "starttls", "claire@exemple.fr"], Some(Moved::Server)),
            (["smtp.exemple.fr", "465", "tls", "karim@exemple.fr"], Some(Moved::Login)),
            (["smtp.orange.fr", "465", "tls", "karim@exemple.fr"], Some(Moved::Server)),
        ] {
            assert_eq!(Moved::of(saved, typed), moved, "{typed:?}");
        }
    }
}

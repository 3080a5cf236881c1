//! Server side. Interprets the input: splits pasted servers and addresses, and fills in a preset.

use super::Draft;
use crate::profile::{
    mailbox_text,
    preset::{Catalogue, Preset},
    security::Security,
    server_text::{self, ServerText, visible},
};

impl Draft {
    /// Clears a preset whose server was edited by hand: its hints and advice are for another server.
    pub fn settle_preset(&mut self, presets: &Catalogue) {
        let host = server_text::read(&self.host).host;
        if !host.is_empty() && presets.get(&self.preset).is_some_and(|preset| !preset.is_at(&host)) {
            self.preset.clear();
        }
    }

    /// Normalises the input: a server with a port, a scheme or a path; an address with a name; invisible characters.
    /// Returns whether the server changed.
    pub fn tidy(&mut self) -> bool {
        let ServerText { host, port } = server_text::read(&self.host);
        let changed = host != self.host.trim() || port.is_some();
        self.host = host;
        if let Some(port) = port {
            self.port = port;
        }
        for field in [&mut self.port, &mut self.login, &mut self.sender_address, &mut self.reply_to] {
            *field = visible(field);
        }
        self.take_addresses_apart();
        changed
    }

    /// Splits `Claire <claire@exemple.fr>` into the address and the sender's name, if that is empty. As in the browser
    /// ([`mailbox_text`]).
    fn take_addresses_apart(&mut self) {
        for (field, named) in [(&mut self.sender_address, true), (&mut self.login, true), (&mut self.reply_to, false)] {
            let Some(read) = mailbox_text::read(field) else { continue };
            *field = read.address;
            if named && self.sender_name.trim().is_empty() {
                self.sender_name = read.name;
            }
        }
    }

    /// Puts a preset's server, port and encryption into the form.
    pub fn fill(&mut self, preset: &Preset) {
        preset.id.clone_into(&mut self.preset);
        preset.host.clone_into(&mut self.host);
        self.port = preset.port.to_string();
        preset.security.as_str().clone_into(&mut self.security);
        if let Some(login) = &preset.login_fixed {
            login.clone_into(&mut self.login);
        }
    }

    /// Without WebAssembly, a selected preset has filled nothing yet: this fills the empty fields. The encryption,
    /// which cannot be empty, follows the port if the preset knows it. Typed values stay.
    pub fn fill_what_is_empty(&mut self, presets: &Catalogue) {
        let Some(preset) = presets.get(&self.preset) else { return };
        let is_empty = |text: &String| text.trim().is_empty();
        if !is_empty(&self.host) && !is_empty(&self.port) {
            return;
        }
        if is_empty(&self.host) {
            preset.host.clone_into(&mut self.host);
        }
        if is_empty(&self.port) {
            self.port = preset.port.to_string();
        }
        if let Some(security) = self.port.trim().parse().ok().and_then(|port| security_at(preset, &self.host, port)) {
            security.as_str().clone_into(&mut self.security);
        }
        if let Some(login) = preset.login_fixed.as_ref().filter(|_| is_empty(&self.login)) {
            login.clone_into(&mut self.login);
        }
    }
}

/// The encryption at one of the preset's servers and ports.
fn security_at(preset: &Preset, host: &str, port: u16) -> Option<Security> {
    let own = (preset.host.as_str(), preset.port, preset.security);
    let others = preset.alternates.iter().map(|door| (door.host.as_str(), door.port, door.security));
    let mut doors = std::iter::once(own).chain(others);
    let host = host.trim();
    doors.find(|door| door.0.eq_ignore_ascii_case(host) && door.1 == port).map(|door| door.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(preset: &str, host: &str, port: &str) -> [String; 3] {
        let mut draft = Draft {
            preset: preset.to_owned(),
            host: host.to_owned(),
            port: port.to_owned(),
            security: "tls".to_owned(),
            ..Draft::default()
        };
        draft.fill_what_is_empty(&Catalogue::builtin());
        [draft.host, draft.port, draft.security]
    }

    #[test]
    fn a_preset_fills_what_was_left_empty_and_nothing_else() {
        for (preset, host, port, expected) in [
            ("gmail", "", "", ["smtp.gmail.com", "465", "tls"]),
            ("gmail", " ", "587", ["smtp.gmail.com", "587", "starttls"]),
            ("gmail", "smtp.gmail.com", "", ["smtp.gmail.com", "465", "tls"]),
            ("gmail", "smtp.gmail.com", "587", ["smtp.gmail.com", "587", "tls"]),
            ("gmail", "", "2525", ["smtp.gmail.com", "2525", "tls"]),
            ("microsoft-365", "", "", ["smtp.office365.com", "587", "starttls"]),
            ("", "", "", ["", "", "tls"]),
            ("gone", "", "", ["", "", "tls"]),
        ] {
            assert_eq!(filled(preset, host, port), expected.map(str::to_owned), "{preset} {host} {port}");
        }
        let mut draft = Draft { preset: "sendgrid".to_owned(), ..Draft::default() };
        draft.fill_what_is_empty(&Catalogue::builtin());
        assert_eq!(draft.login, "apikey");
    }

    #[test]
    fn an_address_with_a_name_gives_both() {
        let mut draft = Draft { sender_address: " Claire <claire@gmail.com>".to_owned(), ..Draft::default() };
        draft.tidy();
        assert_eq!([&*draft.sender_address, &*draft.sender_name], ["claire@gmail.com", "Claire"]);
        draft.reply_to = "Karim <mailto:karim@exemple.fr>".to_owned();
        draft.login = "\"Martin, Claire\" <boutique@gmail.com>".to_owned();
        draft.tidy();
        assert_eq!(
            [&*draft.login, &*draft.reply_to, &*draft.sender_name],
            ["boutique@gmail.com", "karim@exemple.fr", "Claire"]
        );
    }
}

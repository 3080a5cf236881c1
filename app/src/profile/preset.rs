//! Server side. The presets, and the part of each that the browser gets.

pub use model::provider::{
    Alternate, AppPassword, Catalogue, CatalogueError, Guide, LoginForm, Preset, SenderRule, Status,
};

use super::preset_hint::PresetHint;

/// The part of a preset that the browser gets.
pub fn hint(preset: &Preset) -> PresetHint {
    PresetHint {
        host: preset.host.clone(),
        port: preset.port,
        security: preset.security,
        cosmetic_spaces: preset.cosmetic_spaces,
        shape: preset.secret_shape,
        sender_is_login: preset.sender == SenderRule::Login,
        ending: matches!(preset.status, Status::Ending | Status::Deprecated),
        over: preset.status == Status::OauthOnly,
        has_addresses: !preset.domains.is_empty(),
        login: preset.login_fixed.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_survives_encoding() {
        for preset in Catalogue::builtin().all().iter().filter(|preset| !preset.host_is_template) {
            assert_eq!(PresetHint::decode(&hint(preset).encode()), Some(hint(preset)), "{}", preset.id);
        }
    }
}

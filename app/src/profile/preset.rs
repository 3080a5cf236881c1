//! Server side. What a preset tells the browser: the catalogue itself is `model::provider`.

pub use model::provider::{
    Alternate, AppPassword, Catalogue, CatalogueError, Guide, LoginForm, Preset, SenderRule, Status,
};

use super::preset_hint::PresetHint;

/// What the browser gets to know of a preset.
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
        login: preset.login_fixed.clone(),
        domains: preset.domains.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_reaches_the_browser_whole() {
        for preset in Catalogue::builtin().all().iter().filter(|preset| !preset.host_is_template) {
            assert_eq!(PresetHint::decode(&hint(preset).encode()), Some(hint(preset)), "{}", preset.id);
        }
    }
}

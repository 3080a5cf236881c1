//! Server side. The presets, and the part of each that the browser gets.

pub use model::provider::{
    Alternate, AppPassword, Catalogue, CatalogueError, Guide, LoginForm, Picture, Preset, SenderRule, Status,
    name_of_preset,
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

/// The words that the search box matches besides the card's name and [`hint`]. For a domain or an address it asks the
/// server.
pub fn search_words(preset: &Preset) -> String {
    let name = preset.short.is_some().then_some(&preset.name);
    name.into_iter().chain(&preset.search).map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use ::model::search::{finds, resembles};

    use super::*;

    #[test]
    fn every_preset_survives_encoding() {
        for preset in Catalogue::builtin().all().iter().filter(|preset| !preset.host_is_template) {
            assert_eq!(PresetHint::decode(&hint(preset).encode()), Some(hint(preset)), "{}", preset.id);
        }
    }

    #[test]
    fn what_people_type_finds_their_provider() {
        let catalogue = Catalogue::builtin();
        let found = |query: &str| -> Vec<&str> {
            let text =
                |preset: &Preset| format!("{} {} {}", preset.card_name(), search_words(preset), hint(preset).encode());
            // The server's answer decides.
            if let Some(asked) = catalogue.near_domain(query.rsplit('@').next().unwrap_or_default()) {
                return vec![asked.id.as_str()];
            }
            let all = || catalogue.all().iter();
            let exact: Vec<&str> = all().filter(|p| finds(&text(p), query)).map(|p| p.id.as_str()).collect();
            let named = |preset: &Preset| format!("{} {}", preset.card_name(), search_words(preset));
            let near = || all().filter(|p| resembles(&named(p), query)).map(|p| p.id.as_str()).collect();
            if exact.is_empty() { near() } else { exact }
        };
        for (query, id) in [
            ("google", "gmail"),
            ("GMail", "gmail"),
            ("boutique@gmail.com", "gmail"),
            ("office", "microsoft-365"),
            ("outlook", "microsoft-365"),
            ("exchange microsoft", "microsoft-365"),
            ("365", "microsoft-365"),
            ("hotmail", "outlook-com"),
            ("live", "outlook-com"),
            ("orange.fr", "orange"),
            ("wanadoo.fr", "orange"),
            ("Claire.Martin@wanadoo.fr", "orange"),
            ("laposte.net", "laposte"),
            ("la poste", "laposte"),
            ("numéricable", "sfr"),
            ("numericable.fr", "sfr"),
        ] {
            assert!(found(query).contains(&id), "{query}: {:?}", found(query));
        }
        for (query, ids) in [
            ("gmal", &["gmail"][..]),
            ("gmial", &["gmail"]),
            ("hotmial", &["outlook-com"]),
            ("otlook", &["microsoft-365", "outlook-com"]),
            ("claire@gmial.com", &["gmail"]),
            // A provider's own domain decides, even if another name or server contains the word.
            ("claire@gmail.com", &["gmail"]),
            ("claire@free.fr", &["free"]),
            ("orange.fr", &["orange"]),
            ("zzzz", &[]),
        ] {
            assert_eq!(found(query), ids, "{query}");
        }
        for preset in catalogue.all() {
            for domain in &preset.domains {
                assert!(found(domain).contains(&preset.id.as_str()), "{domain}: {:?}", found(domain));
            }
        }
        assert!(found("ovh mail").iter().any(|id| id.starts_with("ovh")), "{:?}", found("ovh mail"));
        assert_eq!(found("personne@nulle-part.example"), Vec::<&str>::new());
        let exact = catalogue.all().iter().filter(|preset| !found(&preset.name).contains(&preset.id.as_str()));
        assert_eq!(exact.map(|preset| &preset.name).collect::<Vec<_>>(), Vec::<&String>::new());
    }
}

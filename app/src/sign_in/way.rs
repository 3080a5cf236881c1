//! Server side. Which provider a form can sign in at.

use super::model::SignInWay;
use crate::profile::{address::EmailAddress, draft::Draft, preset::Catalogue};

/// The way for a preset.
pub fn of_preset<'w>(ways: &'w [SignInWay], preset: &str) -> Option<&'w SignInWay> {
    ways.iter().find(|way| way.presets.iter().any(|one| one == preset))
}

/// The way for an address, by its domain.
pub fn of_address<'w>(ways: &'w [SignInWay], presets: &Catalogue, address: &str) -> Option<&'w SignInWay> {
    let address = EmailAddress::parse(address).ok()?;
    let domain = address.domain().to_lowercase();
    ways.iter()
        .find(|way| way.domains.contains(&domain))
        .or_else(|| of_preset(ways, &presets.by_address(address.as_str())?.id))
}

/// The way for what a form contains.
pub fn of_draft<'w>(ways: &'w [SignInWay], presets: &Catalogue, draft: &Draft) -> Option<&'w SignInWay> {
    let host = draft.host.trim();
    let preset = presets.get(&draft.preset).filter(|preset| host.is_empty() || preset.is_at(host));
    let preset = preset.or_else(|| presets.by_host(host));
    preset.and_then(|preset| of_preset(ways, &preset.id)).or_else(|| of_address(ways, presets, &draft.login))
}

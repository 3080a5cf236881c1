//! Server side. Secret files, and the vault made from them.

use std::path::Path;

use crate::{
    config::{
        Config, ConfigError,
        secret_file::{self, SecretFileError},
        sections,
    },
    credentials::{Vault, VaultKey},
};

/// Reads a secret file of the configuration; `place` names its setting in an error.
pub(super) fn secret<T>(
    config: &Config,
    place: String,
    file: &Path,
    read: impl FnOnce(&Path) -> Result<T, SecretFileError>,
) -> Result<T, ConfigError> {
    let file = config.path(file);
    read(&file).map_err(|problem| ConfigError::Secret { place, file, problem })
}

pub(super) fn vault(config: &Config) -> Result<Vault, ConfigError> {
    let key = |sections::VaultKey { id, file }: &sections::VaultKey| {
        let place = format!("vault.keys, {id}");
        let bytes = secret(config, place.clone(), file, secret_file::key)?;
        VaultKey::new(id, *bytes).map_err(|error| ConfigError::wrong(place, error))
    };
    let keys = config.vault.keys.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    Vault::new(keys).map_err(|error| ConfigError::wrong("vault.keys", error))
}

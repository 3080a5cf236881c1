//! Server side. What an operator sets: a TOML file, and the environment over it. The one place that reads the
//! environment.
//!
//! `FACTEUR__SMTP__EHLO_NAME=mail.example.com` stands for `ehlo_name` in `[smtp]`. Secrets are never in the file: it names
//! files that hold them ([`secret_file`]). To add a setting: a field in [`sections`] with its doc, what must hold in
//! [`Config::load`] or where it is built, a line in `docs/operating.md`.

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};

pub mod secret_file;
pub mod sections;
pub mod stand_in;
#[cfg(test)]
mod tests;

pub use sections::Config;

/// The filter of the logs: the variable `FACTEUR_LOG`, in tracing's syntax (`info`, `server=debug`…).
#[allow(clippy::disallowed_methods, reason = "this is the place")]
pub fn log_filter() -> String {
    std::env::var("FACTEUR_LOG").unwrap_or_else(|_| "info,sqlx=warn,hyper=warn".to_owned())
}

/// Whether logs are lines of JSON: the variable `FACTEUR_LOG_FORMAT` is `json`.
#[allow(clippy::disallowed_methods, reason = "this is the place")]
pub fn logs_are_json() -> bool {
    std::env::var("FACTEUR_LOG_FORMAT").is_ok_and(|format| format == "json")
}

/// The machine's clock.
#[allow(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
pub fn clock() -> app::services::Clock {
    std::sync::Arc::new(jiff::Timestamp::now)
}

/// The machine's clocks: the one on the wall, and the time since its start. A machine that does not say which start it is counts
/// from the start of this process.
pub fn machine() -> crate::time::Machine {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let boot = boot.map_or_else(|_| uuid::Uuid::new_v4().to_string(), |text| text.trim().to_owned());
    crate::time::Machine { wall: clock(), up: std::sync::Arc::new(up), boot: boot.into() }
}

/// The time since the machine's start, sleep included.
fn up() -> std::time::Duration {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(clock);
    let whole = std::time::Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or_default());
    whole + std::time::Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or_default())
}

/// Why a configuration cannot be used. The message says where and what; it never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{0} cannot be read")]
    Missing(PathBuf),
    #[error("cannot parse the configuration: {0}")]
    Malformed(Box<figment::Error>),
    #[error("{place}: {problem}")]
    Wrong { place: String, problem: String },
    #[error("{place}: {file}: {problem}")]
    Secret { place: String, file: PathBuf, problem: secret_file::SecretFileError },
}

impl ConfigError {
    pub(crate) fn wrong(place: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self::Wrong { place: place.into(), problem: problem.to_string() }
    }
}

impl Config {
    /// Reads the file and the environment. Paths in it are relative to the file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        if !path.is_file() {
            return Err(ConfigError::Missing(path.to_owned()));
        }
        Self::extract(Figment::new().merge(Toml::file_exact(path)).merge(Env::prefixed("FACTEUR__").split("__")), path)
    }

    fn extract(figment: Figment, path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = figment.extract().map_err(|error| ConfigError::Malformed(Box::new(error)))?;
        config.folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(config)
    }

    /// A path of the file, from where the file is.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

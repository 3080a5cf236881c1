//! Server side. The operator's settings: a TOML file, overridden by the environment. The one place that reads the
//! environment.
//!
//! `FACTEUR__SMTP__EHLO_NAME=mail.example.com` sets `ehlo_name` in `[smtp]`. Secrets are never in the file: it names
//! files that hold them ([`secret_file`]). To add a setting: a field in [`sections`] with its doc, its check in
//! [`Config::load`] or where it is used, a line in `docs/operating.md`.

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
#[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn log_filter() -> String {
    std::env::var("FACTEUR_LOG").unwrap_or_else(|_| "info,sqlx=warn,hyper=warn".to_owned())
}

/// Whether logs are lines of JSON: the variable `FACTEUR_LOG_FORMAT` is `json`.
#[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn logs_are_json() -> bool {
    std::env::var("FACTEUR_LOG_FORMAT").is_ok_and(|format| format == "json")
}

/// The machine's clock.
#[allow(clippy::disallowed_methods, reason = "the clock that is passed to everything else")]
pub fn clock() -> app::services::Clock {
    std::sync::Arc::new(jiff::Timestamp::now)
}

/// The machine's clocks: wall clock, and time since boot. On a machine without a boot id, the process uses a random
/// one.
pub fn machine() -> crate::time::Machine {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let boot = boot.map_or_else(|_| uuid::Uuid::new_v4().to_string(), |text| text.trim().to_owned());
    crate::time::Machine { wall: clock(), up: std::sync::Arc::new(up), boot: boot.into() }
}

/// The time since boot, including sleep.
fn up() -> std::time::Duration {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(clock);
    let whole = std::time::Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or_default());
    whole + std::time::Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or_default())
}

/// Why a configuration is refused. The message says where and why; it never contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {0}")]
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
    /// Reads the file and the environment. Paths in the file are relative to it.
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

    /// A path in the file, made relative to the file's folder.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }
}

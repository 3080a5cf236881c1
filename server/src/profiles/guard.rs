//! Server side. Which destinations a profile may have.

use app::profile::{
    field::{Fault, Field, FieldError},
    model::Settings,
    port::DestinationPolicy,
};
use mail::net::Refusal;

use super::ProfileService;

impl ProfileService {
    /// The guard's check of the destination. The form checks it too, but this check is decisive.
    pub(super) fn guard(&self, settings: &Settings) -> Result<(), Vec<FieldError>> {
        let destination = &settings.destination;
        let mut errors = Vec::new();
        if let Err(fault) = self.host(&destination.host) {
            errors.push(FieldError::new(Field::Host, fault));
        } else if destination.security == app::profile::security::Security::None && !self.unencrypted(&destination.host)
        {
            errors.push(FieldError::new(Field::Security, Fault::Unencrypted));
        }
        if self.port(destination.port).is_err() {
            errors.push(FieldError::new(Field::Port, Fault::PortNotAllowed));
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

impl DestinationPolicy for ProfileService {
    fn host(&self, typed: &str) -> Result<String, Fault> {
        match self.policy.check_host(typed) {
            Ok(host) => Ok(host.as_str().to_owned()),
            Err(Refusal::HostInvalid) => Err(Fault::HostInvalid),
            Err(Refusal::HostNotAllowed | Refusal::PortNotAllowed) => Err(Fault::HostNotAllowed),
        }
    }

    fn port(&self, port: u16) -> Result<u16, Fault> {
        self.policy.check_port(port).map(|()| port).map_err(|_| Fault::PortNotAllowed)
    }

    fn ports(&self) -> &[u16] {
        &self.policy.allow_ports
    }

    fn unencrypted(&self, host: &str) -> bool {
        self.policy.check_host(host).is_ok_and(|host| self.policy.plaintext_allowed(&host))
    }
}

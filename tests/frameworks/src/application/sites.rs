use sealed_session::{ConfigError, SessionManager};

/// Where the sessions of the application are kept: those of everybody, for each tenant, and those of the administration.
#[derive(Clone, Debug)]
pub struct Sites {
    everybody: SessionManager,
    blue: SessionManager,
    administration: SessionManager,
}

impl Sites {
    /// Over a store of everybody's sessions and one of administrators', with another cookie name.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the audience leaves no room for the tenant's name.
    pub fn new(everybody: SessionManager, administration: SessionManager) -> Result<Self, ConfigError> {
        let blue = everybody.with_audience(format!("{}/blue", everybody.sealer().audience()))?;
        Ok(Self { everybody, blue, administration })
    }

    /// The store of the tenant that this `Host` header names.
    // Security: among those that are known. A name of the client's own choice must not make a tenant.
    #[must_use]
    pub fn of_host(&self, host: Option<&[u8]>) -> SessionManager {
        let is_blue = host.is_some_and(|host| host.starts_with(b"blue.localhost"));
        if is_blue { self.blue.clone() } else { self.everybody.clone() }
    }

    /// The store of the administration.
    #[must_use]
    pub fn administration(&self) -> SessionManager {
        self.administration.clone()
    }
}

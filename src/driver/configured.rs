//! From a configuration to the builder's settings.

use super::{CookieStoreBuilder, Renewal, StoreFailure, Stores, TooLarge};
use crate::config::{Config, PlacementName, RenewalName, StoreFailureName, TooLargeName};
use crate::error::ConfigError;
use crate::overflow::Placement;
use crate::seal::Lifetimes;

impl CookieStoreBuilder {
    /// Takes every setting of a configuration, and the store that it names. What is set on the builder afterwards counts
    /// instead; an error of [`CookieStoreBuilder::build`] then spells settings as the configuration does.
    ///
    /// ```
    /// use sealed_session::{Config, CookieStore, Key, Stores};
    ///
    /// let config = Config::from_toml("[cookie]\npath = \"/shop\"")?;
    /// let error = CookieStore::builder(Key::generate()?).configured(&config, &Stores::new())?.build().unwrap_err();
    /// assert_eq!(error.setting(), "cookie.path");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when the store is not registered, and for settings that contradict one another.
    pub fn configured(self, config: &Config, stores: &Stores) -> Result<Self, ConfigError> {
        let settings = config.settings();
        let mut lifetimes = Lifetimes::default()
            .idle_timeout(settings.lifetimes.idle_timeout)
            .absolute_timeout(settings.absolute_timeout());
        if let Some(longest) = settings.lifetimes.remember_max {
            lifetimes = lifetimes.remember_max(longest);
        }
        let mut builder = self
            .spelled(Config::path_of)
            .cookie(settings.cookie.clone())
            .audience(settings.audience.as_str())
            .lifetimes(lifetimes)
            .renewal(settings.renewal()?.into())
            .record_limit_bytes(settings.sizes.record_limit_bytes)
            .padding_bucket_bytes(settings.sizes.padding_bucket_bytes)
            .clear_with_browser(settings.clear_with_browser)
            .save_uninitialized(settings.save_uninitialized)
            .resave(settings.resave)
            .when_too_large(settings.when_too_large.into())
            .on_store_failure(settings.on_store_failure.into())
            .enabled(settings.enabled);
        if let Some(name) = config.store_name() {
            builder = builder.store(stores.named(name)?);
        }
        if let Some(placement) = settings.placement {
            builder = builder.placement(placement.into());
        }
        if let Some(bytes) = settings.sizes.inline_limit_bytes {
            builder = builder.inline_limit_bytes(bytes);
        }
        if let Some(instant) = settings.accept_inline_until {
            builder = builder.accept_inline_until(instant);
        }
        if settings.insecure_for_development {
            builder = builder.insecure_for_development();
        }
        Ok(settings.also_remove.iter().cloned().fold(builder, Self::also_remove))
    }
}

impl From<PlacementName> for Placement {
    fn from(name: PlacementName) -> Self {
        match name {
            PlacementName::Spill => Self::Spill,
            PlacementName::CookieOnly => Self::CookieOnly,
            PlacementName::StoreOnly => Self::StoreOnly,
        }
    }
}

impl From<RenewalName> for Renewal {
    fn from(name: RenewalName) -> Self {
        match name {
            RenewalName::HalfLife => Self::HalfLife,
            RenewalName::EveryResponse => Self::EveryResponse,
            RenewalName::OnWrite => Self::OnWrite,
        }
    }
}

impl From<TooLargeName> for TooLarge {
    fn from(name: TooLargeName) -> Self {
        match name {
            TooLargeName::TrimFlash => Self::TrimFlash,
            TooLargeName::Fail => Self::Fail,
        }
    }
}

impl From<StoreFailureName> for StoreFailure {
    fn from(name: StoreFailureName) -> Self {
        match name {
            StoreFailureName::FailClosed => Self::FailClosed,
            StoreFailureName::Ephemeral => Self::Ephemeral,
        }
    }
}

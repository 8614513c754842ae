//! From a configuration to the builder's settings.

use super::builder::DEVELOPMENT_COOKIE_NAME;
use super::{Renewal, SessionManagerBuilder, StoreFailure, Stores, TooLarge};
use crate::config::{Config, PlacementName, RenewalName, Settings, StoreFailureName, TooLargeName};
use crate::error::ConfigError;
use crate::records::Placement;
use crate::seal::Lifetimes;

impl SessionManagerBuilder {
    /// Takes every setting of a configuration, and the store that it names. What is set on the builder afterwards counts
    /// instead; an error of [`SessionManagerBuilder::build`] then spells settings as the configuration does.
    ///
    /// ```
    /// use sealed_session::{Config, SessionManager, Key, Stores};
    ///
    /// let config = Config::from_toml("[cookie]\npath = \"/shop\"")?;
    /// let error = SessionManager::builder(Key::generate()?).configured(&config, &Stores::new())?.build().unwrap_err();
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
            .key_grace(settings.key_grace())
            .renewal(settings.renewal()?.into())
            .record_limit_bytes(settings.sizes.record_limit_bytes)
            .padding_bucket_bytes(settings.sizes.padding_bucket_bytes)
            .clear_with_browser(settings.clear_with_browser)
            .save_uninitialized(settings.save_uninitialized)
            .resave(settings.resave)
            .when_too_large(settings.when_too_large.into())
            .store_timeout(settings.store_timeout)
            .on_store_failure(settings.on_store_failure.into())
            .enabled(settings.enabled);
        if let Some(store) = stores.chosen(config.store_name())? {
            builder = builder.store(store);
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
        // What an earlier context does not say is as it is now.
        let (name, audience) = (cookie_name(settings), settings.audience.as_str());
        for earlier in &settings.also_read {
            let earlier_name = earlier.cookie_name.as_deref().unwrap_or(name);
            builder = builder.also_read(earlier_name, earlier.audience.as_deref().unwrap_or(audience));
        }
        Ok(settings.also_remove.iter().cloned().fold(builder, Self::also_remove))
    }
}

/// The name that the builder will give the cookie.
fn cookie_name(settings: &Settings) -> &str {
    if settings.insecure_for_development { DEVELOPMENT_COOKIE_NAME } else { settings.cookie.cookie_name() }
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::cookie::{CookieAttributes, SameSite};
    use crate::key::Key;
    use crate::manager::SessionManager;
    use crate::testing::FaultyStore;

    /// All that a configuration can change of a builder. A setting that is added to the builder does not compile here until
    /// it is added too.
    fn comparable(builder: &SessionManagerBuilder) -> String {
        let SessionManagerBuilder {
            attributes,
            audience,
            lifetimes,
            key_grace,
            padding_bucket_bytes,
            inline_limit_bytes,
            record_limit_bytes,
            placement,
            store,
            store_timeout,
            renewal,
            clear_with_browser,
            save_uninitialized,
            resave,
            when_too_large,
            also_read,
            also_remove,
            accept_inline_until,
            store_failure,
            enabled,
            insecure,
            // What no text can say.
            ring: _,
            commit_when: _,
            timer: _,
            clock: _,
            observers: _,
            spelling: _,
        } = builder;
        let has_store = store.is_some();
        let cookie = (attributes, also_read, also_remove, insecure);
        let sizes = (padding_bucket_bytes, inline_limit_bytes, record_limit_bytes);
        let switches = (clear_with_browser, save_uninitialized, resave, enabled);
        let places = (placement, has_store, store_timeout, accept_inline_until);
        let policies = (renewal, when_too_large, store_failure);
        format!("{audience:?} {cookie:#?} {lifetimes:#?} {key_grace:?} {sizes:?} {switches:?} {places:?} {policies:?}")
    }

    fn builder() -> SessionManagerBuilder {
        SessionManager::builder(Key::generate().unwrap())
    }

    #[test]
    fn the_defaults_are_those_of_the_builder() {
        let configured = builder().configured(&Config::default(), &Stores::new()).unwrap();
        assert_eq!(comparable(&configured), comparable(&builder()));
    }

    #[test]
    fn every_setting_reaches_the_builder() {
        let config = Config::from_toml(
            r#"
            enabled = false
            audience = "shop/prod"
            store = "redis"
            placement = "store_only"
            renewal = "on_write"
            clear_with_browser = true
            save_uninitialized = true
            resave = true
            when_too_large = "fail"
            on_store_failure = "ephemeral"
            store_timeout = "500ms"
            accept_inline_until = 2027-01-01T00:00:00Z
            insecure_for_development = true
            also_read = [{ cookie_name = "a", audience = "b" }, { cookie_name = "c" }, { audience = "d" }]
            also_remove = [{ name = "a" }, { name = "b", path = "/b" }]

            [keys]
            grace = "10m"

            [cookie]
            name = "__Secure-shop"
            path = "/shop"
            domain = "example.com"
            secure = false
            http_only = false
            same_site = "strict"
            partitioned = true

            [lifetimes]
            idle_timeout = "20m"
            absolute_timeout = "none"
            remember_max = "90d"

            [sizes]
            inline_limit_bytes = 2048
            record_limit_bytes = 65536
            padding_bucket_bytes = 256
            "#,
        );
        let store = FaultyStore::new(ManualClock::default());
        let stores = Stores::new().with("redis", store.clone());
        let attributes = CookieAttributes::new()
            .name("__Secure-shop")
            .path("/shop")
            .domain("example.com")
            .secure(false)
            .http_only(false)
            .same_site(SameSite::Strict)
            .partitioned(true);
        let lifetimes = Lifetimes::default()
            .idle_timeout(Duration::from_secs(20 * 60))
            .absolute_timeout(None)
            .remember_max(Duration::from_secs(90 * 24 * 60 * 60));
        let by_hand = builder()
            .enabled(false)
            .audience("shop/prod")
            .store(store)
            .placement(Placement::StoreOnly)
            .renewal(Renewal::OnWrite)
            .clear_with_browser(true)
            .save_uninitialized(true)
            .resave(true)
            .when_too_large(TooLarge::Fail)
            .on_store_failure(StoreFailure::Ephemeral)
            .store_timeout(Duration::from_millis(500))
            .accept_inline_until(Timestamp::from_unix_seconds(1_798_761_600))
            .insecure_for_development()
            .key_grace(Duration::from_secs(600))
            .also_read("a", "b")
            .also_read("c", "shop/prod")
            .also_read("session", "d")
            .also_remove(CookieAttributes::new().name("a"))
            .also_remove(CookieAttributes::new().name("b").path("/b"))
            .cookie(attributes)
            .lifetimes(lifetimes)
            .inline_limit_bytes(2048)
            .record_limit_bytes(65536)
            .padding_bucket_bytes(256);
        let configured = builder().configured(&config.unwrap(), &stores).unwrap();
        assert_eq!(comparable(&configured), comparable(&by_hand));
    }

    #[test]
    fn every_name_stands_for_its_policy() {
        let placements = [
            (PlacementName::Spill, Placement::Spill),
            (PlacementName::CookieOnly, Placement::CookieOnly),
            (PlacementName::StoreOnly, Placement::StoreOnly),
        ];
        for (name, placement) in placements {
            assert_eq!(Placement::from(name), placement);
        }
        for (text, renewal) in [
            ("renewal = \"half_life\"", Renewal::HalfLife),
            ("renewal = \"every_response\"", Renewal::EveryResponse),
            ("rolling = true", Renewal::EveryResponse),
            ("rolling = false", Renewal::HalfLife),
        ] {
            let configured = builder().configured(&Config::from_toml(text).unwrap(), &Stores::new()).unwrap();
            assert_eq!(configured.renewal, renewal, "{text}");
        }
        assert_eq!(TooLarge::from(TooLargeName::TrimFlash), TooLarge::TrimFlash);
        assert_eq!(StoreFailure::from(StoreFailureName::FailClosed), StoreFailure::FailClosed);
    }
}

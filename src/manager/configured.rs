//! From a configuration to the builder's settings.

use super::SessionManagerBuilder;
use crate::config::{Config, Stores};
use crate::error::ConfigError;
use crate::settings::{Settings, Sizes};

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
    pub fn configured(mut self, config: &Config, stores: &Stores) -> Result<Self, ConfigError> {
        self.spelling = Config::path_of;
        let (before, read) = (self.settings, config.settings()?);
        // What the configuration leaves out, or only adds, stays as it is.
        self.settings = Settings {
            placement: read.placement.or(before.placement),
            accept_inline_until: read.accept_inline_until.or(before.accept_inline_until),
            insecure_for_development: read.insecure_for_development || before.insecure_for_development,
            sizes: Sizes {
                inline_limit_bytes: read.sizes.inline_limit_bytes.or(before.sizes.inline_limit_bytes),
                ..read.sizes
            },
            also_read: [before.also_read, read.also_read].concat(),
            also_remove: [before.also_remove, read.also_remove].concat(),
            ..read
        };
        self.store = stores.chosen(config.store_name())?.or(self.store);
        Ok(self)
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
    use crate::seal::Lifetimes;
    use crate::settings::{EarlierContext, Placement, Renewal, StoreFailure, TooLarge};
    use crate::testing::FaultyStore;

    /// All that a configuration can change of a builder. A setting that is added to the builder does not compile here until
    /// it is added too.
    fn comparable(builder: &SessionManagerBuilder) -> String {
        let SessionManagerBuilder {
            settings,
            store,
            // What no text can say.
            ring: _,
            commit_when: _,
            timer: _,
            clock: _,
            observers: _,
            spelling: _,
        } = builder;
        format!("{settings:#?} {:?}", store.is_some())
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
        let mut by_hand = builder()
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
            .also_remove(CookieAttributes::new().name("a"))
            .also_remove(CookieAttributes::new().name("b").path("/b"))
            .cookie(attributes)
            .lifetimes(lifetimes)
            .inline_limit_bytes(2048)
            .record_limit_bytes(65536)
            .padding_bucket_bytes(256);
        by_hand.settings.also_read.extend([
            EarlierContext { cookie_name: Some("c".to_owned()), audience: None },
            EarlierContext { cookie_name: None, audience: Some("d".to_owned()) },
        ]);
        let configured = builder().configured(&config.unwrap(), &stores).unwrap();
        assert_eq!(comparable(&configured), comparable(&by_hand));
    }

    #[test]
    fn what_an_earlier_context_leaves_out_is_as_it_is_now() {
        for (development, name) in [("", "__Host-session"), ("insecure_for_development = true", "session")] {
            let text = "audience = \"shop/prod\"\nalso_read = [{ cookie_name = \"c\" }, { audience = \"d\" }]\n";
            let config = Config::from_toml(&[text, development].concat()).unwrap();
            let manager = builder().configured(&config, &Stores::new()).unwrap().build().unwrap();
            let earlier: Vec<_> =
                manager.0.earlier.iter().map(|sealer| (sealer.cookie_name(), sealer.audience())).collect();
            assert_eq!(earlier, [("c", "shop/prod"), (name, "d")]);
        }
    }

    #[test]
    fn every_name_stands_for_its_policy() {
        let configured =
            |text: &str| builder().configured(&Config::from_toml(text).unwrap(), &Stores::new()).unwrap().settings;
        for (text, placement) in [
            ("placement = \"spill\"", Placement::Spill),
            ("placement = \"cookie_only\"", Placement::CookieOnly),
            ("placement = \"store_only\"", Placement::StoreOnly),
        ] {
            assert_eq!(configured(text).placement, Some(placement), "{text}");
        }
        for (text, renewal) in [
            ("renewal = \"half_life\"", Renewal::HalfLife),
            ("renewal = \"every_response\"", Renewal::EveryResponse),
            ("rolling = true", Renewal::EveryResponse),
            ("rolling = false", Renewal::HalfLife),
        ] {
            assert_eq!(configured(text).renewal.unwrap_or_default(), renewal, "{text}");
        }
        assert_eq!(configured("when_too_large = \"trim_flash\"").when_too_large, TooLarge::TrimFlash);
        assert_eq!(configured("on_store_failure = \"fail_closed\"").on_store_failure, StoreFailure::FailClosed);
    }
}

//! The servers of a story: two or three with one store, whose settings differ as they do while a change is rolled out.

use std::time::Duration;

use sealed_session::cookie::CookieAttributes;
use sealed_session::testing::ManualClock;
use sealed_session::{
    Key, KeyRing, Lifetimes, Placement, Renewal, SessionManager, SessionManagerBuilder, StoreFailure, Timestamp,
};

use super::super::interrupted::Interrupted;
use crate::support::{COOKIE, Site};

/// What every server of a story has.
pub(super) struct Ground<'a> {
    pub(super) site: &'a Site,
    pub(super) store: &'a Interrupted,
    pub(super) placement: Placement,
    /// A clock that is some seconds ahead of the site's.
    pub(super) ahead: &'a ManualClock,
}

impl Ground<'_> {
    fn over(&self, ring: impl Into<sealed_session::RingHandle>) -> SessionManagerBuilder {
        self.store.under(self.site.over(ring)).placement(self.placement).inline_limit_bytes(1000)
    }

    fn plain(&self) -> SessionManagerBuilder {
        self.over(self.site.key.clone())
    }

    fn of_audience(&self, own: &str, others: &[&str]) -> SessionManagerBuilder {
        others.iter().fold(self.plain().audience(own), |builder, other| builder.also_read(COOKIE, *other))
    }

    fn short_lived(&self) -> SessionManagerBuilder {
        let seconds = Duration::from_secs;
        let lifetimes = Lifetimes::default().idle_timeout(seconds(60)).absolute_timeout(Some(seconds(100)));
        self.plain().lifetimes(lifetimes.remember_max(seconds(90)))
    }
}

/// Servers whose settings differ in one way.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    servers: fn(&Ground<'_>) -> Vec<SessionManagerBuilder>,
    /// A session that began in a record never leaves it, whatever size it has.
    keeps_its_record: fn(Placement) -> bool,
    /// Sessions expire within the story.
    pub(super) may_expire: bool,
}

impl Kind {
    const fn of(name: &'static str, servers: fn(&Ground<'_>) -> Vec<SessionManagerBuilder>) -> Self {
        Self { name, servers, keeps_its_record: |_| true, may_expire: false }
    }

    pub(super) fn keeps_its_record(&self, placement: Placement) -> bool {
        (self.keeps_its_record)(placement)
    }

    pub(super) fn servers(&self, ground: &Ground<'_>) -> Vec<SessionManager> {
        let builders = (self.servers)(ground).into_iter();
        builders.map(|builder| builder.commit_when(|status| status < 500).build().unwrap()).collect()
    }
}

pub(super) const KINDS: [Kind; 13] = [
    Kind::of("the same settings", |ground| vec![ground.plain(), ground.plain()]),
    Kind {
        keeps_its_record: |placement| placement == Placement::StoreOnly,
        ..Kind::of("two limits of a cookie", |ground| vec![ground.plain(), ground.plain().inline_limit_bytes(2600)])
    },
    Kind::of("two audiences", |ground| {
        vec![ground.of_audience("shop/test", &["shop/new"]), ground.of_audience("shop/new", &["shop/test"])]
    }),
    Kind::of("two keys", |ground| {
        let (one, other) = (&ground.site.key, Key::generate().unwrap());
        let ring = |seals: &Key, opens: &Key| KeyRing::new(seals.clone()).with_open_only(opens.clone()).unwrap();
        vec![ground.over(ring(one, &other)), ground.over(ring(&other, one))]
    }),
    Kind::of("two clocks", |ground| vec![ground.plain(), ground.plain().clock(ground.ahead.clone())]),
    Kind::of("every response renews", |ground| [(); 2].map(|()| ground.plain().renewal(Renewal::EveryResponse)).into()),
    Kind::of("two placements", |ground| {
        let until = Timestamp::from_unix_seconds(1_895_000_000);
        let other = if ground.placement == Placement::Spill { Placement::StoreOnly } else { Placement::Spill };
        [ground.placement, other].map(|placement| ground.plain().placement(placement).accept_inline_until(until)).into()
    }),
    Kind::of("one saves everything", |ground| {
        vec![ground.plain(), ground.plain().resave(true).save_uninitialized(true)]
    }),
    Kind::of("ephemeral sessions", |ground| {
        [(); 2].map(|()| ground.plain().on_store_failure(StoreFailure::Ephemeral)).into()
    }),
    Kind {
        keeps_its_record: |_| false,
        ..Kind::of("cookies alone", |ground| {
            let alone = || ground.plain().placement(Placement::CookieOnly);
            vec![alone(), alone().renewal(Renewal::EveryResponse)]
        })
    },
    Kind {
        keeps_its_record: |_| false,
        may_expire: true,
        ..Kind::of("short lives", |ground| {
            vec![ground.short_lived(), ground.short_lived().renewal(Renewal::EveryResponse)]
        })
    },
    Kind::of("two names and audiences", |ground| {
        let new = CookieAttributes::new().name("__Host-new");
        vec![
            ground.plain().also_read("__Host-new", "shop/new"),
            ground.of_audience("shop/new", &["shop/test"]).cookie(new),
        ]
    }),
    Kind::of("three audiences", |ground| {
        vec![
            ground.of_audience("shop/test", &["shop/new", "shop/third"]),
            ground.of_audience("shop/new", &["shop/test", "shop/third"]),
            ground.of_audience("shop/third", &["shop/test", "shop/new"]),
        ]
    }),
];

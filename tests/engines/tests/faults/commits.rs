//! One commit of each kind that talks to the store.

use sealed_session::{Placement, Session, SessionManager};
use sealed_session_engine_tests::Browser;

use crate::site::{FILLER_BYTES, Kind, Site};

/// A commit, and what a client that never got its response sees of the session: its count, or `None` of a session that has
/// ended.
pub(crate) struct Commit {
    pub(crate) name: &'static str,
    /// Whether the session is in a record when it begins, and otherwise in its cookie.
    begins_in_record: bool,
    pub(crate) act: fn(&Session),
    /// How much later than the session's last request.
    pub(crate) seconds_later: u64,
    pub(crate) before: Option<u64>,
    pub(crate) after: Option<u64>,
    /// What a client sees that makes the same request again: where it had not been done, and where its response was lost.
    pub(crate) again: [Option<u64>; 2],
}

pub(crate) const COMMITS: &[Commit] = &[
    Commit {
        name: "spill",
        begins_in_record: false,
        act: |session| {
            session.put("filler", &"f".repeat(FILLER_BYTES)).unwrap();
            session.increment("count", 1).unwrap();
        },
        seconds_later: 0,
        // The cookie has the data: the record is for who has the reference.
        before: Some(0),
        after: Some(0),
        again: [Some(1), Some(2)],
    },
    Commit {
        name: "update",
        begins_in_record: true,
        act: |session| {
            session.increment("count", 1).unwrap();
        },
        seconds_later: 0,
        before: Some(0),
        after: Some(1),
        again: [Some(1), Some(2)],
    },
    Commit {
        name: "renew",
        begins_in_record: true,
        act: |session| assert_eq!(session.get("count").unwrap(), Some(0)),
        // More than half of the idle timeout.
        seconds_later: 4000,
        before: Some(0),
        after: Some(0),
        again: [Some(0); 2],
    },
    Commit {
        name: "regenerate",
        begins_in_record: true,
        act: |session| {
            session.regenerate().unwrap();
            session.put("user", &42).unwrap();
        },
        seconds_later: 0,
        // Within its grace the old id shows what it showed.
        before: Some(0),
        after: Some(0),
        again: [Some(0); 2],
    },
    Commit {
        name: "invalidate",
        begins_in_record: true,
        act: |session| {
            session.invalidate().unwrap();
            session.flash("notice", "Good bye.").unwrap();
        },
        seconds_later: 0,
        before: Some(0),
        after: None,
        again: [None; 2],
    },
    Commit {
        name: "destroy",
        begins_in_record: true,
        act: |session| session.destroy().unwrap(),
        seconds_later: 0,
        before: Some(0),
        after: None,
        again: [None; 2],
    },
    Commit {
        name: "return to the cookie",
        begins_in_record: true,
        act: |session| {
            session.forget("filler").unwrap();
            session.increment("count", 1).unwrap();
        },
        seconds_later: 0,
        before: Some(0),
        after: Some(1),
        // The record of a session that returned to its cookie is read and written on by who has the reference.
        again: [Some(1), Some(2)],
    },
];

/// What a client sees that has the cookie of before, and when it has made its request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) first: Option<u64>,
    pub(crate) again: Option<u64>,
}

impl Commit {
    /// What is seen of a commit that was not done.
    pub(crate) fn not_done(&self) -> Seen {
        Seen { first: self.before, again: self.again[0] }
    }

    /// What is seen of a commit whose response was lost.
    pub(crate) fn done(&self) -> Seen {
        Seen { first: self.after, again: self.again[1] }
    }

    pub(crate) fn named(name: &str) -> &'static Self {
        COMMITS.iter().find(|commit| commit.name == name).unwrap()
    }

    /// The browser of a session that the commit may begin with.
    pub(crate) async fn begun<K: Kind>(&self, site: &Site<K>) -> Browser {
        let (server, mut browser) = (self.server(site).await, site.browser());
        let write = |session: &Session| {
            session.put("count", &0).unwrap();
            if self.begins_in_record {
                session.put("filler", &"f".repeat(FILLER_BYTES)).unwrap();
            }
        };
        browser.visit(&server, write).await.unwrap();
        browser
    }

    /// Panics when the client sees neither of the two, or cannot make its request again.
    pub(crate) async fn look<K: Kind>(&self, site: &Site<K>, mut browser: Browser, what: &str) -> Seen {
        let server = self.server(site).await;
        let first = count(&mut browser.clone(), &server, what).await;
        let again = browser.visit(&server, self.act).await;
        assert!(again.is_ok(), "{what}: {first:?}, and again: {again:?}");
        let seen = Seen { first, again: count(&mut browser, &server, what).await };
        assert!(seen == self.not_done() || seen == self.done(), "{what}: {seen:?}");
        seen
    }

    async fn server<K: Kind>(&self, site: &Site<K>) -> SessionManager {
        site.server_at(&site.url).await.placement(Placement::Spill).build().unwrap()
    }
}

async fn count(browser: &mut Browser, server: &SessionManager, what: &str) -> Option<u64> {
    let count = browser.visit(server, |session| session.get("count").unwrap()).await;
    count.unwrap_or_else(|failed| panic!("{what}: {failed:?}"))
}

//! The cookies of a request that matter to its session.

use crate::clock::Timestamp;
use crate::cookie::request;
use crate::id::PublicId;
use crate::manager::{Inner, SessionManager};
use crate::wire::header::Header;

/// The values of a request that may be its session.
#[derive(Clone, Default)]
pub(super) struct Candidates {
    /// Under the name of today.
    pub(super) today: Vec<Box<[u8]>>,
    /// Under each name and audience of before, in the order in which they are tried.
    pub(super) earlier: Vec<Vec<Box<[u8]>>>,
    /// Cookies named as markers of sessions that this browser has left.
    markers: Vec<(PublicId, Box<[u8]>)>,
}

impl Candidates {
    pub(super) fn of(manager: &SessionManager, headers: &[&[u8]]) -> Self {
        let named = |name: &str| request::candidates(headers.iter().copied(), name).map(Box::from).collect();
        let earlier = manager.0.earlier.iter().map(|earlier| named(earlier.sealer.cookie_name())).collect();
        let mut markers = Vec::new();
        if manager.0.sets_markers {
            let found = request::markers(headers.iter().copied(), manager.cookie_name());
            markers.extend(found.filter_map(|(digits, value)| Some((PublicId::from_hex(digits)?, Box::from(value)))));
        }
        Self { today: named(manager.cookie_name()), earlier, markers }
    }

    /// As the browser sends back what this line sets.
    pub(super) fn sent_back(line: &str) -> Self {
        let value = line.split_once('=').and_then(|(_, rest)| rest.split(';').next());
        let value = value.filter(|value| !value.is_empty()).map(|value| Box::from(value.as_bytes()));
        Self { today: value.into_iter().collect(), ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.today.is_empty() && self.earlier.iter().all(Vec::is_empty)
    }

    pub(super) fn count(&self) -> usize {
        self.today.len()
    }

    /// Those that a holder of the ring set, and when.
    pub(super) fn valid_markers(&self, inner: &Inner, now: Timestamp) -> impl Iterator<Item = (PublicId, Timestamp)> {
        self.markers.iter().filter_map(move |(id, value)| Some((*id, inner.sealer.verify_marker(*id, value, now)?)))
    }

    /// Whether this browser has left the session.
    pub(super) fn have_left(&self, inner: &Inner, header: &Header, now: Timestamp) -> bool {
        if self.markers.is_empty() {
            return false;
        }
        let id = header.id.public_id(inner.sealer.audience());
        self.valid_markers(inner, now).any(|(marked, _)| marked == id)
    }
}

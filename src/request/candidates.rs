//! The cookies of a request that matter to its session.

use crate::clock::Timestamp;
use crate::cookie::request;
use crate::id::PublicId;
use crate::manager::{Inner, SessionManager};
use crate::seal::Sealer;
use crate::wire::header::Header;

/// The values of a request that may be its session.
#[derive(Clone, Default)]
pub(super) struct Candidates {
    /// Under the name of today.
    pub(super) today: Vec<Box<[u8]>>,
    /// Under each name and audience of before, in the order in which they are tried.
    pub(super) earlier: Vec<Vec<Box<[u8]>>>,
    /// Cookies named as markers of sessions that this browser has left: the place of the cookie's name among those of the
    /// manager, the public id, whether the name says that the session has ended, and the value.
    markers: Vec<(usize, PublicId, bool, Box<[u8]>)>,
}

/// A marker that a holder of the ring set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) id: PublicId,
    pub(super) set_at: Timestamp,
    /// The session that took the place of this one; `None` where this one has ended.
    pub(super) successor: Option<PublicId>,
}

/// The sealer of today, and those of earlier names and audiences.
fn sealers(inner: &Inner) -> impl Iterator<Item = &Sealer> {
    std::iter::once(&*inner.sealer).chain(inner.earlier.iter().map(|earlier| &*earlier.sealer))
}

impl Candidates {
    pub(super) fn of(manager: &SessionManager, headers: &[&[u8]]) -> Self {
        let inner = &manager.0;
        let named = |name: &str| request::candidates(headers.iter().copied(), name).map(Box::from).collect();
        let earlier = inner.earlier.iter().map(|earlier| named(earlier.sealer.cookie_name())).collect();
        let mut markers = Vec::new();
        let names = || sealers(inner).map(Sealer::cookie_name);
        for (place, name) in names().enumerate().filter(|_| inner.sets_markers) {
            if names().take(place).all(|other| other != name) {
                let found = request::markers(headers.iter().copied(), name);
                markers.extend(found.filter_map(|found| {
                    Some((place, PublicId::from_hex(found.digits)?, found.has_ended, Box::from(found.value)))
                }));
            }
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

    /// Those that a holder of the ring set, under the name of today alone or under any.
    pub(super) fn valid_markers(&self, inner: &Inner, of_today: bool, now: Timestamp) -> Vec<Marker> {
        let valid = |(place, id, has_ended, value): &(usize, PublicId, bool, Box<[u8]>)| {
            let name = sealers(inner).nth(*place)?.cookie_name();
            let mut sealers = sealers(inner).filter(|sealer| sealer.cookie_name() == name);
            let (set_at, successor) = sealers.find_map(|sealer| sealer.verify_marker(*id, value, now))?;
            (successor.is_none() == *has_ended).then_some(Marker { id: *id, set_at, successor })
        };
        self.markers.iter().filter(|(place, ..)| !of_today || *place == 0).filter_map(valid).collect()
    }

    /// Whether this browser has left the session, or has ended one whose place it took, directly or by others between them.
    pub(super) fn have_left(&self, inner: &Inner, header: &Header, now: Timestamp) -> bool {
        if self.markers.is_empty() {
            return false;
        }
        let valid = self.valid_markers(inner, false, now);
        let mut line = public_ids(inner, header);
        if valid.iter().any(|marker| line.contains(&marker.id)) {
            return true;
        }
        let mut position = 0;
        while let Some(id) = line.get(position).copied() {
            let before = valid.iter().filter(|marker| marker.successor == Some(id)).map(|marker| marker.id);
            let new: Vec<_> = before.filter(|before| !line.contains(before)).collect();
            line.extend(new);
            position = position.saturating_add(1);
        }
        valid.iter().any(|marker| marker.successor.is_none() && line.contains(&marker.id))
    }
}

/// The public ids of a session, the first under the audience of today.
pub(super) fn public_ids(inner: &Inner, header: &Header) -> Vec<PublicId> {
    let mut ids = Vec::new();
    for sealer in sealers(inner) {
        let id = header.id.public_id(sealer.audience());
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

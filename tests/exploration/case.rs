//! The cases: which requests meet, over which placement, from which beginning.

use sealed_session::Placement;

use crate::operation::Operation;
use crate::site::{Contents, Origin};

/// Some requests of one browser that begin together, or one behind the other.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) placement: Placement,
    pub(crate) origin: Origin,
    pub(crate) operations: Vec<Operation>,
    /// A second passes with each request and each response, or the whole schedule takes no time.
    pub(crate) is_ticking: bool,
    pub(crate) with_faults: bool,
}

const ORIGINS: [(Placement, Origin); 10] = [
    (Placement::Spill, Origin::Inline),
    (Placement::Spill, Origin::Stored),
    (Placement::Spill, Origin::Returned),
    (Placement::Spill, Origin::ReturnedDelivered),
    (Placement::Spill, Origin::Left),
    (Placement::Spill, Origin::LeftInline),
    (Placement::StoreOnly, Origin::Blank),
    (Placement::StoreOnly, Origin::Stored),
    (Placement::StoreOnly, Origin::Left),
    (Placement::CookieOnly, Origin::Inline),
];

/// What meets a save beside its commit or a commit that is given up, where there are faults as well.
pub(crate) const BESIDE_SAVES: [Operation; 4] =
    [Operation::Put, Operation::Login, Operation::LoginByPull, Operation::Destroy];

/// Where a save runs beside its commit, or a commit is given up.
const PLACES_TO_SAVE: [(Placement, Origin); 4] = [
    (Placement::Spill, Origin::Inline),
    (Placement::Spill, Origin::Stored),
    (Placement::StoreOnly, Origin::Blank),
    (Placement::StoreOnly, Origin::Stored),
];

/// Where a session is emptied, and what it meets there.
const PLACES_TO_CLEAR: [(Placement, Origin); 4] = [
    (Placement::Spill, Origin::Inline),
    (Placement::Spill, Origin::Stored),
    (Placement::Spill, Origin::ReturnedDelivered),
    (Placement::StoreOnly, Origin::Stored),
];
const BESIDE_CLEAR: [Operation; 6] = [
    Operation::Read,
    Operation::RenewingRead,
    Operation::Put,
    Operation::Spill,
    Operation::Increment,
    Operation::Clear,
];

/// Threes that have shown holes in designs like this one.
const TRIPLES: [(Placement, Origin, [Operation; 3]); 20] = {
    use Operation::{
        Destroy, End, Increment, Invalidate, Login, LoginByPull, PullLast, Put, Read, RenewingRead, Shrink, Spill,
        StepUp,
    };
    [
        // Two cookies of one second, and a record made from one of them.
        (Placement::Spill, Origin::Fresh, [Spill, Put, Spill]),
        (Placement::Spill, Origin::Inline, [Put, Put, Spill]),
        // A logout while the response of a return is on its way.
        (Placement::Spill, Origin::Stored, [Shrink, Destroy, Put]),
        (Placement::Spill, Origin::Returned, [Put, Destroy, Read]),
        // An inline logout while a spill is in flight.
        (Placement::Spill, Origin::Inline, [Spill, Destroy, Put]),
        (Placement::Spill, Origin::Inline, [Spill, End, Increment]),
        // A step-up during a logout.
        (Placement::Spill, Origin::Stored, [StepUp, Invalidate, Put]),
        (Placement::StoreOnly, Origin::Stored, [StepUp, Destroy, Read]),
        // One-time passwords, pulled by two logins.
        (Placement::Spill, Origin::Stored, [LoginByPull, LoginByPull, Put]),
        (Placement::Spill, Origin::Left, [LoginByPull, LoginByPull, Read]),
        (Placement::Spill, Origin::Inline, [LoginByPull, Increment, LoginByPull]),
        // A record that the cookie's session does not descend from.
        (Placement::Spill, Origin::Inline, [Spill, Increment, Spill]),
        (Placement::Spill, Origin::Inline, [Spill, Shrink, Increment]),
        // An old cookie without data must not begin the count again.
        (Placement::StoreOnly, Origin::Blank, [Increment, Increment, Spill]),
        (Placement::StoreOnly, Origin::Blank, [Increment, RenewingRead, Put]),
        // A return, a spill and a write through the record between them.
        (Placement::Spill, Origin::Stored, [Shrink, Spill, Increment]),
        (Placement::Spill, Origin::ReturnedDelivered, [Spill, Increment, Login]),
        // A double click on "log in" beside a write.
        (Placement::Spill, Origin::Inline, [Login, Login, Put]),
        (Placement::Spill, Origin::Stored, [PullLast, Put, PullLast]),
        (Placement::CookieOnly, Origin::Inline, [Login, Destroy, RenewingRead]),
    ]
};

impl Case {
    pub(crate) fn contents(&self) -> Contents {
        if self.operations.contains(&Operation::PullLast) { Contents::OneKey } else { Contents::Full }
    }

    pub(crate) fn is_aged(&self) -> bool {
        self.operations.contains(&Operation::RenewingRead)
    }

    /// A session that comes in a cookie from before it was to be kept in the store alone.
    pub(crate) fn migrated() -> Vec<Self> {
        use Operation::{Increment, Login, Put, Read, Spill};
        let pairs = [[Put, Read], [Put, Put], [Increment, Increment], [Increment, Spill], [Put, Login]];
        pairs.map(|pair| Self::of(Placement::StoreOnly, Origin::Migrated, &pair)).to_vec()
    }

    /// A session that is emptied.
    pub(crate) fn clears() -> Vec<Self> {
        let pairs = PLACES_TO_CLEAR.iter().flat_map(|(placement, origin)| {
            BESIDE_CLEAR.map(|other| Self::of(*placement, *origin, &[Operation::Clear, other]))
        });
        pairs.filter(Self::makes_sense).collect()
    }

    /// A save beside its own request's commit, and a commit that is given up: alone, with some others, or with all.
    pub(crate) fn interrupted(others: &[Operation]) -> Vec<Self> {
        let mut cases = Vec::new();
        for (placement, origin) in PLACES_TO_SAVE {
            for one in [Operation::SaveBeside, Operation::CommitAgain, Operation::LoginByPullAgain] {
                cases.push(Self::of(placement, origin, &[one]));
                cases.extend(others.iter().map(|other| Self::of(placement, origin, &[one, *other])));
            }
        }
        cases.retain(Self::makes_sense);
        cases
    }

    /// All pairs, without faults.
    pub(crate) fn pairs() -> Vec<Self> {
        let mut cases = Vec::new();
        for (placement, origin) in ORIGINS {
            for (index, one) in Operation::ALL.into_iter().enumerate() {
                for other in Operation::ALL.into_iter().skip(index) {
                    let case = Self::of(placement, origin, &[one, other]);
                    if case.makes_sense() {
                        cases.push(case);
                    }
                }
            }
        }
        cases
    }

    pub(crate) fn triples() -> Vec<Self> {
        TRIPLES.iter().map(|(placement, origin, operations)| Self::of(*placement, *origin, operations)).collect()
    }

    fn of(placement: Placement, origin: Origin, operations: &[Operation]) -> Self {
        Self { placement, origin, operations: operations.to_vec(), is_ticking: false, with_faults: false }
    }

    pub(crate) fn ticking(self) -> Self {
        Self { is_ticking: true, ..self }
    }

    pub(crate) fn with_faults(self) -> Self {
        Self { with_faults: true, ..self }
    }

    fn makes_sense(&self) -> bool {
        let fits = |operation: &Operation| match operation {
            Operation::Shrink => {
                matches!(self.origin, Origin::Stored | Origin::Left) && self.contents() == Contents::Full
            }
            Operation::ServerOnly => self.placement != Placement::CookieOnly,
            // Its record is gone by then.
            Operation::RenewingRead => self.origin != Origin::Left,
            operation if operation.pulls() => self.origin != Origin::Blank,
            _ => true,
        };
        self.operations.iter().all(fits)
    }

    /// As `EXPLORE_ONLY` takes it, its parts divided by slashes.
    pub(crate) fn name(&self) -> String {
        let placement = match self.placement {
            Placement::CookieOnly => "cookie",
            Placement::StoreOnly => "store",
            _ => "spill",
        };
        let operations: Vec<_> = self.operations.iter().map(|operation| operation.name()).collect();
        let time = if self.is_ticking { "ticking" } else { "still" };
        let faults = if self.with_faults { "faults" } else { "calm" };
        format!("{placement}/{}/{}/{time}/{faults}", self.origin.name(), operations.join("+"))
    }
}

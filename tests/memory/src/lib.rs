//! An allocator that counts, and that looks into every block before it is given back.
//!
//! Both per thread, so that tests beside one another see nothing of each other.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;

#[global_allocator]
static WATCHING: Watching = Watching;

/// The system's allocator, watched. `realloc` is the trait's own: a new block, a copy, the old one given back. That is
/// what growing may come to with any allocator, so a test sees what a buffer that grows leaves behind.
struct Watching;

// SAFETY: every block comes from the system's allocator and goes back to it with the layout that it was asked for with.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the system's. Zeroed, so that nothing is seen in a block that was not
        // written since, and that looking at all of it reads initialized memory.
        let block = unsafe { System.alloc_zeroed(layout) };
        with_watch(|watch| watch.allocated(block, layout.size()));
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the same promises.
        unsafe { self.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is still the caller's, of this size, and was zeroed before anything was written to it.
        let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        with_watch(|watch| watch.freed(bytes));
        // SAFETY: the caller's promises are the system's.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Needles that one look takes.
const NEEDLES: usize = 8;
const NEEDLE_LENGTH: usize = 32;
const BLOCKS: usize = 8;

thread_local! {
    // Without a destructor, so that it is there for the first allocation of a thread and for the last.
    static WATCH: RefCell<Watch> = const { RefCell::new(Watch::IDLE) };
}

struct Watch {
    is_counting: bool,
    allocations: usize,
    /// Blocks that were allocated while counting, address and size.
    blocks: [(usize, usize); BLOCKS],
    needles: [Needle; NEEDLES],
    needle_count: usize,
    /// Address of a block, and what it held when it was last looked at.
    kept: Option<(usize, &'static [u8])>,
    /// What was still there of it, when it was given back.
    survived: Option<usize>,
}

#[derive(Clone, Copy)]
struct Needle {
    bytes: [u8; NEEDLE_LENGTH],
    length: usize,
    sightings: usize,
}

impl Watch {
    const IDLE: Self = Self {
        is_counting: false,
        allocations: 0,
        blocks: [(0, 0); BLOCKS],
        needles: [Needle { bytes: [0; NEEDLE_LENGTH], length: 0, sightings: 0 }; NEEDLES],
        needle_count: 0,
        kept: None,
        survived: None,
    };

    fn allocated(&mut self, block: *mut u8, size: usize) {
        if self.is_counting {
            if let Some(slot) = self.blocks.get_mut(self.allocations) {
                *slot = (block.expose_provenance(), size);
            }
            self.allocations += 1;
        }
    }

    fn freed(&mut self, bytes: &[u8]) {
        for needle in &mut self.needles[..self.needle_count] {
            let wanted = &needle.bytes[..needle.length];
            if bytes.windows(needle.length).any(|window| window == wanted) {
                needle.sightings += 1;
            }
        }
        if let Some((_, before)) = self.kept.filter(|(block, _)| *block == bytes.as_ptr().addr()) {
            self.survived = Some(secret_words_in_common(before, bytes));
        }
    }
}

fn with_watch<R: Default>(look: impl FnOnce(&mut Watch) -> R) -> R {
    WATCH.with(|watch| watch.try_borrow_mut().map(|mut watch| look(&mut watch)).unwrap_or_default())
}

/// How many allocations `run` makes on this thread. Growing a block counts as one.
pub fn allocations<R>(run: impl FnOnce() -> R) -> (usize, R) {
    with_watch(|watch| {
        assert!(!watch.is_counting, "counting inside of counting");
        (watch.is_counting, watch.allocations) = (true, 0);
    });
    let result = run();
    let count = with_watch(|watch| {
        watch.is_counting = false;
        watch.allocations
    });
    (count, result)
}

/// In how many blocks, given back while `run` runs on this thread, each of the needles stood.
///
/// # Panics
///
/// For more than eight needles, or one that is empty or longer than 32 bytes.
pub fn sightings<R, const N: usize>(needles: [&[u8]; N], run: impl FnOnce() -> R) -> ([usize; N], R) {
    assert!(N <= NEEDLES && needles.iter().all(|needle| (1..=NEEDLE_LENGTH).contains(&needle.len())));
    with_watch(|watch| {
        assert_eq!(watch.needle_count, 0, "looking inside of looking");
        for (slot, needle) in watch.needles.iter_mut().zip(needles) {
            slot.bytes[..needle.len()].copy_from_slice(needle);
            (slot.length, slot.sightings) = (needle.len(), 0);
        }
        watch.needle_count = N;
    });
    let result = run();
    let mut counts = [0; N];
    with_watch(|watch| {
        for (count, needle) in counts.iter_mut().zip(&watch.needles) {
            *count = needle.sightings;
        }
        watch.needle_count = 0;
    });
    (counts, result)
}

/// How many words of eight bytes that look like a secret are in the block of a value when it is made, and how many of
/// them are left there when it is given back. What is `public` does not count.
///
/// # Panics
///
/// When `make` does not make one allocation, or dropping the value does not give that one back.
pub fn secret_words_before_and_after<T>(
    make: impl FnOnce() -> T,
    public: impl FnOnce(&T) -> [u8; 8],
) -> (usize, usize) {
    let (count, value) = allocations(make);
    assert_eq!(count, 1, "the value is in one block");
    let (block, size) = with_watch(|watch| watch.blocks[0]);
    // SAFETY: the value lives, so its block is allocated and of this size; it was zeroed before anything was written to
    // it, and nothing writes to it while it is copied.
    let mut before = unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(block), size) }.to_vec();
    let public = public(&value);
    while let Some(at) = before.windows(public.len()).position(|window| window == public) {
        before[at..at + public.len()].fill(0);
    }
    // Leaked, because the allocator cannot know how long the copy lives.
    let before: &'static [u8] = before.leak();
    with_watch(|watch| (watch.kept, watch.survived) = (Some((block, before)), None));
    drop(value);
    let survived = with_watch(|watch| {
        watch.kept = None;
        watch.survived
    });
    (secret_words_in_common(before, before), survived.expect("the block was given back"))
}

/// Words of eight bytes at the same place in both that have many different bytes, as random ones do and lengths,
/// counters and pointers do not.
fn secret_words_in_common(left: &[u8], right: &[u8]) -> usize {
    let looks_random = |word: &[u8]| {
        let distinct = word.iter().enumerate().filter(|(at, byte)| !word[..*at].contains(byte)).count();
        distinct >= 7 && !word.contains(&0)
    };
    left.chunks_exact(8).zip(right.chunks_exact(8)).filter(|(left, right)| left == right && looks_random(left)).count()
}

//! Random bytes, from the operating system alone.

use crate::error::RandomError;

/// Fills `bytes` from the operating system's generator.
// Security: there is no fallback generator and no generator of our own in user space: a copy of its state after a fork
// or a restored snapshot would repeat nonces.
#[expect(clippy::disallowed_methods, reason = "this is the room where random bytes are drawn")]
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), RandomError> {
    #[cfg(test)]
    if failing::now() {
        return Err(RandomError);
    }
    getrandom::fill(bytes).map_err(|_| RandomError)
}

/// Lets a test make the random source fail on its own thread.
#[cfg(test)]
pub(crate) mod failing {
    use std::cell::Cell;

    thread_local! {
        static FAILS: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn now() -> bool {
        FAILS.get()
    }

    pub(crate) fn during<T>(run: impl FnOnce() -> T) -> T {
        FAILS.set(true);
        let result = run();
        FAILS.set(false);
        result
    }
}

//! The same store for sessions that another session library carries: it sets the cookie, and the cookie's value is ours.

use std::sync::Arc;

use super::{Inner, SessionManager, StoreFailure};

impl SessionManager {
    /// The same store, whose cookie values have at most so many characters.
    pub(crate) fn carried(&self, longest_text: usize) -> Self {
        let today = &self.0;
        let longest_text = today.longest_text.min(longest_text);
        Self(Arc::new(Inner {
            sealer: Arc::new(today.sealer.with_longest_text(longest_text)),
            longest_text,
            // The library decides when to write, and tells of no response.
            commit_when: |_| true,
            // Security: in place of a session that cannot be loaded, the library would write a new one over its cookie.
            store_failure: StoreFailure::FailClosed,
            // The library's cookie is at no other path or domain of ours.
            also_remove: Vec::new(),
            ..(**today).clone()
        }))
    }
}

//! What an adapter does to a response's header fields.

use std::borrow::Cow;

use super::Commit;

impl Commit {
    /// What to do to the response's header fields, one after the other. An adapter that makes each of these edits has
    /// done all of it.
    ///
    /// ```
    /// use sealed_session::{HeaderEdit, Key, RequestFacts, ResponseFacts, SessionManager};
    ///
    /// let manager = SessionManager::builder(Key::generate()?).build()?;
    /// let pending = manager.begin(&RequestFacts::new());
    /// pending.session_now()?.put("user", &42)?;
    ///
    /// let mut fields = vec![("content-type".to_owned(), "text/html".to_owned())];
    /// for edit in pending.commit_now(&ResponseFacts::new(200))?.into_header_edits() {
    ///     if !matches!(edit, HeaderEdit::Append { .. }) {
    ///         fields.retain(|(name, _)| !name.eq_ignore_ascii_case(edit.name()));
    ///     }
    ///     if let HeaderEdit::Append { name, value } | HeaderEdit::Replace { name, value } = edit {
    ///         fields.push((name.to_owned(), value.into_owned()));
    ///     }
    /// }
    /// assert_eq!(fields.len(), 4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_header_edits(self) -> impl Iterator<Item = HeaderEdit> {
        let set_cookies = self.set_cookies.into_iter();
        let vary = self.add_vary_cookie.then_some(Cow::Borrowed("Cookie"));
        let append = |name| move |value| HeaderEdit::Append { name, value };
        let cache_control = self.cache_control;
        // RFC 9213, and its forerunner: both outrank `Cache-Control` where they are understood.
        let removed =
            ["cdn-cache-control", "surrogate-control"].into_iter().filter(move |_| self.remove_cdn_cache_control);
        set_cookies
            .map(Cow::Owned)
            .map(append("set-cookie"))
            .chain(vary.map(append("vary")))
            .chain(cache_control.map(|value| HeaderEdit::Replace { name: "cache-control", value }))
            .chain(removed.map(|name| HeaderEdit::Remove { name }))
    }
}

/// One edit of a response's header fields: from [`Commit::into_header_edits`]. Names are in lower case.
///
/// Security: all kinds are named here, now and later, because an edit that an adapter does not know would be left out. The
/// value of a `set-cookie` is the session: mark it as sensitive where the framework can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Add a field, and leave others of its name.
    Append {
        /// The field's name.
        name: &'static str,
        /// The field's value.
        value: Cow<'static, str>,
    },
    /// Put one field in the place of all that have its name.
    Replace {
        /// The field's name.
        name: &'static str,
        /// The field's value.
        value: Cow<'static, str>,
    },
    /// Remove all fields of this name.
    Remove {
        /// The fields' name.
        name: &'static str,
    },
}

impl HeaderEdit {
    /// The name of the field that it is about.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Append { name, .. } | Self::Replace { name, .. } | Self::Remove { name } => name,
        }
    }
}

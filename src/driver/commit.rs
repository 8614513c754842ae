//! From a session that was used to what the response gets of it.

use super::open::{Loaded, Opened, Origin};
use super::renewal::Remaining;
use super::write::{Write, Written};
use super::{Commit, Renewal, ResponseFacts, SessionManager};
use crate::cookie::cache::{CacheDecision, cache_control, varies_by_cookie};
use crate::cookie::response;
use crate::error::{CommitError, Reason};
use crate::events::Event;
use crate::session::{Frozen, IdChange};

impl SessionManager {
    pub(super) async fn commit(
        &self,
        loaded: &Loaded,
        is_navigation: bool,
        response: &ResponseFacts<'_>,
    ) -> Result<Commit, CommitError> {
        let outcome = self.try_commit(loaded, is_navigation, response).await;
        outcome.inspect_err(|error| self.tell_failed(error))
    }

    async fn try_commit(
        &self,
        loaded: &Loaded,
        is_navigation: bool,
        response: &ResponseFacts<'_>,
    ) -> Result<Commit, CommitError> {
        let frozen = loaded.session.freeze();
        if !self.0.enabled {
            return Ok(Commit::default());
        }
        let origin = loaded.origin();
        // A logout holds whatever is answered.
        let takes = (self.0.commit_when)(response.status) || frozen.destroyed;
        if !takes && let (Some(id), true) = (&frozen.id, frozen.wants_writing()) {
            self.0.observers.tell(&Event::WritesDropped { id: loaded.session.public(id) });
        }
        let written = if takes { self.write(loaded, &origin, &frozen, is_navigation).await? } else { None };
        let set_cookie = written.map(|written| written.line).or_else(|| loaded.saved());
        Ok(self.headers(loaded, &origin, &frozen, set_cookie, response))
    }

    /// Writes a session before its response is due; it goes on from there.
    pub(super) async fn save(&self, loaded: &Loaded) -> Result<(), CommitError> {
        let frozen = loaded.session.look();
        if !self.0.enabled {
            return Ok(());
        }
        self.try_save(loaded, &frozen).await.inspect_err(|error| self.tell_failed(error))
    }

    async fn try_save(&self, loaded: &Loaded, frozen: &Frozen) -> Result<(), CommitError> {
        let before = loaded.origin();
        // By the session's own will, so not as a renewal, which is left to navigations.
        match self.write(loaded, &before, frozen, false).await? {
            Some(Written { line, origin }) => {
                loaded.set_saved(line);
                loaded.set_origin(origin);
                loaded.session.mark_saved(frozen);
            }
            // Another request has ended the session, or left the record that this one read: nothing was kept.
            None if frozen.wants_writing() && !loaded.ephemeral && matches!(before, Origin::Opened(_)) => {
                return Err(CommitError::Conflict);
            }
            None => {}
        }
        Ok(())
    }

    fn tell_failed(&self, error: &CommitError) {
        if matches!(error, CommitError::TooLarge { .. }) {
            self.0.observers.tell(&Event::Rejected { reason: Reason::TooLarge });
        }
        self.0.observers.tell(&Event::CommitFailed { problem: error.to_string() });
    }

    async fn write(
        &self,
        loaded: &Loaded,
        origin: &Origin,
        frozen: &Frozen,
        is_navigation: bool,
    ) -> Result<Option<Written>, CommitError> {
        match origin {
            _ if loaded.ephemeral => Ok(None),
            Origin::New => self.commit_new(loaded, frozen).await,
            Origin::Opened(opened) => self.commit_opened(loaded, opened, frozen, is_navigation).await,
        }
    }

    /// A new session is written when there is something in it: reading an empty one leaves no trace.
    async fn commit_new(&self, loaded: &Loaded, frozen: &Frozen) -> Result<Option<Written>, CommitError> {
        if frozen.destroyed || !(frozen.has_something || (self.0.save_uninitialized && frozen.touched)) {
            return Ok(None);
        }
        let id = loaded.session.ensure_id()?;
        Write { store: self, loaded, frozen, opened: None, id: &id }.run().await
    }

    async fn commit_opened(
        &self,
        loaded: &Loaded,
        opened: &Opened,
        frozen: &Frozen,
        is_navigation: bool,
    ) -> Result<Option<Written>, CommitError> {
        // A logout holds, also by a request that read a record its session had left.
        let is_closed = opened.record.as_ref().is_some_and(|record| record.closed);
        if frozen.destroyed || (is_closed && frozen.id_change == IdChange::Invalidated) {
            return self.end(loaded, opened).await.map(Some);
        }
        if is_closed {
            // The session lives elsewhere by now: a cookie from here would overwrite its cookie.
            if frozen.wants_writing() {
                self.0.observers.tell(&Event::WritesDropped { id: loaded.session.public(&opened.header.id) });
            }
            return Ok(None);
        }
        if frozen.emptied {
            return self.end(loaded, opened).await.map(Some);
        }
        let Some(id) = &frozen.id else { return Ok(None) };
        let write = Write { store: self, loaded, frozen, opened: Some(opened), id };
        if frozen.wants_writing() || (self.0.resave && frozen.touched) {
            return self.write_over(loaded, opened, frozen, id).await;
        }
        // A session that was asked for and neither read nor written was not used.
        let is_in_use = frozen.touched || self.0.renewal == Renewal::EveryResponse;
        let remaining = Remaining::of(&opened.header, write.lifetime_seconds(), self.0.clock.now());
        let reseal_due = opened.superseded_key.is_some() || opened.earlier.is_some();
        let is_due = self.0.renewal.is_due(remaining, reseal_due, is_navigation);
        if is_in_use && is_due { Ok(write.renew(opened).await) } else { Ok(None) }
    }

    /// Ends a session that was opened in this request: the store first, so that a cookie is never removed while its
    /// record lives on.
    async fn end(&self, loaded: &Loaded, opened: &Opened) -> Result<Written, CommitError> {
        if let Some(records) = &self.0.records {
            // Also for a session in its cookie: a parallel request may have moved it to the store.
            records.destroy(&opened.header.id).await?;
        }
        if let Some(records) = opened.earlier.as_ref().and_then(|earlier| earlier.records.as_ref()) {
            records.destroy(&opened.header.id).await?;
        }
        let id = loaded.session.public(&opened.header.id);
        self.0.observers.tell(&Event::Destroyed { id });
        self.0.observers.tell(&Event::Committed { id });
        Ok(Written { line: response::remove(&self.0.attributes), origin: Origin::New })
    }

    /// RFC 9110 §12.5.5 and RFC 9111 §5.2: what caches are told.
    // Security: a response that carries a session, or was made from one, must not be served to somebody else
    // (CVE-2023-30861, CVE-2026-27205).
    fn headers(
        &self,
        loaded: &Loaded,
        origin: &Origin,
        frozen: &Frozen,
        set_cookie: Option<String>,
        response: &ResponseFacts<'_>,
    ) -> Commit {
        // Before our own: where path and domain are the same, ours is the last to be set.
        let earlier = self.0.also_remove.iter().filter(|_| loaded.removes_earlier());
        // Security: a cookie of an earlier name would be read again once this one is gone, and undo a logout.
        let renamed = if set_cookie.is_some() { loaded.renamed.as_slice() } else { &[] };
        let earlier = earlier.chain(renamed).map(response::remove);
        let set_cookies: Vec<_> = earlier.chain(set_cookie).collect();
        let depends_on_cookie = frozen.touched || !set_cookies.is_empty();
        let read_a_session = frozen.touched && (loaded.ephemeral || matches!(origin, Origin::Opened(_)));
        let is_private = !set_cookies.is_empty() || read_a_session || frozen.made_token;
        let cache_control = match cache_control(response.cache_control.iter().copied()) {
            CacheDecision::Replace(value) if is_private => {
                self.0.observers.tell(&Event::CachingRestricted);
                Some(value)
            }
            _ => None,
        };
        Commit {
            add_vary_cookie: depends_on_cookie && !varies_by_cookie(response.vary.iter().copied()),
            cache_control,
            remove_cdn_cache_control: is_private,
            set_cookies,
        }
    }
}

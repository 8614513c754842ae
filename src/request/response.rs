//! What a response gets of its session.

use super::candidates::Candidates;
use super::facts::{Commit, FailedCommit, Purpose, ResponseFacts};
use super::load::Loaded;
use super::progress::Opened;
use super::renewal::remaining;
use super::write::Write;
use crate::clock::Clock as _;
use crate::cookie::cache::{CacheDecision, cache_control, varies_by_cookie};
use crate::cookie::response;
use crate::error::{CommitError, Reason};
use crate::events::Event;
use crate::manager::{Renewal, SessionManager};
use crate::session::{Draft, IdChange};
use crate::wire::header::Persistence;

impl SessionManager {
    pub(super) async fn commit(
        &self,
        loaded: &Loaded,
        candidates: &Candidates,
        purpose: Purpose,
        response: &ResponseFacts<'_>,
    ) -> Result<Commit, FailedCommit> {
        loaded.session.freeze();
        if !self.0.enabled {
            return Ok(Commit::default());
        }
        let ends = loaded.session.was_ended();
        // A logout holds whatever is answered.
        let outcome = if ends || (self.0.commit_when)(response.status) {
            let write = Write::begin(self, loaded, candidates);
            write.run(|write, opened, draft| self.renews(write, opened, draft, purpose)).await
        } else {
            let draft = loaded.session.draft();
            if draft.has_unsaved || draft.id_change != IdChange::None {
                let id = draft.id.as_ref().map(|id| loaded.session.public(id));
                self.0.observers.tell(&Event::WritesDropped { id });
            }
            Ok(())
        };
        let outcome = outcome.inspect_err(|error| self.tell_failed(error));
        match outcome {
            Ok(()) => Ok(self.headers(loaded, candidates, ends, response)),
            Err(error) => {
                // The handler's response goes, and its headers with it.
                let empty = ResponseFacts::new(error.status_code());
                let commit = Some(self.headers(loaded, candidates, false, &empty));
                let commit = commit.filter(|commit| !commit.set_cookies.is_empty()).unwrap_or_default();
                Err(FailedCommit { error, commit })
            }
        }
    }

    /// Writes a session before its response is due; it goes on from there.
    pub(super) async fn save(&self, loaded: &Loaded, candidates: &Candidates) -> Result<(), CommitError> {
        if !self.0.enabled {
            return Ok(());
        }
        // By the session's own will, so not as a renewal, which is left to the response.
        let saved = Write::begin(self, loaded, candidates).run(|_, _, _| false).await;
        saved.inspect_err(|error| self.tell_failed(error))
    }

    fn tell_failed(&self, error: &CommitError) {
        if matches!(error, CommitError::TooLarge { .. }) {
            self.0.observers.tell(&Event::Rejected { reason: Reason::TooLarge });
        }
        self.0.observers.tell(&Event::CommitFailed { problem: error.to_string() });
    }

    fn renews(&self, write: &Write<'_>, opened: &Opened, draft: &Draft, purpose: Purpose) -> bool {
        let header = &opened.header;
        let lifetime_seconds = write.lifetime_seconds(draft);
        let sealed_seconds = header.expires.saturating_seconds_since(header.issued);
        // Another request may have given the session another lifetime, and its cookie been overtaken.
        let lasts_otherwise = header.persistence != draft.persistence
            || (draft.persistence == Persistence::OwnLifetime && sealed_seconds != lifetime_seconds);
        let is_reseal_due = opened.superseded_key.is_some() || opened.earlier.is_some() || lasts_otherwise;
        let remaining = remaining(header, lifetime_seconds, self.0.clock.now());
        // A session that was asked for and neither read nor written was not used.
        (draft.used || self.0.renewal == Renewal::EveryResponse)
            && self.0.renewal.is_due(purpose, opened.inline.is_none(), is_reseal_due, remaining)
    }

    /// RFC 9110 §12.5.5 and RFC 9111 §5.2: what caches are told.
    // Security: a response that carries a session, or was made from one, must not be served to somebody else
    // (CVE-2023-30861, CVE-2026-27205).
    fn headers(&self, loaded: &Loaded, candidates: &Candidates, ends: bool, response: &ResponseFacts<'_>) -> Commit {
        let (touched, made_token) = loaded.session.response_facts();
        let set_cookies = self.set_cookies(loaded, candidates, ends);
        let depends_on_cookie = touched || !set_cookies.is_empty();
        let is_private = !set_cookies.is_empty() || (touched && loaded.was_opened) || made_token;
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

    /// Removals first, then markers, and the session's own cookie last: where path and domain are the same, the last counts.
    fn set_cookies(&self, loaded: &Loaded, candidates: &Candidates, ends: bool) -> Vec<String> {
        let (mut own, markers, has_new_id, has_ended) = {
            let progress = loaded.progress();
            (progress.line.clone(), progress.markers.clone(), progress.has_new_id, progress.has_ended)
        };
        let ends = (ends || has_ended) && !candidates.is_empty();
        if ends && own.is_none() {
            // Security: a cookie that could not be opened here may be good on another server, or in a minute.
            own = Some(response::remove(&self.0.attributes));
            self.0.observers.tell(&Event::UnopenedRemoved);
        }
        let removes_earlier = ends || has_new_id || loaded.is_ambiguous;
        let earlier = self.0.also_remove.iter().filter(|_| removes_earlier);
        // Security: a cookie of an earlier name would be read again once this one is gone, and undo a logout.
        let is_set = own.is_some();
        let renamed = loaded.renamed.iter().filter(|_| is_set);
        let removed = earlier.chain(renamed).map(response::remove);
        removed.chain(markers).chain(own).collect()
    }
}

//! What holds once a session is written: its cookie, its markers, and what observers hear of it.

use std::sync::{Arc, MutexGuard};

use super::fitted::Fitted;
use super::progress::{Completion, Opened, Origin, Progress};
use super::protocol::{Case, Want};
use super::write::{Sealed, Write};
use crate::clock::Clock as _;
use crate::cookie::response;
use crate::error::CommitError;
use crate::events::Event;
use crate::limits;
use crate::records::{FoundRecord, Standing, Target};
use crate::session::{Draft, IdChange};
use crate::wire::header::{Header, Kind};

impl Write<'_> {
    /// What holds once the session is written.
    pub(super) fn completion(
        &self,
        case: &Case<'_>,
        opened: Option<&Opened>,
        cookie: Option<Sealed>,
        record: Option<Arc<FoundRecord>>,
        draft: Draft,
        fitted: Fitted,
    ) -> Result<Completion, CommitError> {
        let inner = self.inner();
        let leaves_id = opened.is_some() && case.want >= Want::NewId;
        let marker = opened.filter(|_| leaves_id && inner.sets_markers);
        let mut completion = Completion {
            origin: Origin::New,
            line: None,
            markers: marker.map(|opened| self.markers(&opened.header)).transpose()?.unwrap_or_default(),
            drops_input: fitted.without_input,
            has_new_id: cookie.is_some() && (opened.is_none() || leaves_id),
            has_ended: case.want == Want::End || draft.id_change == IdChange::Invalidated,
            events: self.events(case, opened, cookie.is_some(), &fitted)?,
            draft,
        };
        match cookie {
            Some(Sealed { header, write, value }) => {
                completion.line = Some(self.line(&header, &value));
                let is_inline = fitted.target == Target::Cookie;
                let kind = if is_inline { Kind::Inline } else { Kind::Reference };
                let same = opened.filter(|opened| opened.header.id == header.id && opened.inline.is_some());
                completion.origin = Origin::Opened(Box::new(Opened {
                    base: same.map_or((write, header.issued), |opened| opened.base),
                    header: Header { kind, ..header },
                    write,
                    superseded_key: None,
                    inline: is_inline.then_some(fitted.payload),
                    least_version: 0,
                    record,
                    earlier: None,
                    unread: None,
                }));
            }
            None if opened.is_some() => completion.line = Some(response::remove(&inner.attributes)),
            None => {}
        }
        Ok(completion)
    }

    /// In the order of [`Event`].
    pub(super) fn events(
        &self,
        case: &Case<'_>,
        opened: Option<&Opened>,
        is_kept: bool,
        fitted: &Fitted,
    ) -> Result<Vec<Event>, CommitError> {
        let session = &self.loaded.session;
        let was_in_store = opened.is_some_and(Opened::is_in_record);
        let mut events = Vec::new();
        let before = opened.map(|opened| match &opened.earlier {
            Some(earlier) => opened.header.id.public_id(earlier.sealer.audience()),
            None => session.public(&opened.header.id),
        });
        if !is_kept {
            let id = opened.map_or_else(|| self.id(), |opened| Ok(opened.header.id.clone()))?;
            let id = session.public(&id);
            return Ok(vec![Event::Destroyed { id }, Event::Committed { id }]);
        }
        let to = session.public(&self.id()?);
        if let Some(from) = before.filter(|from| *from != to) {
            events.push(Event::Migrated { from, to });
        }
        match fitted.target {
            Target::Store if !was_in_store => events.push(Event::Spilled { id: to }),
            Target::Cookie if was_in_store => events.push(Event::Returned { id: to }),
            _ => {}
        }
        if fitted.without_input {
            events.push(Event::OldInputDropped { id: to });
        }
        match opened.and_then(|opened| opened.superseded_key) {
            Some(from) => events.push(Event::Resealed { id: to, from }),
            None if case.want == Want::Refresh => events.push(Event::Renewed { id: to }),
            None => {}
        }
        if let Some(id) = before.filter(|_| case.want == Want::End) {
            events.push(Event::Destroyed { id });
        }
        events.push(Event::Committed { id: to });
        Ok(events)
    }

    /// `Set-Cookie` of the marker of a session that this browser leaves, and the removal of the oldest where there are too
    /// many.
    pub(super) fn markers(&self, left: &Header) -> Result<Vec<String>, CommitError> {
        let (inner, now) = (self.inner(), self.inner().clock.now());
        let id = self.loaded.session.public(&left.id);
        let value = inner.sealer.marker(&left.id, now).map_err(|error| self.seal_error(b"{}", error))?;
        // Security: for as long as any cookie of the session may be valid: one that is on its way, too, whatever lifetime of its
        // own it asked for.
        let lifetimes = inner.sealer.lifetimes();
        let longest = lifetimes.idle_timeout_seconds.max(lifetimes.remember_max_seconds);
        let end = now.saturating_add_seconds(longest.saturating_add(limits::ENDED_RECORD_SECONDS));
        let end = lifetimes.absolute_end(left.created).map_or(end, |absolute| absolute.min(end));
        let named = |id| inner.attributes.renamed(&format!("{}-{id}", inner.sealer.cookie_name()));
        let mut others: Vec<_> = self.candidates.valid_markers(inner, now).filter(|(other, _)| *other != id).collect();
        others.sort_by_key(|(_, set_at)| std::cmp::Reverse(*set_at));
        let too_many = others.into_iter().skip(limits::MARKERS_MAX.saturating_sub(1));
        let mut lines: Vec<_> = too_many.map(|(other, _)| response::remove(&named(other))).collect();
        lines.push(response::issue(&named(id), &value, Some(end.saturating_seconds_since(now))));
        Ok(lines)
    }

    pub(super) fn complete(&self, mut progress: MutexGuard<'_, Progress>, completion: Completion) {
        let Completion { origin, line, markers, draft, drops_input, has_new_id, has_ended, events } = completion;
        // In a cookie alone, which the browser does not hold yet. Another request may have made a record of the one that it
        // holds; there, all of this request's operations are to be made.
        let is_in_cookie_alone = origin.opened().is_some_and(|opened| opened.record.is_none());
        self.loaded.session.mark_saved(&draft, is_in_cookie_alone);
        if drops_input {
            self.loaded.session.drop_old_input();
        }
        progress.here = origin.opened().and_then(|opened| opened.record.clone()).map(Standing::of);
        progress.ahead = None;
        progress.owns_ahead = false;
        // None of them can happen any more: what they expected has been replaced.
        progress.attempts.clear();
        progress.began_anew = false;
        progress.origin = origin;
        progress.line = line.or_else(|| progress.line.take());
        progress.markers.extend(markers);
        progress.has_new_id |= has_new_id;
        progress.has_ended |= has_ended;
        drop(progress);
        // Last: an observer sees what holds, and cannot hold it up.
        events.iter().for_each(|event| self.tell(event));
    }
}

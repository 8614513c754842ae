//! One schedule: the steps of the requests and of the browser, one after the other, as the search chooses them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Waker};

use sealed_session::store::RecordId;
use sealed_session::testing::CookieJar;

use crate::api::Status;
use crate::operation::{Operation, Progress, RequestFuture, request};
use crate::site::{COOKIE, Site, Start};
use crate::store::{Ended, Ending, Kind, Seal, Waiting, beside};

/// What happens next, and to which request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) request: usize,
    pub(crate) action: Action,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The browser sends it, with the cookies that it has.
    Begin,
    /// The call that it waits for ends, and it goes on to the next or to its response.
    Call(Ending),
    /// Its handler, which has handed a save to another task, goes on to its commit.
    GoOn,
    /// The save that runs beside its commit begins; or the call that this waits for ends, and it goes on.
    Beside(Option<Ending>),
    /// Its response arrives.
    Deliver,
    /// Its response never arrives.
    Lose,
    /// Its response arrives behind everything else.
    Delay,
}

impl Step {
    pub(crate) const fn is_fault(self) -> bool {
        match self.action {
            Action::Begin | Action::Call(Ending::Answer) | Action::GoOn | Action::Deliver => false,
            Action::Beside(ending) => !matches!(ending, None | Some(Ending::Answer)),
            Action::Call(_) | Action::Lose | Action::Delay => true,
        }
    }
}

/// What a step touched, for telling whether two steps can change places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Footprint {
    record: Option<(RecordId, bool)>,
    reads_browser: bool,
    changes_browser: bool,
    /// Its request has a response to deliver from here on, in the order of the others'.
    completes: bool,
    downs_store: bool,
}

/// Whether the two steps lead to the same state in either order.
pub(crate) fn commute(one: &(Step, Footprint), other: &(Step, Footprint), is_ticking: bool) -> bool {
    let ((step, one), (other_step, other)) = (one, other);
    let same_request = step.request == other_step.request;
    let both_are_faults = step.is_fault() && other_step.is_fault();
    let both_complete = one.completes && other.completes;
    let meet_in_browser = (one.changes_browser && (other.changes_browser || other.reads_browser))
        || (other.changes_browser && one.reads_browser);
    let meet_in_store = match (one.record, other.record) {
        (Some((record, writes)), Some((other_record, other_writes))) => {
            record == other_record && (writes || other_writes)
        }
        _ => false,
    };
    // The steps of the browser move the clock, and whatever seals reads it.
    let moves_clock = |footprint: &Footprint| footprint.reads_browser || footprint.changes_browser;
    let meet_in_time = is_ticking && (moves_clock(one) || moves_clock(other));
    let meets_all = one.downs_store || other.downs_store;
    let meet = meet_in_browser || meet_in_store || meet_in_time || meets_all;
    !(same_request || both_are_faults || both_complete || meet)
}

/// How a call can end that somebody waits for.
fn endings(waiting: Waiting, with_faults: bool, may_leave: bool) -> impl Iterator<Item = Ending> {
    let faults = Ending::FAULTS.into_iter().filter(move |ending| {
        with_faults && !ending.repeats_another_of(waiting.kind) && (may_leave || !ending.leaves())
    });
    std::iter::once(Ending::Answer).chain(faults)
}

/// What became of one request.
pub(crate) struct Request {
    pub(crate) operation: Operation,
    future: Option<RequestFuture>,
    /// The save that runs beside its commit, and whether it has begun.
    beside: Option<(RequestFuture, bool)>,
    progress: Rc<RefCell<Progress>>,
    /// The session's cookie as the request began.
    pub(crate) cookie: Option<String>,
    pub(crate) begun: Option<usize>,
    pub(crate) done: Option<usize>,
    pub(crate) delivered: Option<usize>,
    pub(crate) is_dropped: bool,
    /// It gave a save or a commit up on its way, or its save ran beside its commit: that may have been carried out,
    /// whatever was said since.
    pub(crate) may_have_saved: bool,
    pub(crate) is_lost: bool,
    /// Of its response; 0 while there is none.
    pub(crate) status: Status,
    pub(crate) lines: Vec<String>,
    /// The session's cookie in the browser just before the response arrived, and just behind.
    pub(crate) cookies_around: Option<(Option<String>, Option<String>)>,
}

impl Request {
    pub(crate) fn progress(&self) -> std::cell::Ref<'_, Progress> {
        self.progress.borrow()
    }

    /// Whether its response sets or removes the session's cookie.
    pub(crate) fn touches_cookie(&self) -> bool {
        self.lines.iter().any(|line| line.strip_prefix(COOKIE).is_some_and(|rest| rest.starts_with('=')))
    }

    const fn is_over(&self) -> bool {
        self.done.is_some() || self.is_dropped
    }
}

pub(crate) struct Schedule<'a> {
    pub(crate) site: &'a Site,
    pub(crate) start: &'a Start,
    pub(crate) is_ticking: bool,
    pub(crate) jar: CookieJar,
    pub(crate) requests: Vec<Request>,
    pub(crate) steps: Vec<Step>,
    pub(crate) fault: Option<Step>,
    /// Responses on their way, in the order in which they were made.
    on_their_way: VecDeque<usize>,
    delayed: Option<usize>,
    pub(crate) log: Vec<Ended>,
    /// Of the records, in the order in which they were handed to the store.
    pub(crate) sealed: Vec<Seal>,
}

impl<'a> Schedule<'a> {
    pub(crate) fn new(site: &'a Site, start: &'a Start, operations: &[Operation], is_ticking: bool) -> Self {
        site.clock.set_unix_seconds(start.now);
        site.store.restore(&start.records);
        let requests = operations.iter().map(|operation| Request {
            operation: *operation,
            future: None,
            beside: None,
            progress: Rc::default(),
            cookie: None,
            begun: None,
            done: None,
            delivered: None,
            is_dropped: false,
            may_have_saved: *operation == Operation::SaveBeside,
            is_lost: false,
            status: 0,
            lines: Vec::new(),
            cookies_around: None,
        });
        Self {
            site,
            start,
            is_ticking,
            jar: start.jar.clone(),
            requests: requests.collect(),
            steps: Vec::new(),
            fault: None,
            on_their_way: VecDeque::new(),
            delayed: None,
            log: Vec::new(),
            sealed: Vec::new(),
        }
    }

    /// Everything that can happen next; nothing when the schedule is over.
    pub(crate) fn options(&self, with_faults: bool) -> Vec<Step> {
        let with_faults = with_faults && self.fault.is_none();
        let mut options = Vec::new();
        for (request, state) in self.requests.iter().enumerate() {
            if state.begun.is_none() {
                // Of two requests that do the same, the first one begins first.
                let has_twin_before = self
                    .requests
                    .iter()
                    .take(request)
                    .any(|earlier| earlier.operation == state.operation && earlier.begun.is_none());
                if !has_twin_before {
                    options.push(Step { request, action: Action::Begin });
                }
            } else if !state.is_over() {
                match self.site.store.waiting(request) {
                    Some(waiting) => {
                        let may_leave = state.progress().may_leave;
                        let endings = endings(waiting, with_faults, may_leave);
                        options.extend(endings.map(|ending| Step { request, action: Action::Call(ending) }));
                    }
                    None => options.push(Step { request, action: Action::GoOn }),
                }
            }
            match (&state.beside, self.site.store.waiting(beside(request))) {
                (Some((_, true)), Some(waiting)) => {
                    let endings = endings(waiting, with_faults, false);
                    options.extend(endings.map(|ending| Step { request, action: Action::Beside(Some(ending)) }));
                }
                (Some(_), _) => options.push(Step { request, action: Action::Beside(None) }),
                (None, _) => {}
            }
        }
        if let Some(&request) = self.on_their_way.front() {
            options.push(Step { request, action: Action::Deliver });
            if with_faults {
                options.push(Step { request, action: Action::Lose });
                let is_anything_else_left = self
                    .requests
                    .iter()
                    .enumerate()
                    .any(|(other, state)| other != request && !state.is_dropped && state.delivered.is_none());
                if is_anything_else_left {
                    options.push(Step { request, action: Action::Delay });
                }
            }
        }
        if options.is_empty() {
            options.extend(self.delayed.map(|request| Step { request, action: Action::Deliver }));
        }
        options
    }

    pub(crate) fn apply(&mut self, step: Step) -> Footprint {
        let Step { request, action } = step;
        let waiter = if matches!(action, Action::Beside(_)) { beside(request) } else { request };
        let waiting = self.site.store.waiting(waiter);
        let mut footprint = Footprint {
            record: None,
            reads_browser: false,
            changes_browser: false,
            completes: false,
            downs_store: matches!(action, Action::Call(Ending::Down) | Action::Beside(Some(Ending::Down))),
        };
        self.steps.push(step);
        if step.is_fault() {
            self.fault = Some(step);
        }
        let number = self.steps.len();
        match action {
            Action::Begin => {
                self.tick();
                footprint.reads_browser = true;
                let state = &mut self.requests[request];
                state.begun = Some(number);
                state.cookie = self.jar.value(COOKIE).map(str::to_owned);
                let pending = self.site.begin(&self.jar);
                state.future = Some(operation_of(state, request, pending));
                footprint.completes = self.poll(request);
            }
            Action::Call(ending) => {
                let waiting = waiting.unwrap();
                footprint.record = Some((waiting.id, waiting.kind != Kind::Load));
                self.site.store.grant(request, ending);
                let state = &mut self.requests[request];
                state.progress.borrow_mut().leaves = ending.leaves();
                state.may_have_saved |= ending.leaves();
                footprint.completes = self.poll(request);
                if ending.drops() {
                    let state = &mut self.requests[request];
                    state.future = None;
                    state.is_dropped = true;
                    self.site.store.forget(request);
                }
            }
            Action::GoOn => {
                self.requests[request].progress.borrow_mut().gate = Some(true);
                footprint.completes = self.poll(request);
            }
            Action::Beside(ending) => {
                if let (Some(ending), Some(waiting)) = (ending, waiting) {
                    footprint.record = Some((waiting.id, waiting.kind != Kind::Load));
                    self.site.store.grant(waiter, ending);
                }
                self.poll_beside(request);
                if ending.is_some_and(Ending::drops) {
                    self.requests[request].beside = None;
                    self.site.store.forget(waiter);
                }
            }
            Action::Deliver => {
                self.tick();
                footprint.changes_browser = true;
                if self.delayed == Some(request) {
                    self.delayed = None;
                } else {
                    self.on_their_way.pop_front();
                }
                let state = &mut self.requests[request];
                state.delivered = Some(number);
                let before = self.jar.value(COOKIE).map(str::to_owned);
                state.lines.iter().for_each(|line| self.jar.receive(line));
                state.cookies_around = Some((before, self.jar.value(COOKIE).map(str::to_owned)));
            }
            Action::Lose | Action::Delay => {
                footprint.changes_browser = true;
                self.on_their_way.pop_front();
                if action == Action::Delay {
                    self.delayed = Some(request);
                } else {
                    self.requests[request].is_lost = true;
                }
            }
        }
        footprint
    }

    /// The schedule is over: the store answers everybody again.
    pub(crate) fn finish(&mut self) {
        self.log = self.site.store.take_log();
        self.sealed = self.site.store.take_sealed();
        self.site.store.answer_at_once();
    }

    /// Lets a request go on until it waits again. Whether it has a response to deliver.
    fn poll(&mut self, request: usize) -> bool {
        let number = self.steps.len();
        self.site.store.poll_for(request, number);
        let state = &mut self.requests[request];
        let poll = state.future.as_mut().unwrap().as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let beside = state.progress.borrow_mut().beside.take();
        state.beside = beside.map(|save| (save, false)).or(state.beside.take());
        if poll.is_pending() {
            return false;
        }
        state.future = None;
        state.done = Some(number);
        let (status, lines) = state.progress.borrow_mut().response.take().unwrap();
        (state.status, state.lines) = (status, lines);
        if state.lines.is_empty() {
            // It changes nothing in the browser, whenever it arrives.
            state.delivered = Some(number);
            return false;
        }
        self.on_their_way.push_back(request);
        true
    }

    /// Lets the save beside a commit go on until it waits again.
    fn poll_beside(&mut self, request: usize) {
        self.site.store.poll_for(beside(request), self.steps.len());
        let state = &mut self.requests[request];
        let (save, has_begun) = state.beside.as_mut().unwrap();
        *has_begun = true;
        if save.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            state.beside = None;
        }
    }

    fn tick(&self) {
        if self.is_ticking {
            self.site.clock.advance_seconds(1);
        }
    }
}

fn operation_of(state: &Request, number: usize, pending: sealed_session::PendingSession) -> RequestFuture {
    request(state.operation, number, pending, &state.progress)
}

impl Drop for Schedule<'_> {
    /// The futures go while the store answers at once, whatever they do on their way.
    fn drop(&mut self) {
        self.site.store.answer_at_once();
    }
}

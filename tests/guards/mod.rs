//! Behaviour, sections 1, 5 and 9: forms with a token, and the guard against forged requests, once for all frameworks.
//!
//! A framework has a [`Site`]: the pages that the rules visit, written with its own handlers and middlewares. A rule is a
//! function over sites, and [`rules!`] makes a test of each.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails loudly")]

mod browser;
pub(crate) mod bytes;
pub(crate) mod forged;
pub(crate) mod form_bytes;
pub(crate) mod form_layers;
pub(crate) mod forms;
pub(crate) mod layers;
pub(crate) mod marked;
pub(crate) mod not_found;
pub(crate) mod pages;
pub(crate) mod readable;
pub(crate) mod token_life;

use std::fmt;

use sealed_session::cookie::CookieAttributes;
use sealed_session::testing::{FaultyStore, ManualClock};
use sealed_session::{ConfigError, Key, Placement, SessionManager, SessionManagerBuilder};

pub(crate) use browser::{Answer, Body, Browser, FORM, Request, get, post};

/// The origin of the site's own pages.
pub(crate) const OURS: &str = "https://example.com";

/// An application in one framework. Its pages:
///
/// | path | methods | what it does |
/// |---|---|---|
/// | `/act/{action}` | GET, POST | [`pages::act`] on the session |
/// | `/idle` | all | says "done", without a look at the session |
/// | `/echo` | POST | says what came |
/// | `/comment`, `/strict` | POST | takes a comment; the second refuses fields that a comment does not have |
/// | `/transfer` | POST | takes a comment with a token for [`pages::Transfer`] |
/// | `/query` | GET, POST | as `/comment` |
/// | `/pairs` | POST | shows the fields of a form in their order |
/// | `/debug` | POST | shows a comment's form in debug output |
/// | `/why` | POST | shows why a comment was not taken, for users and in debug output |
/// | `/administration/comment`, `/administration/transfer` | POST | the same with the marked session |
pub(crate) trait Site: Sized {
    /// Largest form that is taken where the application sets no limit.
    const DEFAULT_LIMIT_BYTES: usize;

    /// Whether the application's limit counts the bytes of a body that says no length.
    const COUNTS_PIECES: bool = true;

    /// What a form over the application's limit is answered with, where that is the framework's own answer.
    const TOO_LARGE: &'static str = "";

    /// Methods that no form has, as far as the test client can send them.
    const OTHER_METHODS: &'static [&'static str] = &["TRACE", "CONNECT", "PURGE"];

    /// Header fields that the framework adds to each response.
    const OWN_HEADERS: &'static [&'static str] = &["content-length"];

    /// The guard as the application adds it.
    type Guard: fmt::Debug;

    fn guard(settings: &Guard) -> Result<Self::Guard, ConfigError>;

    fn new(application: Application) -> Self;

    fn send(&self, request: Request) -> Answer;
}

/// What an application is made of.
#[derive(Default)]
pub(crate) struct Application {
    /// The session without a marker.
    pub(crate) sessions: Option<SessionManager>,
    /// The session with the marker [`pages::Administration`].
    pub(crate) administrators: Option<SessionManager>,
    /// Directly around the pages.
    pub(crate) guard: Option<Guard>,
    /// Around the sessions, where it does not belong.
    pub(crate) misplaced_guard: Option<Guard>,
    /// The application's own limit of the form at `/pairs`.
    pub(crate) limit_bytes: Option<usize>,
}

impl Application {
    /// Without a guard.
    pub(crate) fn new(sessions: SessionManager) -> Self {
        Self { sessions: Some(sessions), ..Self::default() }
    }

    pub(crate) fn guarded(sessions: SessionManager, guard: Guard) -> Self {
        Self { guard: Some(guard), ..Self::new(sessions) }
    }
}

/// Settings of a guard, which has the same methods in each framework.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) origin: Option<&'static str>,
    pub(crate) readable_cookie: Option<Option<CookieAttributes>>,
    /// For the session with the marker [`pages::Administration`].
    pub(crate) is_marked: bool,
}

impl Guard {
    /// One that knows our origin.
    pub(crate) fn new() -> Self {
        Self { origin: Some(OURS), readable_cookie: None, is_marked: false }
    }

    /// One that gives scripts a token in a cookie.
    pub(crate) fn readable() -> Self {
        Self { readable_cookie: Some(None), ..Self::new() }
    }

    pub(crate) fn marked(self) -> Self {
        Self { is_marked: true, ..self }
    }
}

/// A framework's guard with these settings.
macro_rules! build_guard {
    ($guard:expr, $settings:expr) => {{
        let (mut guard, settings): (_, &$crate::guards::Guard) = ($guard, $settings);
        if let Some(origin) = settings.origin {
            guard = guard.origin(origin)?;
        }
        if let Some(attributes) = &settings.readable_cookie {
            guard = guard.readable_cookie(attributes.clone())?;
        }
        Ok(if settings.is_marked { guard.marked::<$crate::guards::pages::Administration>() } else { guard })
    }};
}
pub(crate) use build_guard;

pub(crate) fn clock() -> ManualClock {
    ManualClock::at_unix_seconds(1_795_000_000)
}

pub(crate) fn builder() -> SessionManagerBuilder {
    SessionManager::builder(Key::generate().unwrap()).clock(clock())
}

/// Sessions in their cookies.
pub(crate) fn manager() -> SessionManager {
    builder().build().unwrap()
}

/// Sessions in a store that fails on demand.
pub(crate) fn faulty() -> (FaultyStore, SessionManager) {
    let records = FaultyStore::new(clock());
    (records.clone(), builder().store(records).placement(Placement::StoreOnly).build().unwrap())
}

/// Sessions of administrators, next to those of everybody.
pub(crate) fn administrators() -> SessionManager {
    builder().cookie(CookieAttributes::new().name("__Host-administration")).build().unwrap()
}

/// A test of each of these rules for one site.
macro_rules! tests {
    ($site:ty: $($room:ident { $($rule:ident)* })*) => {
        $(mod $room {
            $(#[test]
            fn $rule() {
                $crate::guards::$room::$rule::<$site>();
            })*
        })*
    };
}
pub(crate) use tests;

/// A test of each rule of these groups, for one site:
///
/// - `guards`: of every framework.
/// - `forms`: where it has `CsrfForm`.
/// - `layers`, `form_layers`: where sessions and guards are layers, so that an application can place them wrongly.
/// - `bytes`, `form_bytes`: where the test client sends header values that are no text, and bodies in pieces.
/// - `not_found`: where a page that is not found is a response, and not an error that passes the guard as it came, to the page
///   that the application has for it.
macro_rules! rules {
    ($site:ty: $($group:ident)*) => {
        $($crate::guards::rules!(@$group $site);)*
    };
    (@forms $site:ty) => {
        $crate::guards::tests!($site: forms {
            a_form_with_its_token_is_taken_without_the_token_field
            other_fields_arrive_decoded_and_in_order
            a_form_may_have_a_token_alone
            a_form_without_a_token_is_refused_and_its_handler_does_not_run
            a_wrong_token_is_refused
            the_first_token_field_decides
            a_token_of_another_session_is_refused
            a_token_without_a_session_is_refused
            a_token_is_good_for_its_own_scope_alone
            a_header_decides_in_place_of_the_field
            a_header_carries_a_token_of_the_whole_session_whatever_the_forms_scope
            a_body_over_the_applications_limit_is_refused
            without_a_limit_of_the_applications_the_frameworks_own_counts
            a_bad_head_is_refused_before_the_body_is_read
            another_content_type_is_refused
            the_content_type_is_read_in_any_case_and_with_parameters
            a_query_is_no_form
            fields_of_the_wrong_type_or_number_are_refused
            a_forged_post_learns_nothing_of_the_fields
            a_body_that_is_no_text_is_refused
            a_store_that_does_not_answer_is_an_empty_503_and_the_cookie_stays
            a_form_of_an_old_browser_passes_the_guard_and_is_held_to_its_field
            debug_output_shows_no_fields
            debug_output_of_a_refused_form_shows_nothing_that_was_typed
            a_marked_form_takes_tokens_of_its_own_session_alone
            a_marked_form_needs_no_unmarked_session
        });
    };
    (@guards $site:ty) => {
        $crate::guards::tests!($site:
            forged {
                what_another_site_sends_is_refused_and_never_reaches_the_handler
                what_our_own_pages_send_passes
                a_guard_without_an_origin_takes_none
                a_safe_method_passes_whatever_its_headers_say
                every_other_method_needs_a_proof
                a_wrong_token_is_refused_whatever_the_browser_says
                a_token_of_one_form_is_none_of_the_whole_session
                the_first_of_several_equal_headers_decides
                a_websocket_is_opened_by_our_own_pages_alone
                a_token_whose_store_does_not_answer_is_an_empty_503
                the_session_is_asked_for_nothing_but_a_token
                a_session_that_the_guard_has_read_is_not_written_for_it
                a_refusal_does_not_say_which_pages_there_are
                what_passes_and_is_not_found_is_a_404
                the_body_of_what_passes_reaches_the_handler
                an_origin_that_no_browser_sends_is_refused_as_a_setting
                debug_output_of_a_guard_shows_its_origins
            }
            readable {
                scripts_get_a_token_that_they_can_read_and_send_back
                a_page_that_begins_a_session_brings_its_readable_token
                the_readable_token_is_not_sent_again_while_it_verifies
                the_readable_token_is_found_in_every_cookie_field
                the_readable_cookie_is_set_next_to_those_of_session_and_handler
                a_guest_without_a_session_gets_no_readable_token
                a_login_replaces_the_readable_token_in_the_same_response
                a_login_that_is_dropped_with_its_response_leaves_the_readable_token_as_it_is
                a_logout_gives_no_readable_token
                a_refused_request_brings_no_readable_token
                where_every_response_renews_a_page_that_is_not_found_brings_both_cookies
                a_response_with_a_readable_token_is_kept_out_of_shared_caches
                where_sessions_are_turned_off_there_is_no_readable_token
                a_store_that_does_not_answer_costs_a_response_its_readable_token_alone
                attributes_of_a_readable_cookie_that_cannot_work_are_refused
            }
            marked {
                a_marked_guard_takes_the_tokens_of_its_own_session_alone
                a_marked_guard_gives_scripts_a_token_of_its_own_session
            }
            token_life {
                a_token_can_be_sent_more_than_once
                a_token_outlives_a_key_rotation_until_its_key_leaves_the_ring
                a_login_ends_the_tokens_before_it
                a_logout_ends_the_tokens_before_it
                a_logout_with_a_farewell_ends_the_tokens_before_it
            }
        );
    };
    (@not_found $site:ty) => {
        $crate::guards::tests!($site: not_found {
            a_page_that_is_not_found_brings_the_readable_token_too
        });
    };
    (@form_layers $site:ty) => {
        $crate::guards::tests!($site: form_layers {
            a_form_without_the_session_layer_names_the_missing_call
            a_marked_form_without_its_session_layer_names_the_missing_call
        });
    };
    (@layers $site:ty) => {
        $crate::guards::tests!($site: layers {
            a_guard_that_finds_no_session_answers_a_token_with_500_and_decides_the_rest_as_ever
            a_marked_guard_without_its_session_answers_a_token_with_500
            a_guard_that_finds_no_session_gives_no_readable_token
        });
    };
    (@form_bytes $site:ty) => {
        $crate::guards::tests!($site: form_bytes {
            a_token_header_of_a_form_that_is_no_text_is_a_wrong_one
            a_content_type_is_a_forms_whatever_bytes_its_parameters_have
            a_body_is_read_only_when_its_head_is_good
            a_body_that_breaks_off_is_refused
            a_body_in_pieces_is_held_to_the_limit
        });
    };
    (@bytes $site:ty) => {
        $crate::guards::tests!($site: bytes {
            a_header_that_is_no_text_is_a_wrong_one_and_not_a_missing_one
            a_content_type_is_a_forms_whatever_bytes_its_parameters_have
            a_neighbours_cookie_that_is_no_text_does_not_hide_the_readable_token
        });
    };
}
pub(crate) use rules;

//! One scenario, written once, over real HTTP with a client of nobody's here, for the server of each framework.
//!
//! A test starts the server in a thread, on a free port of loopback, over a clock, a ring and a server store
//! that it holds itself. [`scenario!`] makes a test of each rule.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test fails loudly, and so does what it calls"
)]

pub mod application;
mod client;
pub mod rules;
pub mod servers;
mod site;

pub use client::{Answer, Client};
pub use site::{SharedParts, Site};

/// What differs between frameworks, and why; by default as with most.
#[derive(Clone, Copy, Debug, Default)]
pub struct Differences {
    /// What a client sees of a handler that panics.
    pub panic: Panic,
    /// Which `Cookie` fields reach a middleware.
    pub cookie_bytes: CookieBytes,
}

/// What becomes of a request whose handler panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Panic {
    /// The connection is closed without a response, so nothing of the session is written: the unwinding passes the
    /// middleware.
    #[default]
    ConnectionClosed,
    /// The framework catches it outside of the handler and answers 500, and what the handler wrote is kept, as with an
    /// error.
    AnsweredAndKept,
}

/// What a framework hands on of a `Cookie` field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CookieBytes {
    /// All fields, as they came.
    #[default]
    Any,
    /// Those that are UTF-8. Others are dropped as a whole before a middleware sees the request, which is then a guest's:
    /// nothing of it is changed or removed, and the session is there again when the field is.
    Utf8,
}

/// Makes a test of each rule for one framework: its `serve`, and its [`Differences`].
#[macro_export]
macro_rules! scenario {
    ($serve:path, $differences:expr) => {
        $crate::scenario!(@each $serve, $differences,
            looking_around_leaves_no_trace
            a_page_that_asks_for_no_session_is_left_as_it_is
            a_login_makes_another_session_of_the_guests
            a_message_is_shown_once
            a_form_without_the_sessions_token_is_refused
            a_post_of_another_sites_page_is_refused_also_with_a_good_token
            a_form_of_our_own_page_still_needs_its_token
            a_token_in_a_header_decides_in_place_of_the_forms_field
            a_logout_removes_the_session
            a_session_that_outgrows_its_cookie_moves_to_the_store_and_comes_back
            a_used_session_is_renewed_and_an_idle_one_ends
            a_rotated_key_reseals_the_session
            a_tampered_cookie_is_a_guests
            a_planted_duplicate_does_not_hide_the_session
            cookie_headers_may_be_split
            a_neighbours_bytes_do_not_hide_the_session
            a_store_that_is_down_is_an_empty_503_and_nobody_is_logged_out
            other_cookies_of_the_handler_are_kept
            a_response_with_a_session_is_kept_from_shared_caches
            a_streamed_body_arrives_whole_behind_a_written_session
            what_a_failing_handler_wrote_is_kept
            a_panic_does_not_log_anybody_out
            two_layers_have_a_session_each
            tenants_share_no_session
            a_session_that_fits_nowhere_is_an_empty_500
        );
    };
    (@each $serve:path, $differences:expr, $($rule:ident)*) => {
        $(
            #[test]
            fn $rule() {
                $crate::rules::$rule(&$crate::Site::start($serve), $differences);
            }
        )*
    };
}

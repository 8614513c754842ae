//! The scenario behind Rocket.

use sealed_session_framework_tests::{CookieBytes, Differences, Panic};

sealed_session_framework_tests::scenario!(
    example_rocket::serve,
    Differences { panic: Panic::AnsweredAndKept, cookie_bytes: CookieBytes::Utf8 }
);

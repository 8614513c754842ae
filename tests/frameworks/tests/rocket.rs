//! The scenario behind Rocket.

use sealed_session_framework_tests::{CookieBytes, Differences, Panic, servers};

sealed_session_framework_tests::scenario!(
    servers::rocket::serve,
    Differences { panic: Panic::AnsweredAndKept, cookie_bytes: CookieBytes::Utf8 }
);

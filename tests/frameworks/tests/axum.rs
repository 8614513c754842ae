//! The scenario behind axum.

use sealed_session_framework_tests::{CookieBytes, Differences, Panic};

sealed_session_framework_tests::scenario!(
    example_axum::serve,
    Differences { panic: Panic::ConnectionClosed, cookie_bytes: CookieBytes::Any }
);

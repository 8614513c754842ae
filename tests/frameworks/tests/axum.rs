//! The scenario behind axum.

use sealed_session_framework_tests::Differences;

sealed_session_framework_tests::scenario!(example_axum::serve, Differences::default());

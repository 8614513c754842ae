//! The scenario behind axum.

use sealed_session_framework_tests::{Differences, servers};

sealed_session_framework_tests::scenario!(servers::axum::serve, Differences::default());

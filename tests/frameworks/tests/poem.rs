//! The scenario behind poem.

use sealed_session_framework_tests::{Differences, servers};

sealed_session_framework_tests::scenario!(servers::poem::serve, Differences::default());

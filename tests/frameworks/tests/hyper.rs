//! The scenario behind hyper, without a framework.

use sealed_session_framework_tests::{Differences, servers};

sealed_session_framework_tests::scenario!(servers::hyper::serve, Differences::default());

//! The scenario behind hyper, without a framework.

use sealed_session_framework_tests::Differences;

sealed_session_framework_tests::scenario!(example_hyper::serve, Differences::default());

//! The scenario behind poem.

use sealed_session_framework_tests::Differences;

sealed_session_framework_tests::scenario!(example_poem::serve, Differences::default());

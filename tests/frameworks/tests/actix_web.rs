//! The scenario behind actix-web.

use sealed_session_framework_tests::Differences;

sealed_session_framework_tests::scenario!(example_actix_web::serve, Differences::default());

//! The scenario behind actix-web.

use sealed_session_framework_tests::{Differences, servers};

sealed_session_framework_tests::scenario!(servers::actix_web::serve, Differences::default());

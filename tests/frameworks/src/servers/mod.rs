//! A server of each framework, on the [application](crate::application) that all of them share; and two sites of other
//! crates' logins.

pub mod actix_identity;
pub mod actix_web;
pub mod axum;
pub mod axum_login;
pub mod hyper;
pub mod poem;
pub mod rocket;
pub mod text;

use std::io;
use std::net::SocketAddr;

use crate::application::{Ready, Sites};

/// Serves the application at an address until the process ends.
pub type Serve = fn(SocketAddr, Sites, Ready) -> io::Result<()>;

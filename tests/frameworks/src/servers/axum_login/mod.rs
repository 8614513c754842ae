//! `axum-login` and `axum-messages` over sealed sessions: a page for users, one for who may read it, a login with messages,
//! and a logout.

mod users;

use std::io;
use std::net::SocketAddr;

use crate::application::{Ready, Sites};
use axum::extract::Query;
use axum::response::{Html, IntoResponse, Redirect};
use axum::routing::get;
use axum::{Form, Router};
use axum_login::{AuthManager, login_required, permission_required};
use axum_messages::{Messages, MessagesManagerLayer};
use sealed_session_tower_sessions::TowerSessionsLayer;
use serde::Deserialize;
use tower_layer::layer_fn;
use tower_sessions::Session;

use users::{Credentials, ReadRestricted, Users};

type AuthSession = axum_login::AuthSession<Users>;

/// Serves the site until the process ends.
///
/// # Errors
///
/// When nothing can listen on this address.
pub fn serve(address: SocketAddr, sites: Sites, ready: Ready) -> io::Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        ready(listener.local_addr()?);
        axum::serve(listener, routes(&sites)).await
    })
}

fn routes(sites: &Sites) -> Router {
    let users = Users::new();
    Router::new()
        .route("/restricted", get(restricted))
        .route_layer(permission_required!(Users, login_url = "/login", ReadRestricted))
        .route("/", get(home))
        .route_layer(login_required!(Users, login_url = "/login"))
        .route("/login", get(login_form).post(log_in))
        .route("/logout", get(log_out))
        .layer(MessagesManagerLayer)
        // In the place of `AuthManagerLayerBuilder`, which brings a session layer of its own.
        .layer(layer_fn(move |inner| AuthManager::new(inner, users.clone(), "axum-login.data")))
        .layer(TowerSessionsLayer::new(sites.of_host(None)))
}

async fn home(auth: AuthSession, session: Session, messages: Messages) -> impl IntoResponse {
    let Some(user) = auth.user else { return Redirect::to("/login").into_response() };
    let visits = session.get::<u64>("visits").await.ok().flatten().unwrap_or_default() + 1;
    if session.insert("visits", visits).await.is_err() {
        return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let shown = shown(messages);
    Html(format!("{shown}<p>Hello, <b id=name>{}</b>. Visits: <b id=visits>{visits}</b>.", user.name)).into_response()
}

async fn restricted() -> Html<&'static str> {
    Html("<p id=secret>The restricted page.</p>")
}

#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

async fn login_form(messages: Messages, Query(Next { next }): Query<Next>) -> Html<String> {
    let shown = shown(messages);
    let next =
        next.map(|next| format!("<input type=hidden name=next value=\"{}\">", escape(&next))).unwrap_or_default();
    Html(format!(
        "{shown}<form method=post>{next}<input name=name><input name=password type=password><button>Log in</button></form>"
    ))
}

async fn log_in(mut auth: AuthSession, messages: Messages, Form(credentials): Form<Credentials>) -> impl IntoResponse {
    let (name, next) = (credentials.name.clone(), credentials.next.clone());
    let user = match auth.authenticate(credentials).await {
        Ok(Some(user)) => user,
        Ok(None) => {
            messages.error("Wrong name or password.");
            return Redirect::to("/login").into_response();
        }
        Err(_) => return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    if auth.login(&user).await.is_err() {
        return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    messages.success(format!("Welcome, {name}."));
    // Security: on this site alone, whatever a link to the form said.
    let next = next.filter(|next| next.starts_with('/') && !next.starts_with("//") && !next.contains('\\'));
    Redirect::to(next.as_deref().unwrap_or("/")).into_response()
}

async fn log_out(mut auth: AuthSession) -> impl IntoResponse {
    match auth.logout().await {
        Ok(_) => Redirect::to("/login").into_response(),
        Err(_) => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn shown(messages: Messages) -> String {
    messages.into_iter().map(|message| format!("<p id=message>{}</p>", escape(&message.message))).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

//! The routes.

use std::convert::Infallible;

use crate::application::{self, ABOUT, PUBLIC, STREAM, THEME};
use futures_util::stream;
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION, SET_COOKIE};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use sealed_session::{LoadError, PendingSession, Session};

use super::failure::Failure;
use super::forgery;
use super::form::Form;

/// A page that is whole, or one that comes in pieces.
pub(crate) type Body = Either<Full<Bytes>, StreamBody<Pieces>>;

type Pieces = stream::Iter<std::array::IntoIter<Result<Frame<Bytes>, Infallible>, { STREAM.len() }>>;

/// The sessions of one request, before a page asks for them.
pub(crate) struct Sessions {
    pub(crate) everybody: PendingSession,
    pub(crate) administration: PendingSession,
}

impl Sessions {
    async fn everybody(&self) -> Result<Session, LoadError> {
        self.everybody.session().await
    }

    async fn administration(&self) -> Result<Session, LoadError> {
        self.administration.session().await
    }
}

pub(crate) async fn answer(head: &Parts, body: Incoming, sessions: &Sessions) -> Result<Response<Body>, Failure> {
    match (&head.method, head.uri.path()) {
        (&Method::GET, path) => show(path, sessions).await,
        (&Method::POST, _) => take(head, &Form::read(&head.headers, body).await?, sessions).await,
        _ => Err(Failure(StatusCode::METHOD_NOT_ALLOWED)),
    }
}

async fn show(path: &str, sessions: &Sessions) -> Result<Response<Body>, Failure> {
    match path {
        "/" => Ok(page(application::home(&sessions.everybody().await?)?)),
        "/login" => Ok(page(application::login_form(&sessions.everybody().await?)?)),
        "/theme" => {
            let mut response = page(application::home(&sessions.everybody().await?)?);
            for line in THEME {
                response.headers_mut().append(SET_COOKIE, HeaderValue::from_static(line));
            }
            Ok(response)
        }
        "/prices" => Ok(public(page(application::prices(&sessions.everybody().await?)?))),
        "/about" => Ok(public(page(ABOUT))),
        "/stream" => {
            application::remember_stream(&sessions.everybody().await?)?;
            let pieces = STREAM.map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
            Ok(html(Either::Right(StreamBody::new(stream::iter(pieces)))))
        }
        "/fail" => {
            application::count_failure(&sessions.everybody().await?)?;
            Err(Failure(StatusCode::INTERNAL_SERVER_ERROR))
        }
        "/panic" => {
            application::count_failure(&sessions.everybody().await?)?;
            fall_over()
        }
        "/administration" => {
            let (everybody, administration) = (sessions.everybody().await?, sessions.administration().await?);
            Ok(page(application::administration(&everybody, &administration)?))
        }
        _ => Err(Failure(StatusCode::NOT_FOUND)),
    }
}

async fn take(head: &Parts, form: &Form, sessions: &Sessions) -> Result<Response<Body>, Failure> {
    let path = head.uri.path();
    let session = match path {
        "/administration" => sessions.administration().await?,
        "/login" | "/logout" | "/cart" => sessions.everybody().await?,
        _ => return Err(Failure(StatusCode::NOT_FOUND)),
    };
    forgery::refuse(head, form, &session)?;
    match path {
        "/administration" => application::administrator_in(&session, form.required("name")?)?,
        "/login" => application::log_in(&session, form.required("name")?)?,
        "/logout" => application::log_out(&session)?,
        _ => {
            let bytes = form.required("bytes")?.parse().map_err(|_| Failure(StatusCode::UNPROCESSABLE_ENTITY))?;
            application::fill_cart(&session, bytes)?;
        }
    }
    Ok(see_other(if path == "/administration" { "/administration" } else { "/" }))
}

#[expect(clippy::panic, reason = "what becomes of the session then")]
fn fall_over() -> Result<Response<Body>, Failure> {
    panic!("a page that panics");
}

pub(crate) fn whole(text: impl Into<Bytes>) -> Body {
    Either::Left(Full::new(text.into()))
}

fn page(text: impl Into<Bytes>) -> Response<Body> {
    html(whole(text))
}

fn html(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn public(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(PUBLIC));
    response
}

fn see_other(path: &'static str) -> Response<Body> {
    let mut response = Response::new(whole(""));
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(path));
    response
}

use crate::application::{PUBLIC, THEME};
use rocket::http::Header;
use rocket::response::content::RawHtml;
use rocket::response::{self, Responder};
use rocket::{Request, Response};

/// A page that everybody may keep.
#[derive(Responder)]
pub(crate) struct Public {
    page: RawHtml<String>,
    cache_control: Header<'static>,
}

impl Public {
    pub(crate) fn new(page: String) -> Self {
        Self { page: RawHtml(page), cache_control: Header::new("Cache-Control", PUBLIC) }
    }
}

/// A page with cookies of the application's own, as they stand.
pub(crate) struct WithTheme(pub(crate) RawHtml<String>);

impl<'r> Responder<'r, 'static> for WithTheme {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build_from(self.0.respond_to(request)?);
        for line in THEME {
            response.raw_header_adjoin("Set-Cookie", line);
        }
        response.ok()
    }
}

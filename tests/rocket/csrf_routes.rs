//! A guard stands before the application's routes, whatever they are.

use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::local::blocking::Client;
use rocket::route::{Handler, Outcome, Route};
use rocket::{Data, Request, catch, catchers, routes};
use sealed_session::adapter::rocket::SessionFairing;

use crate::csrf_site::{application, assert_refused, guard, post_with, send, transfer};
use crate::support::{answer, bare, browser, store};

#[test]
fn every_other_method_is_held_to_a_proof() {
    let every = |request: &Request<'_>| match request.method() {
        // Rocket's own list, so that a method that it learns does not compile here.
        Method::Get | Method::Head | Method::Options => false,
        Method::Put | Method::Post | Method::Delete | Method::Trace | Method::Connect | Method::Patch => true,
    };
    let methods = [
        Method::Get,
        Method::Head,
        Method::Options,
        Method::Put,
        Method::Post,
        Method::Delete,
        Method::Trace,
        Method::Connect,
        Method::Patch,
    ];
    let routes: Vec<_> = methods.map(|method| Route::ranked(-1000, method, "/<_..>", Everything)).into();
    let browser = browser(bare().attach(SessionFairing::new(store())).attach(guard()).mount("/", routes));
    for method in methods {
        let request = browser.req(method, "/any/where?at=all");
        let is_held = every(request.inner());
        assert_eq!(request.dispatch().status() == Status::Forbidden, is_held, "{method}");
        let response = send(&browser, method, "/any/where/", &[("Sec-Fetch-Site", "same-origin")]);
        assert_eq!(response.status(), Status::Ok, "{method}");
    }
}

/// A route of the application that takes what it can get.
#[derive(Clone)]
struct Everything;

#[rocket::async_trait]
impl Handler for Everything {
    async fn handle<'r>(&self, request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        Outcome::from(request, "everything")
    }
}

#[test]
fn a_catch_all_of_the_application_gets_no_refused_request_wherever_it_is_mounted_and_whatever_its_rank() {
    for (base, rank) in [("/", isize::MIN + 1), ("/", 0), ("/base", isize::MIN + 1), ("/base", 20)] {
        let all = Route::ranked(rank, Method::Post, "/<_..>", Everything);
        let application = bare().attach(SessionFairing::new(store())).attach(guard()).mount(base, vec![all]);
        let browser = browser(application);
        for path in ["/base", "/base/", "/base/deep/er", "/base?x", "/", "//"] {
            assert_refused(send(&browser, Method::Post, path, &[("Sec-Fetch-Site", "cross-site")]), 403);
        }
        let response = send(&browser, Method::Post, "/base/page", &[("Sec-Fetch-Site", "same-origin")]);
        assert_eq!(answer(response), (200, "everything".to_owned()));
    }
}

#[test]
fn a_route_of_the_guards_own_rank_does_not_launch() {
    let all = Route::ranked(isize::MIN, Method::Post, "/first", Everything);
    let launch = Client::tracked(application().mount("/", vec![all]));
    assert!(launch.is_err_and(|error| matches!(error.kind(), ErrorKind::Collisions(_))));
}

#[test]
fn routes_that_a_fairing_mounts_at_launch_are_guarded_too() {
    let late = AdHoc::on_ignite("late", |rocket| {
        Box::pin(async { rocket.mount("/late", vec![Route::ranked(-1, Method::Post, "/<_..>", Everything)]) })
    });
    let browser = browser(application().attach(late));
    assert_refused(send(&browser, Method::Post, "/late/x", &[]), 403);
}

#[test]
fn a_refusal_is_empty_whatever_catchers_there_are() {
    #[catch(default)]
    fn catcher() -> &'static str {
        "a catcher's page"
    }

    let browser = browser(application().register("/", catchers![catcher]));
    assert_refused(post_with(&browser, &[]), 403);
}

#[test]
fn what_passes_and_is_not_found_is_the_applications_404() {
    #[catch(404)]
    fn not_found() -> &'static str {
        "nothing here"
    }

    let browser = browser(application().register("/", catchers![not_found]));
    for method in [Method::Get, Method::Post] {
        let response = send(&browser, method, "/nowhere", &[("Sec-Fetch-Site", "none")]);
        assert_eq!(answer(response), (404, "nothing here".to_owned()));
    }
}

#[test]
fn the_method_of_a_forms_field_decides() {
    let browser = browser(application());
    let with = |body: &'static str| browser.post("/transfer").header(ContentType::Form).body(body).dispatch();
    // Rocket has it from the first field, before any fairing runs: a form has no other proof to give than its field.
    let forged = browser.post("/transfer").header(ContentType::Form).header(Header::new("Origin", "null"));
    assert_refused(forged.body("_method=delete").dispatch(), 403);
    assert_eq!(answer(with("_method=delete")), (200, "deleted".to_owned()));
    assert_eq!(with("_method=get").status(), Status::NotFound);
}

#[test]
fn a_fairing_that_changes_a_request_changes_what_the_guard_sees_wherever_it_is_attached() {
    let rewrite = || AdHoc::on_request("rewrite", |request, _| Box::pin(async { request.set_method(Method::Post) }));
    let application = || bare().mount("/", routes![transfer]).attach(SessionFairing::new(store()));
    for application in
        [application().attach(rewrite()).attach(guard()), application().attach(guard()).attach(rewrite())]
    {
        assert_refused(browser(application).get("/transfer").dispatch(), 403);
    }
}

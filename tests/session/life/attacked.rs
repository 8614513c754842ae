//! What an attack on the written protocol found, each in its smallest form.

use pollster::block_on;
use sealed_session::cookie::CookieAttributes;
use sealed_session::events::Event;
use sealed_session::{LoadError, Placement, RequestFacts, ResponseFacts, Session, SessionManager, StoreFailure};
use serde_json::json;

use super::interrupted::in_turns;
use super::{ENDS, after, destroys, in_record, inline, later, regenerates, with_store};
use crate::browser::Browser;
use crate::support::{COOKIE, LARGE, Site, ignore, text};

fn everywhere(site: &Site) -> Vec<SessionManager> {
    with_store(site).into_iter().chain([site.cookie_only().build().unwrap()]).collect()
}

/// A browser of user 42, with a cart of so many bytes.
fn with_cart(site: &Site, manager: &SessionManager, bytes: usize) -> Browser {
    after(site, manager, |session| {
        session.put("user", &42).unwrap();
        session.put("cart", &text(bytes)).unwrap();
    })
}

/// Uses a session until less than two hours are left of its absolute lifetime, and tells when that ends.
fn kept_until_its_end(site: &Site, manager: &SessionManager, browser: &mut Browser) -> u64 {
    let end = site.opened(manager, browser).created().unix_seconds() + 30 * super::DAY;
    while site.now().unix_seconds() + 7000 < end {
        site.clock.advance_seconds(5000);
        browser.get(manager, "user");
    }
    end
}

#[test]
fn a_step_up_that_was_in_flight_since_before_another_one_does_not_outlive_a_logout() {
    let site = Site::new();
    for manager in everywhere(&site) {
        for (bytes, end) in [1, 2000].into_iter().flat_map(|bytes| ENDS.map(|end| (bytes, end))) {
            let mut browser = with_cart(&site, &manager, bytes);
            let in_flight = browser.begin(&manager);
            regenerates(&in_flight.session());
            browser.visit(&manager, regenerates);
            later(&site);
            browser.visit(&manager, end);
            browser.receive(&in_flight.commit());
            assert_eq!(browser.get(&manager, "user"), None);
        }
    }
}

#[test]
fn a_step_up_whose_response_comes_after_a_logout_with_the_old_cookie_opens_nothing() {
    let site = Site::new();
    for manager in everywhere(&site) {
        for (bytes, end) in [1, 2000].into_iter().flat_map(|bytes| ENDS.map(|end| (bytes, end))) {
            let mut browser = with_cart(&site, &manager, bytes);
            let late = browser.begin(&manager);
            regenerates(&late.session());
            let late = late.commit();
            later(&site);
            browser.visit(&manager, end);
            browser.receive(&late);
            assert_eq!(browser.get(&manager, "user"), None);
            browser.put(&manager, "user", 43);
            assert_eq!(browser.get(&manager, "user"), Some(43), "a new login works");
        }
    }
}

#[test]
fn a_logout_behind_a_saved_login_of_the_same_request_ends_both_sessions() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = in_record(&site, &manager);
        let in_flight = browser.begin(&manager);
        regenerates(&in_flight.session());
        let request = browser.begin(&manager);
        let session = request.session();
        regenerates(&session);
        block_on(session.save()).unwrap();
        session.destroy().unwrap();
        browser.receive(&request.commit());
        browser.receive(&in_flight.commit());
        assert_eq!(browser.get(&manager, "user"), None);
    }
}

#[test]
fn a_logout_with_cookies_of_several_sessions_ends_each_of_them() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        let site = Site::new();
        let manager = site.with_records().placement(placement).build().unwrap();
        let [mut one, mut other] = [in_record(&site, &manager), in_record(&site, &manager)];
        let header = format!("{COOKIE}={}; {COOKIE}={}", one.cookie().unwrap(), other.cookie().unwrap());
        let pending = manager.begin(&RequestFacts::new().cookie_header(header.as_bytes()));
        block_on(pending.session()).unwrap().destroy().unwrap();
        ignore(block_on(pending.commit(&ResponseFacts::new(200))).unwrap());
        assert_eq!((one.get(&manager, "user"), other.get(&manager, "user")), (None, None));
    }
}

#[test]
fn a_logout_at_a_server_of_either_name_is_known_to_servers_of_the_other() {
    for placement in [Placement::Spill, Placement::StoreOnly] {
        for (bytes, end) in [1, 2000].into_iter().flat_map(|bytes| ENDS.map(|end| (bytes, end))) {
            let site = Site::new();
            let builder = || site.with_records().placement(placement);
            let old = builder().also_read("__Host-new", "shop/new").build().unwrap();
            let attributes = CookieAttributes::new().name("__Host-new");
            let new = builder().cookie(attributes).audience("shop/new").also_read(COOKIE, "shop/test").build().unwrap();
            let mut browser = with_cart(&site, &old, bytes);
            let late = browser.begin(&old);
            late.session().put("step", &1).unwrap();
            let late = late.commit();
            later(&site);
            browser.visit(&new, end);
            browser.receive(&late);
            let seen = |manager: &SessionManager| browser.clone().get(manager, "user");
            assert_eq!((seen(&old), seen(&new)), (None, None), "{placement:?}, {bytes} bytes");
        }
    }
}

#[test]
fn what_was_ended_cannot_be_read_again() {
    let site = Site::new();
    for manager in everywhere(&site) {
        for end in ENDS {
            let mut browser = inline(&site, &manager);
            let request = browser.begin(&manager);
            let session = request.session();
            end(&session);
            assert!(matches!(block_on(session.reload()), Err(LoadError::Ended)));
            browser.receive(&request.commit());
            assert_eq!(browser.get(&manager, "user"), None);
        }
    }
}

#[test]
fn a_write_behind_the_absolute_end_is_a_conflict_and_a_login_begins_anew() {
    let site = Site::new();
    for (position, manager) in everywhere(&site).into_iter().enumerate() {
        let has_store = position < 2;
        let mut browser = inline(&site, &manager);
        // Kept alive until just before its end, which comes while two requests are under way.
        let end = kept_until_its_end(&site, &manager, &mut browser);
        site.clock.advance_seconds(end - site.now().unix_seconds() - 1);
        let [write, login] = [browser.begin(&manager), browser.begin(&manager)];
        write.session().put("step", &1).unwrap();
        regenerates(&login.session());
        login.session().put("user", &43).unwrap();
        site.clock.advance_seconds(2);
        assert_eq!(write.try_commit().unwrap_err().status_code(), 409);
        // Without a store, what was written cannot be made again on an empty session.
        match login.try_commit() {
            Ok(response) => {
                browser.receive(&response);
                assert_eq!(browser.get(&manager, "user"), Some(43));
            }
            Err(failed) => assert_eq!((failed.status_code(), has_store), (409, false)),
        }
    }
}

#[test]
fn a_token_that_rests_on_a_session_which_is_not_kept_is_no_success() {
    let site = Site::new();
    let manager = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    let browser = in_record(&site, &manager);
    site.records.go_down();
    let request = browser.begin(&manager);
    request.session().csrf_token().unwrap();
    assert_eq!(request.try_commit().unwrap_err().status_code(), 503);
}

#[test]
fn what_a_login_left_gives_no_one_time_value_to_another_login() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = after(&site, &manager, |session| {
            session.put("cart", &text(LARGE)).unwrap();
            session.put("otp", &1).unwrap();
        });
        let in_flight = browser.begin(&manager);
        assert_eq!(in_flight.session().pull::<u64>("otp").unwrap(), Some(1));
        regenerates(&in_flight.session());
        browser.visit(&manager, regenerates);
        // Taken behind the login, where what it left does not show it.
        browser.visit(&manager, |session| assert_eq!(session.pull::<u64>("otp").unwrap(), Some(1)));
        assert_eq!(in_flight.try_commit().unwrap_err().status_code(), 409);
    }
}

#[test]
fn a_login_that_replaces_everything_or_forgets_what_is_gone_logs_in() {
    let site = Site::new();
    let logins: [fn(&Session); 2] = [
        |session| session.replace(&json!({ "user": 43 })).unwrap(),
        |session| {
            session.forget("steps.0").unwrap();
            session.put("user", &43).unwrap();
        },
    ];
    for manager in with_store(&site) {
        for (login, ends) in logins.into_iter().flat_map(|login| [(login, true), (login, false)]) {
            let mut browser = after(&site, &manager, |session| {
                session.put("cart", &text(LARGE)).unwrap();
                session.put("steps", &[1, 2]).unwrap();
            });
            let request = browser.begin(&manager);
            regenerates(&request.session());
            login(&request.session());
            if ends {
                browser.visit(&manager, destroys);
            } else {
                browser.put(&manager, "theme", 1);
            }
            browser.receive(&request.commit());
            assert_eq!(browser.get(&manager, "user"), Some(43));
        }
    }
}

#[test]
fn a_change_through_an_element_that_is_another_one_is_a_conflict() {
    let site = Site::new();
    let item = |name: &str| json!({ "name": name, "count": 1, "tags": [] });
    let changes: [fn(&Session); 3] = [
        |session| ignore(session.increment("items.0.count", 1).unwrap()),
        |session| session.put("items.0.count", &9).unwrap(),
        |session| session.push("items.0.tags", "mine").unwrap(),
    ];
    for manager in with_store(&site) {
        for change in changes {
            let mut browser = after(&site, &manager, |session| {
                session.put("cart", &text(LARGE)).unwrap();
                session.put("items", &[item("book"), item("pen")]).unwrap();
            });
            let request = browser.begin(&manager);
            change(&request.session());
            browser.visit(&manager, |session| session.forget("items.0").unwrap());
            assert_eq!(request.try_commit().unwrap_err().status_code(), 409);
        }
    }
}

#[test]
fn numbers_as_names_of_members_are_no_elements() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = after(&site, &manager, |session| {
            session.put("cart", &text(LARGE)).unwrap();
            session.put("counts", &json!({ "7": 1 })).unwrap();
        });
        let request = browser.begin(&manager);
        request.session().increment("counts.7", 1).unwrap();
        browser.visit(&manager, |session| ignore(session.increment("counts.7", 1).unwrap()));
        request.commit();
        assert_eq!(browser.get(&manager, "counts.7"), Some(3));
    }
}

#[test]
fn after_a_login_in_the_cookie_whose_response_was_lost_the_old_session_may_grow() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    let mut browser = inline(&site, &manager);
    let lost = browser.begin(&manager);
    regenerates(&lost.session());
    lost.commit();
    site.clock.advance_seconds(11);
    browser.put(&manager, "cart", text(LARGE));
    assert_eq!(browser.get(&manager, "user"), Some(42));
    assert!(site.opened(&manager, &browser).is_reference());
}

#[test]
fn a_saved_cookie_that_no_response_took_along_is_told() {
    let site = Site::new();
    let manager = site.with_records().build().unwrap();
    for saved in [|session: &Session| session.put("step", &1).unwrap(), regenerates] {
        let browser = inline(&site, &manager);
        let request = browser.begin(&manager);
        let session = request.session();
        saved(&session);
        block_on(session.save()).unwrap();
        site.events.take();
        drop(request);
        assert!(matches!(site.events.take().as_slice(), [Event::WritesDropped { id: Some(_) }]));
    }
}

#[test]
fn a_session_to_be_read_only_is_an_error_where_the_store_does_not_answer() {
    let site = Site::new();
    let manager = site.with_records().on_store_failure(StoreFailure::Ephemeral).build().unwrap();
    let browser = in_record(&site, &manager);
    site.records.go_down();
    let header = browser.cookie_header();
    assert!(block_on(manager.read_only(&RequestFacts::new().cookie_header(header.as_bytes()))).is_err());
}

#[test]
fn a_message_that_was_saved_is_not_seen_by_its_own_request_after_a_reload() {
    let site = Site::new();
    for manager in everywhere(&site) {
        let mut browser = inline(&site, &manager);
        let request = browser.begin(&manager);
        let session = request.session();
        session.flash("notice", "saved").unwrap();
        block_on(session.save()).unwrap();
        block_on(session.reload()).unwrap();
        assert!(!session.flash_messages().has("notice"));
        browser.receive(&request.commit());
        assert!(browser.visit(&manager, |session| session.flash_messages().has("notice")).0);
    }
}

#[test]
fn markers_outlive_what_a_login_made_of_a_session_near_its_end() {
    let site = Site::new();
    for manager in everywhere(&site) {
        for end in ENDS {
            let mut browser = inline(&site, &manager);
            kept_until_its_end(&site, &manager, &mut browser);
            let login = browser.begin(&manager);
            login.session().regenerate_and_reset_lifetime().unwrap();
            let login = login.commit();
            later(&site);
            browser.visit(&manager, end);
            browser.receive(&login);
            for seconds in [0, 3000, 3000, 3000] {
                site.clock.advance_seconds(seconds);
                assert_eq!(browser.get(&manager, "user"), None);
            }
        }
    }
}

#[test]
fn two_step_ups_during_a_logout_bring_nobody_back() {
    let site = Site::new();
    for manager in everywhere(&site) {
        for end in ENDS {
            let mut browser = inline(&site, &manager);
            let logout = browser.begin(&manager);
            end(&logout.session());
            browser.visit(&manager, regenerates);
            later(&site);
            let second = browser.begin(&manager);
            regenerates(&second.session());
            let second = second.commit();
            later(&site);
            browser.receive(&logout.commit());
            assert_eq!(browser.get(&manager, "user"), None);
            browser.receive(&second);
            assert_eq!(browser.get(&manager, "user"), None);
        }
    }
}

/// Servers before and after a change of the audience, each of which reads both.
fn of_two_audiences(site: &Site, placement: Placement) -> [SessionManager; 2] {
    let builder = || site.with_records().placement(placement);
    let old = builder().also_read(COOKIE, "shop/new").build().unwrap();
    [old, builder().audience("shop/new").also_read(COOKIE, "shop/test").build().unwrap()]
}

#[test]
fn a_step_up_and_a_logout_at_servers_of_two_audiences_bring_nobody_back() {
    for (placement, ends_at_new) in [Placement::Spill, Placement::StoreOnly]
        .into_iter()
        .flat_map(|placement| [(placement, true), (placement, false)])
    {
        let site = Site::new();
        let [old, new] = of_two_audiences(&site, placement);
        let (steps_up_at, ends_at) = if ends_at_new { (&old, &new) } else { (&new, &old) };
        let mut browser = inline(&site, &old);
        let late = browser.begin(steps_up_at);
        regenerates(&late.session());
        let late = late.commit();
        later(&site);
        browser.visit(ends_at, destroys);
        browser.receive(&late);
        assert_eq!((browser.clone().get(&old, "user"), browser.get(&new, "user")), (None, None));
    }
}

#[test]
fn behind_a_logout_under_two_audiences_an_old_reference_is_no_session_and_no_error() {
    for (placement, ends_at_new) in [Placement::Spill, Placement::StoreOnly]
        .into_iter()
        .flat_map(|placement| [(placement, true), (placement, false)])
    {
        let site = Site::new();
        let [old, new] = of_two_audiences(&site, placement);
        let mut browser = in_record(&site, &old);
        browser.put(&old, "step", 1);
        browser.put(&new, "step", 2);
        let mut copy = browser.clone();
        browser.visit(if ends_at_new { &new } else { &old }, destroys);
        assert_eq!((copy.clone().get(&old, "user"), copy.get(&new, "user")), (None, None));
    }
}

#[test]
fn two_uploads_at_servers_of_two_audiences_are_both_kept_in_either_order_of_their_responses() {
    for (placement, old_first) in [Placement::Spill, Placement::StoreOnly]
        .into_iter()
        .flat_map(|placement| [(placement, true), (placement, false)])
    {
        let site = Site::new();
        let managers = of_two_audiences(&site, placement);
        let mut browser = inline(&site, &managers[0]);
        let [one, other] = [0, 1].map(|number| {
            let request = browser.begin(&managers[number]);
            request.session().put(["one", "other"][number], &text(LARGE)).unwrap();
            request
        });
        // Each call of the one comes before the answer to the same of the other.
        site.records.go_slow();
        let facts = ResponseFacts::new(200);
        let (one, other) = in_turns(one.0.commit(&facts), other.0.commit(&facts));
        let mut responses = [one.unwrap(), other.unwrap()];
        if !old_first {
            responses.reverse();
        }
        responses.iter().for_each(|response| browser.receive(response));
        for manager in managers.iter().cycle().take(4) {
            site.clock.advance_seconds(30);
            browser.visit(manager, |session| session.increment("visits", 1).unwrap());
        }
        assert_eq!((browser.get(&managers[0], "visits"), browser.get(&managers[0], "user")), (Some(4), Some(42)));
        let has = |session: &Session| [session.has("one").unwrap(), session.has("other").unwrap()];
        assert_eq!(browser.visit(&managers[0], has).0, [true, true]);
    }
}

#[test]
fn a_record_under_one_audience_that_is_older_than_a_reference_hides_no_newer_one_under_the_other() {
    let site = Site::new();
    // These do not know each other, so that one session gets a record at each.
    let old = site.with_records().build().unwrap();
    let new = site.with_records().audience("shop/new").also_read(COOKIE, "shop/test").build().unwrap();
    let mut browser = inline(&site, &old);
    let mut moved = browser.clone();
    moved.put(&new, "step", 1);
    later(&site);
    moved.put(&new, "cart", text(LARGE));
    later(&site);
    browser.put(&old, "cart", text(LARGE));
    later(&site);
    browser.put(&new, "step", 2);
    assert_eq!(site.records.snapshot().len(), 2);
    assert_eq!((browser.get(&new, "step"), browser.get(&new, "user")), (Some(2), Some(42)));
    // Where there is no newer one, it is no session that went back.
    let newest = site.records.snapshot().into_iter().max_by_key(|(_, record)| record.version).unwrap().0;
    site.records.tamper(|records| drop(records.remove(&newest)));
    assert!(matches!(browser.begin(&new).try_session(), Err(LoadError::Stale)));
}

#[test]
fn a_login_forgets_no_element_that_is_another_one() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = after(&site, &manager, |session| {
            session.put("photo", &text(LARGE)).unwrap();
            session.put("cart", &["sold out", "book"]).unwrap();
        });
        let login = browser.begin(&manager);
        regenerates(&login.session());
        login.session().forget("cart.0").unwrap();
        browser.visit(&manager, |session| session.forget("cart.0").unwrap());
        assert_eq!(login.try_commit().unwrap_err().status_code(), 409);
        assert_eq!(browser.visit(&manager, |session| session.get::<String>("cart.0").unwrap()).0.unwrap(), "book");
    }
}

#[test]
fn a_name_that_is_a_number_becomes_no_index() {
    let site = Site::new();
    for manager in with_store(&site) {
        let mut browser = after(&site, &manager, |session| {
            session.put("photo", &text(LARGE)).unwrap();
            session.put("stock", &json!({ "0": 5 })).unwrap();
        });
        let request = browser.begin(&manager);
        request.session().increment("stock.0", 1).unwrap();
        browser.visit(&manager, |session| session.put("stock", &[100]).unwrap());
        assert_eq!(request.try_commit().unwrap_err().status_code(), 409);
    }
}

#[test]
fn what_was_replaced_reads_as_any_type_that_a_value_reads_as() {
    let site = Site::new();
    let manager = site.cookie_only().build().unwrap();
    let mut browser = site.browser();
    let data = std::collections::BTreeMap::from([("a".to_owned(), 1)]);
    browser.visit(&manager, |session| {
        session.replace(&Some(&data)).unwrap();
        assert_eq!(session.read::<Option<std::collections::BTreeMap<String, u8>>>().unwrap().as_ref(), Some(&data));
    });
    browser.visit(&manager, |session| {
        session.put("b", &2).unwrap();
        assert_eq!(session.read::<Option<std::collections::BTreeMap<String, u8>>>().unwrap().unwrap().len(), 2);
    });
}

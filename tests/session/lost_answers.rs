//! The life of a session: a response that does not arrive, or arrives late, loses nothing and brings nothing back.

use sealed_session::{Key, KeyRing, Placement, Reason, Session};

use crate::support::{LARGE, Site, text};

fn logs_in(session: &Session) {
    session.regenerate_and_reset_lifetime().unwrap();
    session.put("user", &42).unwrap();
}

#[test]
fn a_record_that_the_cookie_never_referred_to_rolls_nothing_back() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    // The answer of the request that spilled arrives before the other one, or never.
    for arrives in [true, false] {
        let mut browser = site.browser();
        browser.visit(&store, |session| {
            session.put("role", "admin").unwrap();
            session.put("visits", &1).unwrap();
        });
        site.clock.advance_seconds(1);
        let [spills, demotes] = [browser.begin(&store), browser.begin(&store)];
        spills.session().put("cart", &text(LARGE)).unwrap();
        let spilled = spills.commit();
        site.clock.advance_seconds(1);
        demotes.session().put("role", "user").unwrap();
        demotes.session().increment("visits", 1).unwrap();
        if arrives {
            browser.receive(&spilled);
        }
        browser.receive(&demotes.commit());
        site.clock.advance_seconds(1);
        browser.put(&store, "other", text(LARGE));
        let (role, _) = browser.visit(&store, |session| session.get::<String>("role").unwrap());
        assert_eq!(role.as_deref(), Some("user"), "{arrives}");
        assert_eq!(browser.get(&store, "visits"), Some(2));
    }
}

#[test]
fn an_upload_that_began_before_the_session_spilled_undoes_nothing() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "visits", 1);
    let upload = browser.begin(&store);
    upload.session().put("file", &text(LARGE)).unwrap();
    for cart in [1, LARGE] {
        site.clock.advance_seconds(1);
        browser.visit(&store, |session| {
            session.put("cart", &text(cart)).unwrap();
            session.increment("visits", 1).unwrap();
        });
    }
    site.clock.advance_seconds(1);
    browser.receive(&upload.commit());
    assert_eq!(browser.get(&store, "visits"), Some(3));
    browser.visit(&store, |session| assert!(session.has("file").unwrap() && session.has("cart").unwrap()));
}

#[test]
fn under_store_only_a_cookie_from_before_the_record_resets_no_counter() {
    let site = Site::new();
    let store = site.with_records().placement(Placement::StoreOnly).build().unwrap();
    let mut browser = site.browser();
    browser.visit(&store, |session| drop(session.csrf_token().unwrap()));
    let mut old = browser.clone();
    site.clock.advance_seconds(1);
    for _ in 0..10 {
        browser.visit(&store, |session| session.increment("attempts", 1).unwrap());
    }
    site.clock.advance_seconds(1);
    old.visit(&store, |session| session.increment("attempts", 1).unwrap());
    assert_eq!(old.get(&store, "attempts"), Some(11));
}

#[test]
fn a_double_click_on_log_in_logs_in_whichever_answer_is_taken() {
    let site = Site::new();
    for placement in [Placement::Spill, Placement::StoreOnly] {
        let store = site.with_records().placement(placement).build().unwrap();
        for cart in [1, LARGE] {
            let mut guest = site.browser();
            guest.put(&store, "cart", text(cart));
            let clicks = [guest.begin(&store), guest.begin(&store)];
            clicks.iter().for_each(|click| logs_in(&click.session()));
            let answers = clicks.map(|click| click.commit());
            for order in [[0, 1], [1, 0], [0, 0], [1, 1]] {
                let mut browser = guest.clone();
                order.iter().for_each(|answer| browser.receive(&answers[*answer]));
                assert_eq!(browser.get(&store, "user"), Some(42), "{placement:?}, {cart}, {order:?}");
                assert!(browser.visit(&store, |session| session.has("cart").unwrap()).0);
            }
        }
    }
}

#[test]
fn a_login_that_is_posted_again_because_its_answer_was_lost_logs_in() {
    let site = Site::new();
    for placement in [Placement::Spill, Placement::StoreOnly] {
        let store = site.with_records().placement(placement).build().unwrap();
        // While the record that the first login left can be read, and after that.
        for pause_seconds in [5, 60, 3600] {
            let mut browser = site.browser();
            browser.put(&store, "cart", text(LARGE));
            let lost = browser.begin(&store);
            logs_in(&lost.session());
            lost.commit();
            site.clock.advance_seconds(pause_seconds);
            browser.visit(&store, logs_in);
            assert_eq!(browser.get(&store, "user"), Some(42), "{placement:?}, after {pause_seconds} s");
            let (has_cart, _) = browser.visit(&store, |session| session.has("cart").unwrap());
            assert_eq!(has_cart, pause_seconds < 10, "{placement:?}, after {pause_seconds} s");
        }
    }
}

#[test]
fn data_that_a_logout_destroyed_does_not_come_back_with_a_login() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "secret", text(LARGE));
    let login = browser.begin(&store);
    logs_in(&login.session());
    browser.visit(&store, |session| session.destroy().unwrap());
    browser.receive(&login.commit());
    assert_eq!(browser.get(&store, "user"), Some(42));
    assert!(!browser.visit(&store, |session| session.has("secret").unwrap()).0);
}

#[test]
fn a_logout_beside_a_step_up_leaves_nobody_logged_in() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    let step_up = browser.begin(&store);
    step_up.session().regenerate().unwrap();
    step_up.session().put("confirmed", &1).unwrap();
    browser.visit(&store, |session| session.destroy().unwrap());
    if let Ok(response) = step_up.try_commit() {
        browser.receive(&response);
    }
    assert_eq!(browser.get(&store, "user"), None);
}

#[test]
fn a_return_whose_answer_is_late_does_not_undo_a_logout() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    let returns = browser.begin(&store);
    returns.session().forget("cart").unwrap();
    let late = returns.commit();
    browser.visit(&store, |session| session.destroy().unwrap());
    browser.receive(&late);
    site.events.take();
    assert_eq!(browser.get(&store, "user"), None);
    assert_eq!(site.events.take_reasons(), [Reason::Revoked]);
}

#[test]
fn a_spill_that_is_late_does_not_bring_back_what_a_logout_ended() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for end in [|session: &Session| session.destroy().unwrap(), |session: &Session| session.invalidate().unwrap()] {
        let mut browser = site.browser();
        browser.put(&store, "user", 42);
        let copy = browser.clone();
        let spills = browser.begin(&store);
        spills.session().put("cart", &text(LARGE)).unwrap();
        browser.visit(&store, end);
        assert_eq!(spills.try_commit().unwrap_err().status_code(), 409);
        assert_eq!(browser.get(&store, "user"), None);
        // A copy of the cookie cannot spill either.
        assert_eq!(copy.begin(&store).session().get("user").unwrap(), Some(42));
        assert_eq!(
            copy.clone().visit_in_vain(&store, |session| session.put("cart", &text(LARGE)).unwrap()).status_code(),
            409
        );
    }
}

#[test]
fn the_session_that_was_returned_is_ended_by_a_login_through_its_cookie() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    for end in [|session: &Session| session.destroy().unwrap(), logs_in] {
        let mut browser = site.browser();
        browser.put(&store, "guest", 1);
        browser.put(&store, "cart", text(LARGE));
        let old = browser.clone();
        browser.visit(&store, |session| session.forget("cart").unwrap());
        site.records.take_calls();
        browser.visit(&store, end);
        assert!(!site.records.take_calls().is_empty());
        site.clock.advance_seconds(11);
        assert_eq!(old.clone().get(&store, "guest"), None, "the reference of before");
    }
}

#[test]
fn a_dropped_commit_of_a_return_costs_nothing() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "user", 42);
    browser.put(&store, "cart", text(LARGE));
    site.records.go_slow();
    let request = browser.begin(&store);
    request.session().forget("cart").unwrap();
    assert!(request.0.commit_now(&sealed_session::ResponseFacts::new(200)).is_err());
    drop(request);
    site.clock.advance_seconds(3000);
    assert_eq!(browser.get(&store, "user"), Some(42));
    browser.put(&store, "user", 43);
    assert_eq!(browser.get(&store, "user"), Some(43));
}

#[test]
fn a_record_that_no_key_opens_any_more_is_not_in_the_way_of_a_spill() {
    let site = Site::new();
    let new = Key::generate().unwrap();
    let both = KeyRing::new(new.clone()).with_open_only(site.key.clone()).unwrap();
    let old = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&old, "user", 42);
    browser.put(&old, "cart", text(LARGE));
    browser.visit(&old, |session| session.forget("cart").unwrap());
    site.clock.advance_seconds(5);
    let rotating = site.over(both).store(site.records.clone()).build().unwrap();
    browser.put(&rotating, "step", 1);
    site.clock.advance_seconds(5);
    let rotated = site.over(new).store(site.records.clone()).build().unwrap();
    browser.put(&rotated, "cart", text(LARGE));
    assert!(site.opened(&rotated, &browser).is_reference());
    assert_eq!((browser.get(&rotated, "user"), browser.get(&rotated, "step")), (Some(42), Some(1)));
}

#[test]
fn twelve_requests_that_begin_together_and_spill_are_all_kept() {
    let site = Site::new();
    let store = site.with_records().build().unwrap();
    let mut browser = site.browser();
    browser.put(&store, "visits", 0);
    let requests: Vec<_> = (0..12).map(|_| browser.begin(&store)).collect();
    for (number, request) in requests.iter().enumerate() {
        request.session().put(format!("file{number}").as_str(), &text(LARGE)).unwrap();
        request.session().increment("visits", 1).unwrap();
    }
    for request in requests {
        site.clock.advance_seconds(1);
        browser.receive(&request.commit());
    }
    assert_eq!(browser.get(&store, "visits"), Some(12));
}

#[test]
fn a_session_that_goes_in_and_out_of_its_record_forgets_nothing_whichever_answer_is_lost() {
    // Each of eight steps may lose its answer.
    for lost in 0..256_u32 {
        let site = Site::new();
        let store = site.with_records().build().unwrap();
        let mut browser = site.browser();
        browser.put(&store, "visits", 0);
        // What the browser was told; a write whose answer was lost may be found in the record later, and counts once.
        let mut counted = 0_u64;
        for step in 0..8_u64 {
            site.clock.advance_seconds(1);
            let request = browser.begin(&store);
            let session = request.session();
            let seen = session.get::<u64>("visits").unwrap().unwrap();
            assert!((counted..=step).contains(&seen), "lost {lost:08b}, step {step}: {seen}, told {counted}");
            session.increment("visits", 1).unwrap();
            session.put("cart", &text(if step % 2 == 0 { LARGE } else { 1 })).unwrap();
            let was_reference = site.opened(&store, &browser).is_reference();
            let response = request.commit();
            if lost & (1 << step) == 0 {
                browser.receive(&response);
                counted = seen + 1;
            } else if was_reference {
                // The record has it, whatever the browser heard.
                counted = seen + 1;
            }
        }
    }
}

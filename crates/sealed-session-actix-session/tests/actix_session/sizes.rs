//! How much a key holds.

use actix_session::config::CookieContentSecurity;
use actix_session::storage::SessionStore as _;

use crate::support::{HOUR, again, large, loaded, most, store, whole};

#[pollster::test]
async fn a_key_is_filled_to_its_limit_and_no_further() {
    let (store, _) = store();
    let limits = [(CookieContentSecurity::Private, 2800, 2000), (CookieContentSecurity::Signed, 3900, 2800)];
    for (security, limit, least_bytes) in limits {
        let store = store.clone().cookie_content_security(security);
        let bytes = most(&store).await;
        assert!(bytes >= least_bytes, "{bytes}");
        let key = store.save(large(bytes), &HOUR).await.unwrap();
        assert!((limit - 8..=limit).contains(&key.as_ref().len()), "{}", key.as_ref().len());
        assert_eq!(loaded(&store, &key).await, Some(large(bytes)));
    }
}

#[pollster::test]
async fn the_room_is_that_of_an_encrypted_cookie_unless_told_otherwise() {
    let (store, _) = store();
    let encrypted = most(&store).await;
    let signed = store.clone().cookie_content_security(CookieContentSecurity::Signed);
    assert!(most(&signed).await > encrypted + 500);
    assert_eq!(most(&signed.cookie_content_security(CookieContentSecurity::Private)).await, encrypted);
}

#[pollster::test]
async fn too_large_a_session_is_refused_with_its_size_and_its_largest_key() {
    let (store, _) = store();
    let saved = store.save(large(5000), &HOUR).await.unwrap_err();
    let key = store.save(large(10), &HOUR).await.unwrap();
    let updated = store.update(again(&key), large(5000), &HOUR).await.unwrap_err();
    for text in [whole(&saved), whole(&updated)] {
        assert!(text.contains("5011 bytes of JSON do not fit, 2"), "{text}");
        assert!(text.contains("largest keys: \"cart\" 50"), "{text}");
        assert!(!text.contains("xxxx"), "{text}");
    }
    assert_eq!(loaded(&store, &key).await, Some(large(10)));
}

//! The law behind the limits: no cookie is ever sent that a browser, or the configured limit, would drop.

use proptest::prelude::*;
use sealed_session::CommitError;
use sealed_session::cookie::CookieAttributes;
use sealed_session::limits::COOKIE_NAME_AND_VALUE_MAX_BYTES;

use crate::support::{Site, line, max_age, text};

const REFERENCE_BYTES: usize = 8;

fn attributes() -> impl Strategy<Value = CookieAttributes> {
    // RFC 9110 §5.6.2; names that begin with a prefix in another case are refused.
    let token = r"[!#$%&'*+.^`|~0-9A-Za-z-][!#$%&'*+.^_`|~0-9A-Za-z-]{0,63}";
    let plain = (token, "/[a-z]{0,200}", any::<bool>()).prop_map(|(name, path, domain)| {
        let attributes = CookieAttributes::new().name(name).path(path);
        if domain { attributes.domain("a.domain.of.some.length.example.com") } else { attributes }
    });
    prop_oneof![plain, "__Host-[a-z]{1,57}".prop_map(|name| CookieAttributes::new().name(name))]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_cookie_is_over_its_limit_and_its_length_is_known_before(
        attributes in attributes(),
        sizes in proptest::collection::vec(prop_oneof![0_usize..4200, 0_usize..20_480], 1..4),
        with_store in any::<bool>(),
        inline_limit in proptest::option::of(600_usize..6000),
        padding_bucket in prop_oneof![Just(1_usize), Just(32), 1_usize..=1024],
        remember_days in 1_u64..=30,
    ) {
        let site = Site::new();
        let mut builder = if with_store { site.with_records() } else { site.cookie_only() };
        builder = builder.cookie(attributes).padding_bucket_bytes(padding_bucket);
        if let Some(limit) = inline_limit {
            builder = builder.inline_limit_bytes(limit);
        }
        let store = builder.build().unwrap();
        let limit = inline_limit.or(with_store.then_some(3072)).unwrap_or(usize::MAX);
        let mut browser = site.browser();
        for size in sizes {
            let request = browser.begin(&store);
            let session = request.session();
            session.put("a", &text(size)).unwrap();
            session.remember(std::time::Duration::from_secs(remember_days * 86_400)).unwrap();
            let payload_bytes = serde_json::to_vec(&session.all()).unwrap().len();
            let inline_length = store.sealer().text_length(payload_bytes);
            match request.try_commit().map_err(|failed| failed.error) {
                Ok(response) if response.set_cookies.is_empty() => {}
                Ok(response) => {
                    let before = browser.cookie().map(str::to_owned);
                    browser.receive(&response);
                    let value = browser.cookie().unwrap();
                    prop_assert_ne!(Some(value), before.as_deref(), "the browser dropped it");
                    prop_assert!(store.cookie_name().len() + value.len() <= COOKIE_NAME_AND_VALUE_MAX_BYTES);
                    prop_assert!(line(&response).len() <= limit);
                    prop_assert_eq!(max_age(&response), Some(remember_days * 86_400));
                    let is_reference = site.opened(&store, &browser).is_reference();
                    prop_assert!(with_store || !is_reference);
                    let expected = if is_reference { store.sealer().text_length(REFERENCE_BYTES) } else { inline_length };
                    prop_assert_eq!(Some(value.len()), expected);
                }
                Err(CommitError::TooLarge { payload_bytes: told, payload_max_bytes, .. }) => {
                    prop_assert!(!with_store && inline_length.is_none());
                    prop_assert_eq!(told, payload_bytes);
                    prop_assert!(payload_max_bytes < payload_bytes);
                }
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
    }
}

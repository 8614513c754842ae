//! An engine that restores an older backup.

use sealed_session::Session;
use sealed_session_engine_tests::Failed;

use crate::site::{Kind, Site, count_one_up};

pub(crate) fn an_older_backup_is_a_503_until_the_newer_state_is_back<K: Kind>() {
    let site = Site::<K>::new();
    site.block_on(async {
        let server = site.server().await;
        let mut browser = site.visitor(&server).await;
        let older = K::back_up(&site.url, &site.name).await;
        let behind = browser.clone();
        for count in 0..3 {
            assert_eq!(browser.visit(&server, count_one_up).await.unwrap(), Some(count));
        }
        let newer = K::back_up(&site.url, &site.name).await;

        K::restore(&site.url, &site.name, &older).await;
        // Not old data, not a guest, and nothing is written, not even a logout.
        let requests: [fn(&Session); 3] =
            [|_| (), |session| session.put("count", &99).unwrap(), |session| session.destroy().unwrap()];
        for handle in requests {
            let failed = browser.visit(&server, handle).await.unwrap_err();
            assert!(matches!(failed, Failed::Load(_)), "{failed:?}");
            assert_eq!(failed.status_code(), 503);
        }
        // Who had seen no more than the backup has is served by it.
        assert_eq!(behind.clone().get(&server, "count").await, Some(0));

        K::restore(&site.url, &site.name, &newer).await;
        assert_eq!(browser.visit(&server, count_one_up).await.unwrap(), Some(3));
        assert_eq!(browser.get(&server, "count").await, Some(4));
    });
}

//! SQLite, which has no server and no connection: what a kill ends is the process that writes the file, and what makes it slow
//! is another writer.

use std::path::{Path, PathBuf};

use sealed_session_engine_tests::unique_name;

use crate::site::Site;
use crate::slow::{commit_in_vain, hasty, loaded, works_again};
use crate::sql::{Writer, sql_kind};

const REQUESTS: u64 = 4;

pub(crate) struct Sqlite;

sql_kind!(Sqlite, address(), clean_up);

fn address() -> String {
    let folder = std::env::temp_dir().join(unique_name("sealed-session-faults"));
    std::fs::create_dir(&folder).unwrap();
    format!("sqlite:{}?mode=rwc", folder.join("sessions.sqlite").display())
}

/// The database, and what stands beside it under its name and more.
pub(crate) fn file(url: &str) -> PathBuf {
    Path::new(url.strip_prefix("sqlite:").unwrap().split('?').next().unwrap()).to_owned()
}

async fn clean_up(url: &str, _: &str) {
    let _ = std::fs::remove_dir_all(file(url).parent().unwrap());
}

/// Readers do not wait for a writer, so that only the writes are late.
pub(crate) fn a_writer_that_holds_the_file_is_a_503_loses_nothing_and_logs_nobody_out() {
    let site = Site::<Sqlite>::new();
    site.block_on(async {
        let server = hasty(&site, &site.url).await;
        let browser = site.visitor(&site.server().await).await;
        let pending = loaded(&browser, &server, REQUESTS).await;
        let writer = Writer::begin(&site.url).await;
        assert_eq!(browser.clone().get(&server, "count").await, Some(0));
        commit_in_vain(pending).await;
        writer.end().await;
        works_again(&browser, &server, REQUESTS).await;
    });
}

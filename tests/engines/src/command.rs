use std::process::Command;

use sealed_session_test_programs::command_with_databases;

/// What `sealed-session sweep` prints of this store, and its errors behind that: by its `--store`, its URL and its table.
#[must_use]
pub fn sweep_by_command(store: &str, url: &str, table: &str) -> String {
    let mut command = Command::new(command_with_databases());
    command.args(["sweep", "--store", store, "--url-from-env", "SWEPT_URL", "--table", table]).env("SWEPT_URL", url);
    let output = command.output().unwrap();
    [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat()
}

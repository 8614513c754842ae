//! How an engine that belongs to one test is started: what `tests/lib/engines.sh` does for those that all tests share, but with
//! the durability that an installation has, for these are killed.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Engine, redis_server};

/// The files of an engine, and its port.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) engine: Engine,
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) options: Vec<String>,
}

impl Installation {
    /// Makes the folder, and in it what the engine wants to find.
    pub(crate) fn prepare(&self) {
        fs::DirBuilder::new().mode(0o755).create(&self.folder).unwrap();
        if let Some(user) = self.user() {
            done(Command::new("chown").arg(user).arg(&self.folder));
        }
        let files = self.files();
        match self.engine {
            Engine::Postgres => {
                let initdb = postgres("initdb");
                let arguments =
                    ["-D", &files, "-U", "test", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"];
                self.do_as_user(&initdb, &arguments);
            }
            Engine::MySql => {
                let datadir = format!("--datadir={files}");
                let arguments = [
                    "--no-defaults",
                    &datadir,
                    "--skip-test-db",
                    "--skip-name-resolve",
                    "--auth-root-authentication-method=normal",
                ];
                self.do_as_user("mariadb-install-db", &arguments);
            }
            _ => {}
        }
    }

    /// What must be done once, when the engine answers.
    pub(crate) fn finish(&self) {
        if self.engine == Engine::MySql {
            let (port, sql) = (self.port.to_string(), "create database sealed");
            done(Command::new("mariadb").args([
                "--no-defaults",
                "-h",
                "127.0.0.1",
                "-P",
                &port,
                "-u",
                "root",
                "-e",
                sql,
            ]));
        }
    }

    /// The server's program and its arguments, before which stands who runs it.
    pub(crate) fn server(&self) -> Vec<String> {
        let (files, port, folder) = (self.files(), self.port.to_string(), self.folder.display().to_string());
        let mut line = self.as_user();
        let program = match self.engine {
            Engine::Redis => [redis_server().as_str(), "--port", &port, "--bind", "127.0.0.1", "--dir", &folder]
                .map(str::to_owned)
                .to_vec(),
            Engine::Postgres => vec![
                postgres("postgres"),
                "-D".into(),
                files,
                "-p".into(),
                port,
                "-h".into(),
                "127.0.0.1".into(),
                "-k".into(),
                folder,
            ],
            Engine::MySql => vec![
                "mariadbd".into(),
                "--no-defaults".into(),
                format!("--datadir={files}"),
                format!("--port={port}"),
                "--bind-address=127.0.0.1".into(),
                format!("--socket={folder}/socket"),
                format!("--pid-file={folder}/pid"),
                "--innodb-buffer-pool-size=32M".into(),
            ],
            Engine::MongoDb => {
                let speak = "from secantus.cli import main; main()";
                let mut line: Vec<_> =
                    [&python(), "-c", speak, "--host", "127.0.0.1", "--port", &port].map(str::to_owned).into();
                line.extend(["--storage-path", &files, "--standalone", "--cache-size", "64M"].map(str::to_owned));
                // As MongoDB itself does for a write that waits for a majority.
                line.push("--sync-on-commit".to_owned());
                line
            }
            Engine::DynamoDb => {
                panic!("what speaks DynamoDB's protocol keeps everything in memory: it cannot be started again")
            }
        };
        line.extend(program);
        line.extend(self.options.iter().cloned());
        line
    }

    /// Whether the engine answers.
    pub(crate) fn answers(&self) -> bool {
        let port = self.port.to_string();
        let mut question = match self.engine {
            Engine::Redis => command("redis-cli", &["-p", &port, "ping"]),
            Engine::Postgres => command(&postgres("pg_isready"), &["-q", "-h", "127.0.0.1", "-p", &port]),
            Engine::MySql => {
                command("mariadb", &["--no-defaults", "-h", "127.0.0.1", "-P", &port, "-u", "root", "-e", "select 1"])
            }
            _ => return std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok(),
        };
        let output = question.stdin(Stdio::null()).output();
        // Redis says that it is loading, and that was no failure of its client's.
        output.is_ok_and(|output| output.status.success() && !output.stdout.starts_with(b"LOADING"))
    }

    pub(crate) fn url(&self) -> String {
        let port = self.port;
        match self.engine {
            Engine::Redis => format!("redis://127.0.0.1:{port}/"),
            Engine::Postgres => format!("postgres://test@127.0.0.1:{port}/postgres"),
            Engine::MySql => format!("mysql://root@127.0.0.1:{port}/sealed"),
            Engine::DynamoDb => format!("http://127.0.0.1:{port}"),
            Engine::MongoDb => format!("mongodb://127.0.0.1:{port}/?directConnection=true"),
        }
    }

    fn files(&self) -> String {
        self.folder.join("files").display().to_string()
    }

    /// Who the server has to be when root starts it. Who is not root can become nobody else, and needs not.
    fn user(&self) -> Option<&'static str> {
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let user = match self.engine {
            Engine::Postgres => Some("postgres"),
            Engine::MySql => Some("mysql"),
            _ => None,
        };
        user.filter(|_| is_root)
    }

    fn as_user(&self) -> Vec<String> {
        let Some(user) = self.user() else { return Vec::new() };
        // Another `setpriv` behind this one asks to be ended with the test: a change of user takes that back. So this stands
        // first.
        let (reuid, regid) = (format!("--reuid={user}"), format!("--regid={user}"));
        ["setpriv", &reuid, &regid, "--clear-groups", "--", "setpriv", "--pdeathsig", "KILL", "--"]
            .map(str::to_owned)
            .into()
    }

    fn do_as_user(&self, program: &str, arguments: &[&str]) {
        let mut line = self.as_user();
        line.push(program.to_owned());
        done(Command::new(&line[0]).args(&line[1..]).args(arguments).current_dir(&self.folder));
    }
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Panics when the command fails, with what it said.
fn done(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output();
    let output = output
        .unwrap_or_else(|error| panic!("{command:?}: {error}; `bash tests/run.sh engines` installs what is missing"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}{err}", output.status);
}

/// A program of the newest PostgreSQL, which are on nobody's path.
fn postgres(program: &str) -> String {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = installed.filter(|path| version(path).is_some()).max_by_key(|path| version(path));
    let newest = newest.expect("PostgreSQL is not installed; `bash tests/run.sh engines` installs it");
    newest.join("bin").join(program).display().to_string()
}

/// What runs the programs that speak DynamoDB's and MongoDB's protocols.
fn python() -> String {
    std::env::var("SEALED_SPEAKERS_PYTHON")
        .expect("SEALED_SPEAKERS_PYTHON is set where tests/lib/engines.sh starts mongodb")
}

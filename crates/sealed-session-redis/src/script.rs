//! The writes, each a script on one key: Redis runs it as a whole, so that nothing comes between its read and its write.
//!
//! Scripts are sent as they are. Naming them by their hash would save some 400 bytes a write, and cost a second and a third
//! round trip where the engine does not have them: after a restart, a failover, a flush, and on each node of a cluster.

use redis::{Cmd, cmd};

use crate::{STORE, value};
use sealed_session::Timestamp;
use sealed_session::store::{Record, StoreError};

/// The write was made, or the record exists.
pub(crate) const DONE: i64 = 1;
/// The record stands in the way: another has the id, or the version is not the expected one.
pub(crate) const REFUSED: i64 = 0;
/// There is no such record, or it has expired.
pub(crate) const MISSING: i64 = -1;
/// The key holds something else.
const NOT_OURS: i64 = -2;

/// What each script knows: the header, and whether the record is alive at `ARGV[1]`. Numbers are floating-point here: 40 bits
/// of seconds fit, 64 bits of a version do not, so versions are compared as the bytes that they are.
macro_rules! script {
    ($body:literal) => {
        concat!(
            "local head = redis.call('GETRANGE', KEYS[1], 0, 16) ",
            "local alive, ends = false, 0 ",
            "if #head > 0 then ",
            "if #head < 17 or string.byte(head) ~= 1 then return -2 end ",
            "ends = struct.unpack('>I8', head, 10) ",
            "alive = struct.unpack('>I8', ARGV[1]) < ends ",
            "end ",
            $body
        )
    };
}

const CREATE: &str = script!(
    "if alive then return 0 end \
     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) \
     return 1"
);

const UPDATE: &str = script!(
    "if not alive then return -1 end \
     if string.sub(head, 2, 9) ~= ARGV[4] then return 0 end \
     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) \
     return 1"
);

const TOUCH: &str = script!(
    "if not alive then return -1 end \
     if struct.unpack('>I8', ARGV[2]) > ends then \
     redis.call('SETRANGE', KEYS[1], 9, ARGV[2]) \
     redis.call('PEXPIRE', KEYS[1], ARGV[3]) \
     end \
     return 1"
);

pub(crate) fn create(key: &str, record: &Record, now: Timestamp) -> Cmd {
    let mut command = eval(CREATE, key, now);
    command.arg(value::encode(record)).arg(value::life_milliseconds(record.expires_at, now));
    command
}

pub(crate) fn update(key: &str, record: &Record, expected_version: u64, now: Timestamp) -> Cmd {
    let mut command = eval(UPDATE, key, now);
    command.arg(value::encode(record)).arg(value::life_milliseconds(record.expires_at, now));
    command.arg(&expected_version.to_be_bytes());
    command
}

pub(crate) fn touch(key: &str, expires_at: Timestamp, now: Timestamp) -> Cmd {
    let mut command = eval(TOUCH, key, now);
    command.arg(&value::seconds(expires_at)).arg(value::life_milliseconds(expires_at, now));
    command
}

/// What an answer means that none of the expected ones is.
pub(crate) fn unexpected(answer: i64) -> StoreError {
    if answer == NOT_OURS {
        return value::not_ours();
    }
    StoreError::other(STORE, format!("a script answered {answer}, which none of them does"))
}

/// The script on its one key, with the time as its first argument.
fn eval(script: &str, key: &str, now: Timestamp) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(script).arg(1).arg(key).arg(&value::seconds(now));
    command
}

#[cfg(test)]
mod tests {
    use redis::Arg;

    use super::*;

    #[test]
    fn the_header_is_as_long_as_the_scripts_say() {
        assert_eq!((value::HEADER_LENGTH, value::FORMAT), (17, 1));
    }

    #[test]
    fn every_script_names_one_key_and_has_its_other_words_as_arguments() {
        let (record, now) = (Record::new(1, Timestamp::MAX, b"sealed".to_vec()), Timestamp::default());
        let commands = [create("a key", &record, now), update("a key", &record, 1, now), touch("a key", now, now)];
        for command in &commands {
            let words: Vec<_> = command.args_iter().map(simple).collect();
            let [name, script, keys, key, ..] = words[..] else { panic!("{} words", words.len()) };
            assert_eq!((name, keys, key), (&b"EVAL"[..], &b"1"[..], &b"a key"[..]));
            let script = std::str::from_utf8(script).unwrap();
            assert!(script.contains("KEYS[1]") && !script.contains("KEYS[2]"), "{script}");
        }
    }

    fn simple(word: Arg<&[u8]>) -> &[u8] {
        let Arg::Simple(word) = word else { panic!("no command has a cursor") };
        word
    }
}

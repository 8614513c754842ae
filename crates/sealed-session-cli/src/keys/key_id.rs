//! A key of the ring, by its id or the beginning of it.

use clap::Args;
use sealed_session::{KeyId, KeyRing};

use crate::failure::Failure;

/// Fewest characters of a key id that name it.
const LEAST_CHARACTERS: usize = 4;
/// Characters of a whole key id.
const CHARACTERS: usize = 11;

/// The key that an edit is about. Its text is resolved once the ring is read.
#[derive(Debug, Args)]
pub(crate) struct KeyIdArgument {
    /// Key id, or four or more of its first characters
    #[arg(id = "key_id", value_name = "KEY_ID", allow_hyphen_values = true)]
    pub(super) text: String,
}

/// The key of the ring whose id begins so.
pub(crate) fn resolve(ring: &KeyRing, text: &str) -> Result<KeyId, Failure> {
    let characters = text.chars().count();
    // Security: longer is no key id, and may be the key itself, given by mistake.
    if !(LEAST_CHARACTERS..=CHARACTERS).contains(&characters) {
        return Err(Failure::Usage(format!(
            "a key id has {CHARACTERS} characters, of which the first {LEAST_CHARACTERS} or more are enough; here are \
             {characters}"
        )));
    }
    find(ring, text)
}

fn find(ring: &KeyRing, beginning: &str) -> Result<KeyId, Failure> {
    let mut found = ring.key_ids().filter(|key_id| key_id.to_string().starts_with(beginning));
    match (found.next(), found.next()) {
        (Some(key_id), None) => Ok(key_id),
        (Some(one), Some(other)) => {
            Err(Failure::Usage(format!("both {one} and {other} begin so; give more of the id")))
        }
        (None, _) => {
            let ids: Vec<_> = ring.key_ids().map(|key_id| key_id.to_string()).collect();
            Err(Failure::Usage(format!("the ring has no key {beginning}; it has {}", ids.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use sealed_session::Key;

    use super::*;

    #[test]
    fn four_characters_of_an_id_are_enough_and_three_are_not() {
        let ring = KeyRing::new(Key::generate().unwrap());
        let key_id = ring.key_ids().next().unwrap();
        let text = key_id.to_string();
        for length in 4..=11 {
            assert_eq!(resolve(&ring, &text[..length]).unwrap(), key_id);
        }
        for other in [&text[..3], "", &format!("{text}A"), "????"] {
            assert!(matches!(resolve(&ring, other), Err(Failure::Usage(_))), "{other}");
        }
    }

    #[test]
    fn a_beginning_that_two_keys_share_names_neither() {
        let ring = KeyRing::new(Key::generate().unwrap()).with_open_only(Key::generate().unwrap()).unwrap();
        let Err(Failure::Usage(problem)) = find(&ring, "") else { panic!("a key was chosen") };
        for key_id in ring.key_ids() {
            assert!(problem.contains(&key_id.to_string()));
            assert_eq!(find(&ring, &key_id.to_string()).unwrap(), key_id);
        }
    }
}

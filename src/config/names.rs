//! What to say of a name that no setting has.

use crate::error::ConfigError;

/// Security: a longer name may be a key that was pasted in front of the `=`.
const SHOWN_NAME_MAX_CHARACTERS: usize = 24;

/// Names of other libraries, and what stands here for each. Their spelling does not matter, see [`folded`].
pub(super) const OTHERS_NAMES: &[(&str, &str)] = &[
    ("age", "`lifetimes.idle_timeout`"),
    ("expiry", "`lifetimes.idle_timeout`, with its unit"),
    ("maxAge", "`lifetimes.idle_timeout`, with its unit"),
    ("cookieName", "`cookie.name`"),
    ("name", "`cookie.name`"),
    ("cookieOptions", "the section `cookie`"),
    ("secret", "the section `keys`"),
    ("stores", "`Stores`, where the application registers them"),
    ("ttl", "`lifetimes.idle_timeout`, with its unit"),
    ("genid", "nothing: ids are 128 random bits"),
    ("proxy", "`cookie.secure`, which does not depend on the connection"),
    ("unset", "nothing: an emptied session is removed"),
];

/// Refuses a name of the section at `path`, with the mend as far as it can be told.
pub(super) fn unknown(name: &str, siblings: &[&str], path: &str) -> ConfigError {
    let list = siblings.iter().map(|sibling| format!("`{sibling}`")).collect::<Vec<_>>().join(", ");
    let Some(shown) = shown(name) else {
        let problem = format!("it has a name that no setting has, and that may be a secret; there are {list}");
        return ConfigError::new(path.to_owned(), problem);
    };
    let of_others = |(theirs, _): &&(&str, _)| matches!(path, "" | "cookie") && folded(theirs) == folded(shown);
    let mend = if let Some((_, ours)) = OTHERS_NAMES.iter().find(of_others) {
        format!("its place is taken by {ours}")
    } else if let Some(nearest) = nearest(shown, siblings) {
        format!("did you mean `{nearest}`?")
    } else {
        format!("there are {list}")
    };
    ConfigError::new(join(path, shown), format!("there is no such setting; {mend}"))
}

/// The path of a setting in the section at `path`.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The name, if it can be no secret and does nothing to a terminal.
pub(super) fn shown(name: &str) -> Option<&str> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    let is_shown = !name.is_empty() && name.len() <= SHOWN_NAME_MAX_CHARACTERS && name.chars().all(is_plain);
    is_shown.then_some(name)
}

/// The candidate that a name was most likely meant to be.
pub(super) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let name = folded(name);
    let distances = candidates.iter().map(|candidate| (distance(&name, &folded(candidate)), *candidate));
    // One mistake in every four characters, and one in the shortest names.
    let (mistakes, candidate) = distances.min_by_key(|(mistakes, _)| *mistakes)?;
    (mistakes <= 1.max(name.len() / 4)).then_some(candidate)
}

/// `sameSite`, `SAME_SITE` and `same-site` are one name.
fn folded(name: &str) -> String {
    name.chars()
        .filter(|character| !matches!(character, '_' | '-'))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// Characters to insert, remove or replace: Levenshtein's distance, one row of its matrix at a time.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, left) in (1..).zip(from.chars()) {
        let mut diagonal = line - 1;
        let mut before = line;
        for (cell, right) in row.iter_mut().skip(1).zip(to.chars()) {
            let replaced = diagonal + usize::from(left != right);
            diagonal = *cell;
            before = replaced.min(before + 1).min(*cell + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = line;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_that_of_single_changes() {
        for (from, to, mistakes) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("a", "a", 0)]
        {
            assert_eq!(distance(from, to), mistakes, "{from} {to}");
        }
    }

    #[test]
    fn the_nearest_name_is_proposed_and_a_far_one_is_not() {
        let candidates = ["same_site", "secure", "http_only", "name", "path"];
        assert_eq!(nearest("sameSite", &candidates), Some("same_site"));
        assert_eq!(nearest("same_sit", &candidates), Some("same_site"));
        assert_eq!(nearest("httponly", &candidates), Some("http_only"));
        assert_eq!(nearest("pth", &candidates), Some("path"));
        assert_eq!(nearest("colour", &candidates), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn a_name_that_may_be_a_secret_is_not_shown() {
        assert_eq!(shown("a-name_of-24-characters0"), Some("a-name_of-24-characters0"));
        for name in ["a-name_of-25-characters00", "", "a b", "a\u{1b}[31m", "ssk1.xaes", "é"] {
            assert_eq!(shown(name), None, "{name}");
        }
    }
}

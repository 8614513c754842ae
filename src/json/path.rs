//! Paths: which value of a session is meant, and how deep it may lie.

use std::fmt;

use super::shape::SERDE_JSON_PRIVATE;
use crate::error::SessionError;
use crate::limits::DATA_DEPTH_MAX;

/// The one top-level key that is the crate's own: wire format, section 3.1.
const RESERVED: &str = "~";

/// Most segments of a path: the session itself is one level of the depth, the value another.
const SEGMENTS_MAX: usize = DATA_DEPTH_MAX - 1;

/// Names a value in a session: the keys that lead to it, from the outermost in.
///
/// Text is split at every dot: `"user.email"` is the member `email` of the object `user`. A segment that is a decimal
/// number without sign or leading zero counts the elements of an array from 0: `"items.0.price"`; below an object it is
/// a key like any other. [`Path::from_segments`] names keys that contain a dot, or are empty.
///
/// Every path can be made. One that can name nothing is refused by the call that it is given to, with
/// [`SessionError::Path`]: without any segment, with an empty segment in dotted text, with `"~"` as the first segment
/// (the crate's own key), with more than 127 segments, or with a segment that starts with `$serde_json::private::` (it
/// would not read back).
///
/// ```
/// use sealed_session::Path;
///
/// assert_eq!(Path::from("user.email"), Path::from_segments(["user", "email"]));
/// assert_ne!(Path::from("example.com.visits"), Path::from_segments(["example.com", "visits"]));
/// assert_eq!(Path::from_segments(["example.com", "visits"]).to_string(), "example.com.visits");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// Apart from the others: most paths have one segment, and need no list.
    first: Segment,
    rest: Vec<String>,
    problem: Option<&'static str>,
}

impl Path {
    /// A path of these keys, each taken as it is: dots do not split it, and it may be empty.
    ///
    /// ```
    /// use sealed_session::Path;
    ///
    /// let host = String::from("example.com");
    /// assert_eq!(Path::from_segments(["hosts", &host]).to_string(), "hosts.example.com");
    /// ```
    #[must_use]
    pub fn from_segments<S: Into<String>>(segments: impl IntoIterator<Item = S>) -> Self {
        let mut segments = segments.into_iter().map(Into::into);
        let first: Option<String> = segments.next();
        Self::of(first.as_deref(), segments.collect())
    }

    fn of(first: Option<&str>, rest: Vec<String>) -> Self {
        let problem = problem_of(first, &rest);
        Self { first: Segment::from(first.unwrap_or_default()), rest, problem }
    }

    /// The first segment and the rest of a path that can name a value.
    pub(crate) fn checked(&self) -> Result<(&str, &[String]), SessionError> {
        match self.problem {
            None => Ok((self.first.as_str(), &self.rest)),
            Some(problem) => Err(SessionError::Path { path: self.to_string(), problem }),
        }
    }

    /// The path of its first segments.
    pub(crate) fn first(&self, count: usize) -> Self {
        let rest = self.rest.iter().take(count.saturating_sub(1)).cloned().collect();
        Self { first: self.first.clone(), rest, problem: self.problem }
    }

    /// How many segments there are; so many arrays and objects lie around the value.
    pub(crate) fn segment_count(&self) -> usize {
        self.rest.len().saturating_add(1)
    }

    /// The path without its last `count` segments, for messages.
    pub(crate) fn without_last(&self, count: usize) -> String {
        let kept = self.segment_count().saturating_sub(count);
        let rest = self.rest.iter().map(String::as_str);
        std::iter::once(self.first.as_str()).chain(rest).take(kept).collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for Path {
    /// The segments joined by dots.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_last(0))
    }
}

impl From<&str> for Path {
    fn from(text: &str) -> Self {
        let mut segments = text.split('.');
        let path = Self::of(segments.next(), segments.map(str::to_owned).collect());
        let dotted_problem = if text.is_empty() {
            Some(EMPTY)
        } else if path.first.as_str().is_empty() || path.rest.iter().any(String::is_empty) {
            Some("a segment is empty; name an empty key with `Path::from_segments`")
        } else {
            None
        };
        Self { problem: dotted_problem.or(path.problem), ..path }
    }
}

impl From<String> for Path {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Path {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&Self> for Path {
    fn from(path: &Self) -> Self {
        path.clone()
    }
}

/// The first key of a path. A short one, as most are, lies in the path and takes no allocation.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Segment {
    Short { bytes: [u8; Self::SHORT_BYTES], length: u8 },
    Long(Box<str>),
}

impl Segment {
    const SHORT_BYTES: usize = 22;

    fn as_str(&self) -> &str {
        match self {
            Self::Short { bytes, length } => {
                let text = bytes.get(..usize::from(*length)).unwrap_or_default();
                // It was text when it was copied.
                std::str::from_utf8(text).unwrap_or_default()
            }
            Self::Long(text) => text,
        }
    }
}

impl From<&str> for Segment {
    fn from(text: &str) -> Self {
        let mut bytes = [0; Self::SHORT_BYTES];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(short), Ok(length)) => {
                short.copy_from_slice(text.as_bytes());
                Self::Short { bytes, length }
            }
            _ => Self::Long(text.into()),
        }
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

const EMPTY: &str = "it is empty; name a key";

/// What keeps the segments from naming a value, however they were given.
fn problem_of(first: Option<&str>, rest: &[String]) -> Option<&'static str> {
    let Some(first) = first else { return Some(EMPTY) };
    let is_private = |segment: &str| segment.starts_with(SERDE_JSON_PRIVATE);
    if first == RESERVED {
        Some("the first segment \"~\" is reserved; choose another key")
    } else if rest.len() >= SEGMENTS_MAX {
        Some("it has more than 127 segments; nest less")
    } else if is_private(first) || rest.iter().any(|segment| is_private(segment)) {
        Some("no key may start with \"$serde_json::private::\"; choose another key")
    } else {
        None
    }
}

// Walks through JSON values by the segments of a path: find, place, remove, compare.

/// Refuses a value that could not be read back from where it goes: inside `around` arrays and objects, of which a path
/// has one for each segment.
///
/// # Errors
///
/// [`SessionError::Value`] where more than 127 arrays and objects would lie inside one another.
pub(crate) fn check_depth(path: &Path, around: usize, depth: usize) -> Result<(), SessionError> {
    // `serde_json` refuses the 128th array or object inside one another.
    if around.saturating_add(depth) < DATA_DEPTH_MAX {
        return Ok(());
    }
    Err(SessionError::Value {
        path: path.to_string(),
        problem: format!("it would be nested deeper than {DATA_DEPTH_MAX} levels; nest less"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(path: &Path) -> Vec<&str> {
        let (first, rest) = path.checked().unwrap();
        std::iter::once(first).chain(rest.iter().map(String::as_str)).collect()
    }

    fn refusal(path: impl Into<Path>) -> String {
        path.into().checked().unwrap_err().to_string()
    }

    #[test]
    fn text_is_split_at_dots() {
        assert_eq!(segments(&Path::from("user.email")), ["user", "email"]);
        assert_eq!(segments(&Path::from("user")), ["user"]);
        assert_eq!(segments(&Path::from(String::from("items.0"))), ["items", "0"]);
    }

    #[test]
    fn given_segments_are_not_split() {
        assert_eq!(segments(&Path::from_segments(["a.b", "c"])), ["a.b", "c"]);
    }

    #[test]
    fn every_form_of_the_same_path_is_equal() {
        let path = Path::from("a.b");
        assert_eq!(Path::from(&path), path);
        assert_eq!(Path::from(&String::from("a.b")), path);
        assert_eq!(Path::from_segments(["a", "b"]), path);
    }

    #[test]
    fn a_path_without_segments_is_refused() {
        assert_eq!(refusal(""), "cannot use the path \"\": it is empty; name a key");
        assert_eq!(refusal(Path::from_segments([""; 0])), refusal(""));
    }

    #[test]
    fn an_empty_segment_is_refused_in_text_and_is_a_key_when_given() {
        for text in ["a..b", ".a", "a.", "."] {
            assert!(refusal(text).contains("a segment is empty"), "{text}");
        }
        assert_eq!(segments(&Path::from_segments([""])), [""]);
        assert_eq!(segments(&Path::from_segments(["a", "", "b"])), ["a", "", "b"]);
    }

    #[test]
    fn the_reserved_key_is_refused_as_the_first_segment_alone() {
        assert!(refusal("~").contains("reserved"));
        assert!(refusal("~.flash").contains("reserved"));
        assert!(refusal(Path::from_segments(["~"])).contains("reserved"));
        assert_eq!(segments(&Path::from("home.~")), ["home", "~"]);
        assert_eq!(segments(&Path::from("~home")), ["~home"]);
    }

    #[test]
    fn keys_that_serde_json_takes_for_its_own_are_refused() {
        assert!(refusal(Path::from_segments(["a", "$serde_json::private::Number"])).contains("choose another key"));
    }

    #[test]
    fn a_path_has_at_most_127_segments() {
        assert_eq!(segments(&Path::from_segments(["a"; 127])).len(), 127);
        assert!(refusal(Path::from_segments(["a"; 128])).contains("more than 127 segments"));
    }
}

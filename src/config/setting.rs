//! What a setting is: a value, or a section or list of settings, and how each is read and written.

use super::names::{self, join};
use super::node::{LIST, Node, TABLE, TEXT};
use crate::error::ConfigError;
use crate::key::may_hold_a_key;

/// Is handed each setting of a section, with its name.
pub(super) type Visit<'a> = dyn FnMut(&'static str, &mut dyn Setting) + 'a;

/// A setting, where it is kept. A section says which settings it has, and the rest follows; a value does not.
pub(super) trait Setting {
    fn each(&mut self, _visit: &mut Visit<'_>) {}

    /// Reads over what is there: what a section does not name stays as it is.
    fn read(&mut self, node: &Node, path: &str) -> Result<(), ConfigError> {
        let Node::Table(entries) = node else { return Err(unlike(path, TABLE, TABLE, node)) };
        for (index, (name, value)) in entries.iter().enumerate() {
            let is_repeated = entries.iter().take(index).any(|(earlier, _)| earlier == name);
            let (mut siblings, mut outcome) = (Vec::new(), None);
            self.each(&mut |sibling, setting| {
                siblings.push(sibling);
                if sibling == name.as_str() {
                    let path = join(path, sibling);
                    outcome = Some(if is_repeated {
                        Err(ConfigError::new(path, "it is given twice; take one of the two out"))
                    } else {
                        setting.read(value, &path)
                    });
                }
            });
            outcome.unwrap_or_else(|| Err(names::unknown(name, &siblings, path)))?;
        }
        Ok(())
    }

    /// What reads back as the same; [`Node::Nothing`] for what is left out.
    fn write(&mut self) -> Node {
        let mut entries = Vec::new();
        self.each(&mut |name, setting| match setting.write() {
            Node::Nothing => {}
            node => entries.push((name.to_owned().into(), node)),
        });
        Node::Table(entries)
    }

    /// Adds the path of each setting there is, in its order.
    fn paths(&mut self, path: &str, found: &mut Vec<String>) {
        let before = found.len();
        self.each(&mut |name, setting| setting.paths(&join(path, name), found));
        if found.len() == before {
            found.push(path.to_owned());
        }
    }
}

/// What was expected and, where it is of another kind, what was found. Never the value.
pub(super) fn unlike(path: &str, expected: &str, kind: &str, found: &Node) -> ConfigError {
    let is_same = matches!(found, Node::Variable(_)) || found.kind() == kind;
    let found = if is_same { String::new() } else { format!(", found {}", found.kind()) };
    ConfigError::new(path.to_owned(), format!("expected {expected}{found}"))
}

/// A value by itself.
pub(super) trait Value: Sized {
    const KIND: &'static str = TEXT;
    const EXPECTED: &'static str;

    /// As a variable says it, and a text in a file. `None` for what is not as expected.
    fn from_text(text: &str) -> Option<Self>;

    fn from_node(node: &Node) -> Option<Self> {
        Self::from_text(node.as_text()?)
    }

    fn to_node(&self) -> Node;
}

/// `null` leaves it out, and so does an empty variable.
impl<T: Value> Value for Option<T> {
    const KIND: &'static str = T::KIND;
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() { Some(None) } else { T::from_text(text).map(Some) }
    }

    fn from_node(node: &Node) -> Option<Self> {
        if let Node::Nothing = node { Some(None) } else { T::from_node(node).map(Some) }
    }

    fn to_node(&self) -> Node {
        self.as_ref().map_or(Node::Nothing, T::to_node)
    }
}

impl<T: Value> Setting for T {
    fn read(&mut self, node: &Node, path: &str) -> Result<(), ConfigError> {
        Checked { value: self, expected: T::EXPECTED, holds: |_| true }.read(node, path)
    }

    fn write(&mut self) -> Node {
        self.to_node()
    }
}

/// A value of which more is asked than its type says.
pub(super) struct Checked<'a, T> {
    pub(super) value: &'a mut T,
    pub(super) expected: &'static str,
    pub(super) holds: fn(&T) -> bool,
}

impl<T: Value> Setting for Checked<'_, T> {
    fn read(&mut self, node: &Node, path: &str) -> Result<(), ConfigError> {
        // Security: what a setting holds may be shown later, by `Debug`, in a cookie's name, in the message of another error.
        if matches!(node, Node::Text(text) | Node::Variable(text) if may_hold_a_key(text)) {
            let problem = "a key stands here; keys are named by `keys.source`. Take this one for known to others";
            return Err(ConfigError::new(path.to_owned(), problem));
        }
        let read = if let Node::Variable(text) = node { T::from_text(text) } else { T::from_node(node) };
        *self.value = read.filter(self.holds).ok_or_else(|| unlike(path, self.expected, T::KIND, node))?;
        Ok(())
    }

    fn write(&mut self) -> Node {
        self.value.to_node()
    }
}

/// A list of sections. What is read replaces it.
impl<T: Setting + Default> Setting for Vec<T> {
    fn read(&mut self, node: &Node, path: &str) -> Result<(), ConfigError> {
        let elements = match node {
            Node::List(elements) => elements.as_slice(),
            Node::Nothing => &[],
            Node::Variable(text) if text.is_empty() => &[],
            Node::Variable(text) => {
                let problem = "expected a list of tables, as JSON: `[{\"name\": \"value\"}]`";
                let list = Node::from_json(text).map_err(|_| ConfigError::new(path.to_owned(), problem))?;
                return self.read(&list, path);
            }
            _ => return Err(unlike(path, "a list of tables", LIST, node)),
        };
        let read = |(index, element)| {
            let mut value = T::default();
            value.read(element, &format!("{path}[{index}]")).map(|()| value)
        };
        *self = elements.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Ok(())
    }

    fn write(&mut self) -> Node {
        if self.is_empty() { Node::Nothing } else { Node::List(self.iter_mut().map(Setting::write).collect()) }
    }
}

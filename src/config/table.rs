//! The tables of settings: which names there are, and how each is read and written.

use super::leaf::{Form, Leaf};
use super::node::Node;
use super::unknown;
use crate::error::ConfigError;

/// A struct whose settings stand in a table.
pub(super) trait Table: Sized + 'static {
    const ROWS: &'static [Row<Self>];
}

/// One setting, or a section of settings.
pub(super) struct Row<T: 'static> {
    pub(super) name: &'static str,
    /// The builder's method; empty where there is none.
    pub(super) method: &'static str,
    pub(super) cell: &'static dyn Cell<T>,
}

impl<T: 'static> Row<T> {
    pub(super) const fn new(name: &'static str, method: &'static str, cell: &'static dyn Cell<T>) -> Self {
        Self { name, method, cell }
    }
}

/// A setting as the environment and the documentation see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Described {
    /// Names from the root on, with dots between them.
    pub(super) path: String,
    pub(super) method: &'static str,
    pub(super) form: Form,
    pub(super) is_optional: bool,
}

/// Where a row's value is.
pub(super) trait Cell<T>: Sync {
    fn read(&self, target: &mut T, node: &Node, at: &At) -> Result<(), ConfigError>;
    /// `None` for what is left out.
    fn write(&self, target: &T) -> Option<Node>;
    fn describe(&self, path: String, method: &'static str) -> Vec<Described>;
}

/// Where the reader is.
pub(super) struct At {
    pub(super) path: String,
    /// What is expected there, where a row says it better than its type.
    expected: Option<&'static str>,
}

impl At {
    pub(super) const fn root() -> Self {
        Self { path: String::new(), expected: None }
    }

    fn inside(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { path, expected: None }
    }

    fn element(&self, index: usize) -> Self {
        Self { path: format!("{}[{index}]", self.path), expected: None }
    }

    pub(super) fn error(&self, problem: impl Into<String>) -> ConfigError {
        ConfigError::new(self.path.clone(), problem)
    }

    /// What was expected and, where it is of another kind, what was found. Never the value.
    pub(super) fn unlike(&self, expected: &str, form: Form, found: &Node) -> ConfigError {
        let expected = self.expected.unwrap_or(expected);
        if found.kind() == form.kind() {
            self.error(format!("expected {expected}"))
        } else {
            self.error(format!("expected {expected}, found {}", found.kind()))
        }
    }
}

/// Reads a table over what the target holds: what is not named stays as it is.
pub(super) fn read<T: Table>(target: &mut T, node: &Node, at: &At) -> Result<(), ConfigError> {
    let Node::Table(entries) = node else {
        return Err(at.unlike("a table", Form::Table, node));
    };
    for (index, (name, value)) in entries.iter().enumerate() {
        let Some(row) = T::ROWS.iter().find(|row| row.name == name.as_str()) else {
            let siblings: Vec<_> = T::ROWS.iter().map(|row| row.name).collect();
            return Err(unknown::name(name, &siblings, at));
        };
        if entries.iter().take(index).any(|(earlier, _)| earlier == name) {
            return Err(at.inside(row.name).error("it is given twice; take one of the two out"));
        }
        row.cell.read(target, value, &at.inside(row.name))?;
    }
    Ok(())
}

pub(super) fn write<T: Table>(target: &T) -> Node {
    let entries = T::ROWS.iter().filter_map(|row| Some((row.name.to_owned().into(), row.cell.write(target)?)));
    Node::Table(entries.collect())
}

/// Every setting of the table and its sections, in their order.
pub(super) fn describe<T: Table>(path: &str) -> Vec<Described> {
    let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    T::ROWS.iter().flat_map(|row| row.cell.describe(inside(row.name), row.method)).collect()
}

/// A value of the target.
pub(super) struct Slot<T, V> {
    pub(super) get: fn(&T) -> &V,
    pub(super) get_mut: fn(&mut T) -> &mut V,
    pub(super) rule: Option<Rule<V>>,
}

/// What more than its type is asked of a value.
pub(super) struct Rule<V> {
    pub(super) expected: &'static str,
    pub(super) holds: fn(&V) -> bool,
}

/// A table inside of the table.
pub(super) struct Section<T, V> {
    pub(super) get: fn(&T) -> &V,
    pub(super) get_mut: fn(&mut T) -> &mut V,
}

/// A list of tables. What is read replaces it.
pub(super) struct List<T, V> {
    pub(super) get: fn(&T) -> &Vec<V>,
    pub(super) get_mut: fn(&mut T) -> &mut Vec<V>,
}

impl<T, V: Leaf> Cell<T> for Slot<T, V> {
    fn read(&self, target: &mut T, node: &Node, at: &At) -> Result<(), ConfigError> {
        let at = At { path: at.path.clone(), expected: self.rule.as_ref().map(|rule| rule.expected) };
        let value = V::read(node, &at)?;
        match &self.rule {
            Some(rule) if !(rule.holds)(&value) => Err(at.unlike(rule.expected, V::FORM, node)),
            _ => {
                *(self.get_mut)(target) = value;
                Ok(())
            }
        }
    }

    fn write(&self, target: &T) -> Option<Node> {
        Some((self.get)(target).write()).filter(|node| !matches!(node, Node::Nothing))
    }

    fn describe(&self, path: String, method: &'static str) -> Vec<Described> {
        vec![Described { path, method, form: V::FORM, is_optional: V::IS_OPTIONAL }]
    }
}

impl<T, V: Table> Cell<T> for Section<T, V> {
    fn read(&self, target: &mut T, node: &Node, at: &At) -> Result<(), ConfigError> {
        read((self.get_mut)(target), node, at)
    }

    fn write(&self, target: &T) -> Option<Node> {
        Some(write((self.get)(target)))
    }

    fn describe(&self, path: String, _: &'static str) -> Vec<Described> {
        describe::<V>(&path)
    }
}

impl<T, V: Table + Default> Cell<T> for List<T, V> {
    fn read(&self, target: &mut T, node: &Node, at: &At) -> Result<(), ConfigError> {
        let elements = match node {
            Node::List(elements) => elements.as_slice(),
            Node::Nothing => &[],
            _ => return Err(at.unlike("a list of tables", Form::List, node)),
        };
        let mut list = Vec::new();
        for (index, element) in elements.iter().enumerate() {
            let mut value = V::default();
            read(&mut value, element, &at.element(index))?;
            list.push(value);
        }
        *(self.get_mut)(target) = list;
        Ok(())
    }

    fn write(&self, target: &T) -> Option<Node> {
        let list = (self.get)(target);
        (!list.is_empty()).then(|| Node::List(list.iter().map(write).collect()))
    }

    fn describe(&self, path: String, method: &'static str) -> Vec<Described> {
        vec![Described { path, method, form: Form::List, is_optional: true }]
    }
}

/// A value, by its field.
macro_rules! slot {
    ($($field:ident).+) => {
        &Slot { get: |target: &Self| &target.$($field).+, get_mut: |target: &mut Self| &mut target.$($field).+, rule: None }
    };
    ($($field:ident).+, $expected:literal, $holds:expr) => {
        &Slot {
            get: |target: &Self| &target.$($field).+,
            get_mut: |target: &mut Self| &mut target.$($field).+,
            rule: Some(Rule { expected: $expected, holds: $holds }),
        }
    };
}

/// A section or a list, by its field.
macro_rules! section {
    ($kind:ident, $($field:ident).+) => {
        &$kind { get: |target: &Self| &target.$($field).+, get_mut: |target: &mut Self| &mut target.$($field).+ }
    };
}

pub(super) use {section, slot};

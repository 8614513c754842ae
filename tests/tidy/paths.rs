//! Every path that a file mentions, in `use` trees and inline, made absolute and followed through re-exports.

use std::collections::{BTreeMap, BTreeSet};

use super::cfg_test::bracketed;
use super::lexer::{Kind, Token};

/// Segments of a path, from the crate's root where it is absolute.
pub(crate) type Path = Vec<String>;

/// A path as it is written.
#[derive(Debug)]
pub(crate) struct Mention {
    pub(crate) line: usize,
    pub(crate) test: bool,
    /// The module that it is written in.
    pub(crate) module: Path,
    /// Begins with `::`, so it names another crate.
    global: bool,
    segments: Path,
    import: Option<Import>,
}

/// What a `use` brings into its module.
#[derive(Debug)]
enum Import {
    Name(String),
    Glob,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// In this crate, from its root; empty for the root itself.
    Ours(Path),
    /// In another crate, or a name that the file itself brings into scope (a type, a generic parameter).
    Other(Path),
}

/// The module path of a file: `["wire", "text"]` for `wire/text.rs`, empty for `lib.rs`.
pub(crate) fn module_of(file: &str) -> Path {
    let path = file.strip_suffix(".rs").unwrap_or(file);
    let mut segments: Path = path.split('/').map(String::from).collect();
    if segments.last().is_some_and(|last| last == "mod" || last == "lib" && segments.len() == 1) {
        segments.pop();
    }
    segments
}

/// The modules of a crate and the names that their `use` declarations bring in.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    modules: BTreeSet<Path>,
    names: BTreeMap<(Path, String), (Path, bool)>,
    globs: BTreeMap<Path, Vec<Path>>,
    test_modules: BTreeSet<Path>,
}

impl Tree {
    /// Adds the modules and imports of one file.
    pub(crate) fn add(&mut self, module: &Path, tokens: &[Token], mentions: &[Mention]) {
        self.modules.insert(module.clone());
        walk(tokens, module, |current, at, token| {
            if let (true, Some(name)) = (token.is_word("mod"), tokens.get(at + 1).and_then(Token::word)) {
                let child = joined(current, &[name.to_owned()]);
                if token.test {
                    self.test_modules.insert(child.clone());
                }
                self.modules.insert(child);
            }
        });
        for mention in mentions {
            match &mention.import {
                Some(Import::Name(name)) => {
                    let key = (mention.module.clone(), name.clone());
                    self.names.insert(key, (mention.segments.clone(), mention.global));
                }
                Some(Import::Glob) => {
                    self.globs.entry(mention.module.clone()).or_default().push(mention.segments.clone());
                }
                None => {}
            }
        }
    }

    pub(crate) fn is_module(&self, path: &[String]) -> bool {
        !path.is_empty() && self.modules.contains(path)
    }

    /// Declared under `#[cfg(test)]`, or inside such a module.
    pub(crate) fn is_test(&self, module: &Path) -> bool {
        (1..=module.len()).any(|length| self.test_modules.contains(&prefix(module, length)))
    }

    pub(crate) fn resolve(&self, mention: &Mention) -> Target {
        self.follow(&mention.module, &mention.segments, mention.global, 32)
    }

    fn follow(&self, module: &Path, segments: &[String], global: bool, fuel: usize) -> Target {
        let other = || Target::Other(segments.to_vec());
        let Some((head, rest)) = segments.split_first() else { return Target::Ours(Path::new()) };
        if global || fuel == 0 {
            return other();
        }
        match head.as_str() {
            "crate" => self.descend(Path::new(), rest, fuel),
            "self" => self.descend(module.clone(), rest, fuel),
            "super" => {
                let mut at = prefix(module, module.len().saturating_sub(1));
                let mut rest = rest;
                while let Some((_, deeper)) = rest.split_first().filter(|(next, _)| *next == "super") {
                    at.pop();
                    rest = deeper;
                }
                self.descend(at, rest, fuel)
            }
            _ => match self.child(module, head, fuel) {
                Some(Target::Ours(start)) => self.descend(start, rest, fuel - 1),
                Some(Target::Other(start)) => Target::Other(joined(&start, rest)),
                None => other(),
            },
        }
    }

    /// From a module down the segments, through re-exports, until something that is neither module nor re-export.
    fn descend(&self, mut at: Path, segments: &[String], fuel: usize) -> Target {
        let mut rest = segments;
        while let Some((next, deeper)) = rest.split_first() {
            match self.child(&at, next, fuel.saturating_sub(1)) {
                Some(Target::Ours(found)) => at = found,
                Some(Target::Other(found)) => return Target::Other(joined(&found, deeper)),
                None => return Target::Ours(joined(&at, rest)),
            }
            rest = deeper;
        }
        Target::Ours(at)
    }

    /// What a name means in a module: a module below it, or what it imports under that name.
    fn child(&self, module: &Path, name: &str, fuel: usize) -> Option<Target> {
        let below = joined(module, &[name.to_owned()]);
        if self.modules.contains(&below) {
            return Some(Target::Ours(below));
        }
        if fuel == 0 {
            return None;
        }
        if let Some((segments, global)) = self.names.get(&(module.clone(), name.to_owned())) {
            // `use aes::…` inside a module that is itself named `aes` must not lead back to itself.
            return Some(self.follow(module, segments, *global || segments == &[name], fuel - 1));
        }
        self.globs.get(module)?.iter().find_map(|glob| match self.follow(module, glob, false, fuel / 2) {
            Target::Ours(from) => self.child(&from, name, fuel / 2),
            Target::Other(_) => None,
        })
    }
}

/// Every path of two or more segments in these tokens, and every `use`.
pub(crate) fn mentions(tokens: &[Token], module: &Path) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut in_use_until = 0;
    walk(tokens, module, |current, at, token| {
        if at < in_use_until {
            return;
        }
        let rest = tokens.get(at + 1..).unwrap_or_default();
        if token.is_word("use") && !rest.first().is_some_and(|next| next.is_symbol('<')) {
            let length = rest.iter().take_while(|token| !token.is_symbol(';')).count();
            in_use_until = at + 1 + length;
            use_tree(rest.get(..length).unwrap_or_default(), &Path::new(), None, current, &mut found);
        } else if let Some((global, segments)) = inline_path(tokens, at) {
            let (line, test) = (token.line, token.test);
            found.push(Mention { line, test, module: current.clone(), global, segments, import: None });
        }
    });
    found
}

/// Calls `visit` for every token with the module that it stands in, inline modules counted.
fn walk(tokens: &[Token], module: &Path, mut visit: impl FnMut(&Path, usize, &Token)) {
    let mut current = module.clone();
    let mut inline_ends = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        visit(&current, at, token);
        let body = tokens.get(at + 2..).unwrap_or_default();
        if let (true, Some(name)) = (token.is_word("mod"), tokens.get(at + 1).and_then(Token::word))
            && body.first().is_some_and(|open| open.is_symbol('{'))
        {
            current.push(name.to_owned());
            inline_ends.push(at + 1 + bracketed(body));
        }
        if inline_ends.last() == Some(&at) {
            inline_ends.pop();
            current.pop();
        }
    }
}

/// `a::b`, `a::{b, c::d}`, `a as b`, `a::*`, `{a, b}`.
fn use_tree(tokens: &[Token], before: &Path, global: Option<bool>, module: &Path, found: &mut Vec<Mention>) {
    let mut segments = before.clone();
    let mut rest = tokens;
    let begins_with_separator = rest.first().is_some_and(|token| token.kind == Kind::PathSeparator);
    let global = global.unwrap_or(begins_with_separator);
    let Some(first) = rest.iter().find(|token| token.kind != Kind::PathSeparator) else { return };
    let (line, test) = (first.line, first.test);
    let mut import = None;
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        match &token.kind {
            Kind::Word(word) if word == "as" => import = after.first().and_then(Token::word).map(String::from),
            // `a::{self}` is `a`.
            Kind::Word(word) if import.is_none() && (word != "self" || segments.is_empty()) => {
                segments.push(word.clone());
            }
            Kind::Symbol('*') => {
                let (module, import) = (module.clone(), Some(Import::Glob));
                found.push(Mention { line, test, module, global, segments, import });
                return;
            }
            Kind::Symbol('{') => {
                let inside = after.get(..bracketed(tokens_from(tokens, after)).saturating_sub(2)).unwrap_or_default();
                for branch in branches(inside) {
                    use_tree(branch, &segments, (!segments.is_empty() || global).then_some(global), module, found);
                }
                return;
            }
            _ => {}
        }
    }
    let name = import.or_else(|| segments.last().cloned()).unwrap_or_default();
    found.push(Mention { line, test, module: module.clone(), global, segments, import: Some(Import::Name(name)) });
}

/// The tokens from the one before `after`.
fn tokens_from<'a>(tokens: &'a [Token], after: &[Token]) -> &'a [Token] {
    tokens.get(tokens.len().saturating_sub(after.len() + 1)..).unwrap_or_default()
}

/// Parts between commas, brackets kept whole.
fn branches(mut tokens: &[Token]) -> Vec<&[Token]> {
    let mut branches = Vec::new();
    while !tokens.is_empty() {
        let mut length = 0;
        while let Some(token) = tokens.get(length).filter(|token| !token.is_symbol(',')) {
            length += if token.is_symbol('{') { bracketed(tokens.get(length..).unwrap_or_default()) } else { 1 };
        }
        branches.push(tokens.get(..length).unwrap_or_default());
        tokens = tokens.get(length + 1..).unwrap_or_default();
    }
    branches.retain(|branch| !branch.is_empty());
    branches
}

/// The path whose first word stands here, outside `use`, and whether it begins with `::`.
fn inline_path(tokens: &[Token], at: usize) -> Option<(bool, Path)> {
    let mut segments = vec![tokens.get(at)?.word()?.to_owned()];
    let is_separator = |token: Option<&Token>| token.is_some_and(|token| token.kind == Kind::PathSeparator);
    let before = |back: usize| at.checked_sub(back).and_then(|index| tokens.get(index));
    let global = is_separator(before(1));
    if global && ends_a_path(before(2), before(3)) {
        return None;
    }
    let mut next = at + 1;
    while let (true, Some(word)) = (is_separator(tokens.get(next)), tokens.get(next + 1).and_then(Token::word)) {
        segments.push(word.to_owned());
        next += 2;
    }
    (segments.len() > 1 || global).then_some((global, segments))
}

/// Whether a `::` behind these tokens continues a path (`a::`, `<T>::`) or begins one (`-> ::`, `= ::`).
fn ends_a_path(last: Option<&Token>, but_one: Option<&Token>) -> bool {
    const NOT_PATHS: [&str; 12] =
        ["as", "dyn", "else", "for", "if", "impl", "in", "match", "mut", "return", "use", "where"];
    last.is_some_and(|last| match &last.kind {
        Kind::Word(word) => !NOT_PATHS.contains(&word.as_str()),
        Kind::Symbol('>') => !but_one.is_some_and(|token| token.is_symbol('-') || token.is_symbol('=')),
        _ => false,
    })
}

fn joined(path: &Path, more: &[String]) -> Path {
    path.iter().chain(more).cloned().collect()
}

fn prefix(path: &Path, length: usize) -> Path {
    path.iter().take(length).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    /// The paths that one file mentions, resolved in a crate of these files.
    fn targets(files: &[(&str, &str)], file: &str) -> Vec<String> {
        let mut tree = Tree::default();
        let mut all = Vec::new();
        for (name, text) in files {
            let (tokens, module) = (tokens(text), module_of(name));
            let mentions = mentions(&tokens, &module);
            tree.add(&module, &tokens, &mentions);
            all.push((*name, mentions));
        }
        let of_file = all.iter().filter(|(name, _)| *name == file).flat_map(|(_, mentions)| mentions);
        of_file
            .map(|mention| match tree.resolve(mention) {
                Target::Ours(path) => format!("crate::{}", path.join("::")),
                Target::Other(path) => path.join("::"),
            })
            .collect()
    }

    fn alone(text: &str) -> Vec<String> {
        targets(&[("a/b.rs", text)], "a/b.rs")
    }

    #[test]
    fn a_file_is_its_module() {
        assert_eq!(module_of("lib.rs"), Path::new());
        assert_eq!(module_of("a/mod.rs"), ["a"]);
        assert_eq!(module_of("a/b.rs"), ["a", "b"]);
    }

    #[test]
    fn braces_are_spread() {
        assert_eq!(
            alone("use crate::{a::x, c::{self, d as e}, f::*,};"),
            ["crate::a::x", "crate::c", "crate::c::d", "crate::f"]
        );
        assert_eq!(alone("use {crate::c, ::d::e, f::g};"), ["crate::c", "d::e", "f::g"]);
    }

    #[test]
    fn super_goes_up_from_where_it_stands() {
        assert_eq!(alone("use super::c; use super::super::d::e;"), ["crate::a::c", "crate::d::e"]);
        assert_eq!(alone("mod m { use super::super::c; } use super::d;"), ["crate::a::c", "crate::a::d"]);
    }

    #[test]
    fn inline_paths_count() {
        assert_eq!(alone("fn f() -> crate::c::D { super::super::e::g(x.len()) }"), ["crate::c::D", "crate::e::g"]);
        assert_eq!(alone("fn f(x: Vec<crate::c::D>) -> ::http::E {}"), ["crate::c::D", "http::E"]);
        assert_eq!(alone("<T as crate::c::D>::E; $crate::f!(); Vec::<u8>::new()"), ["crate::c::D", "crate::f"]);
    }

    #[test]
    fn a_name_leads_to_what_it_was_imported_as() {
        assert_eq!(
            alone("use crate::c; use moka::sync as m; c::d::E; m::Cache; use std::time::Instant as I; I::now();"),
            [
                "crate::c",
                "moka::sync",
                "crate::c::d::E",
                "moka::sync::Cache",
                "std::time::Instant",
                "std::time::Instant::now"
            ]
        );
    }

    #[test]
    fn re_exports_are_followed() {
        let files = [
            ("lib.rs", "mod a; mod c; pub use c::{D as E, *};"),
            ("c/mod.rs", "mod g; pub use g::H as D; pub use self::g::I;"),
            ("c/g.rs", ""),
            ("a/b.rs", "use crate::E; use crate::c::D; use crate::I;"),
        ];
        assert_eq!(targets(&files, "a/b.rs"), ["crate::c::g::H", "crate::c::g::H", "crate::c::g::I"]);
    }

    #[test]
    fn the_root_itself_is_the_empty_path() {
        assert_eq!(alone("use crate as root; use crate::*; root::c::D;"), ["crate::", "crate::", "crate::c::D"]);
    }

    #[test]
    fn capturing_bounds_are_no_imports() {
        assert_eq!(alone("fn f<'a>() -> impl A + use<'a, T> { crate::c::d() }"), ["crate::c::d"]);
    }

    #[test]
    fn imports_in_a_circle_end() {
        assert_eq!(alone("use self::c as d; use self::d as c; c::e();").len(), 3);
    }
}

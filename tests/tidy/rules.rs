//! The rules that hold for `src` and for the members; each finding names its file, its line and the rule.

use std::collections::{BTreeMap, BTreeSet};

use super::cfg_test::bracketed;
use super::lexer::{Kind, Token, tokens};
use super::paths::{Mention, Path, Target, Tree, mentions, module_of};
use super::table::{
    ADAPTER_GUARDS, ADAPTER_ROOM, CLOCK_ROOM, CRATES, CRATES_OF_TESTS, LEAF_EXCEPTIONS, LEAF_ROOMS, LONGER_FILES,
    MEMBERS, ROOMS, SHARED_BY_LEAVES,
};

const FILE_MAX_CODE_LINES: usize = 400;
const FILE_MAX_BYTES: usize = 48 * 1024;
const ADAPTER_MAX_CODE_LINES: usize = 290;

/// A file below `src`, and what was read from it.
struct Source<'a> {
    /// `src`, or that of a member.
    folder: &'a str,
    name: &'a str,
    text: &'a str,
    module: Path,
    tokens: Vec<Token>,
    mentions: Vec<Mention>,
}

impl Source<'_> {
    fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    fn finding(&self, line: usize, rule: &str) -> String {
        format!("{}/{}:{line}: {rule}", self.folder, self.name)
    }
}

/// Everything in these files (name below `src`, text) that breaks a rule.
pub(crate) fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let (sources, tree) = read_all("src", files);
    let mut findings = Vec::new();
    for source in &sources {
        room(source, &mut findings);
        imports(source, &tree, &mut findings);
        crates(source, &tree, &mut findings);
        clock(source, &tree, &mut findings);
        words(source, &mut findings);
        size(source, tree.is_test(&source.module), &mut findings);
    }
    for (adapter, lines) in adapter_code_lines(files).iter().filter(|(_, lines)| **lines > ADAPTER_MAX_CODE_LINES) {
        findings.push(format!(
            "src/{adapter}: {lines} code lines of an adapter, {ADAPTER_MAX_CODE_LINES} at most: what every framework needs \
             belongs in `request`, what several of them need into a module that they share, and a guard against forged \
             requests into a file of its own, named in tests/tidy/table.rs"
        ));
    }
    findings
}

/// The names of the tables that none of these files (names below `src`) has.
pub(crate) fn ghosts(files: &[&str]) -> Vec<String> {
    let below = |room: &'static str| move |module: &&'static str| format!("{room}/{module}");
    let shared =
        SHARED_BY_LEAVES.iter().filter(|module| !LEAF_ROOMS.iter().any(|room| exists(files, &below(room)(module))));
    let rooms = ROOMS.iter().map(|(room, _)| *room).chain(LEAF_ROOMS.iter().copied()).chain([CLOCK_ROOM]);
    let leaves = LEAF_EXCEPTIONS.iter().flat_map(|(leaf, other)| [leaf, other]).map(below(ADAPTER_ROOM));
    let homes = CRATES.iter().flat_map(|(_, homes)| *homes);
    let named = homes.chain(ADAPTER_GUARDS).copied().chain(LONGER_FILES.iter().map(|(name, _)| *name)).chain(rooms);
    let missing = named.map(str::to_owned).chain(leaves).filter(|name| !exists(files, name));
    missing.chain(shared.map(|module| (*module).to_owned())).collect()
}

/// Whether this is one of the files, with or without its ending, or a folder of one.
fn exists(files: &[&str], name: &str) -> bool {
    files.iter().any(|file| match file.strip_prefix(name) {
        Some(rest) => matches!(rest, "" | ".rs") || rest.starts_with('/'),
        None => false,
    })
}

/// The same for the files of a member: it is one room, so that no import of its own can go the wrong way.
pub(crate) fn findings_of_member(member: &str, files: &[(&str, &str)]) -> Vec<String> {
    let mut findings = Vec::new();
    let Some((_, own)) = MEMBERS.iter().find(|(name, _)| *name == member) else {
        return vec![format!("crates/{member}: the member is not in the table of tests/tidy/table.rs")];
    };
    let folder = format!("crates/{member}/src");
    let (sources, tree) = read_all(&folder, files);
    for source in &sources {
        crates_of_member(source, &tree, own, &mut findings);
        clock(source, &tree, &mut findings);
        words(source, &mut findings);
        size(source, tree.is_test(&source.module), &mut findings);
    }
    findings
}

/// Code lines of each adapter, all its files together, and of each guard by itself.
pub(crate) fn adapter_code_lines(files: &[(&str, &str)]) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    for (name, text) in files {
        let module = module_of(name);
        if segment(&module, 0) == ADAPTER_ROOM {
            let is_guard = ADAPTER_GUARDS.contains(name);
            let adapter = if is_guard { (*name).to_owned() } else { module.get(..2).unwrap_or(&module).join("/") };
            *lines.entry(adapter).or_default() += count_code_lines(&tokens(text));
        }
    }
    lines
}

/// Code lines of every file that has any: comments, blanks and test code not counted.
pub(crate) fn code_lines(files: &[(&str, &str)]) -> Vec<usize> {
    let mut counts: Vec<_> = files.iter().map(|(_, text)| count_code_lines(&tokens(text))).collect();
    counts.retain(|count| *count > 0);
    counts.sort_unstable();
    counts
}

fn read_all<'a>(folder: &'a str, files: &[(&'a str, &'a str)]) -> (Vec<Source<'a>>, Tree) {
    let sources: Vec<_> = files.iter().map(|(name, text)| read(folder, name, text)).collect();
    let mut tree = Tree::default();
    for source in &sources {
        tree.add(&source.module, &source.tokens, &source.mentions);
    }
    (sources, tree)
}

fn read<'a>(folder: &'a str, name: &'a str, text: &'a str) -> Source<'a> {
    let (module, tokens) = (module_of(name), tokens(text));
    let mentions = mentions(&tokens, &module);
    Source { folder, name, text, module, tokens, mentions }
}

fn room(source: &Source<'_>, findings: &mut Vec<String>) {
    let room = source.room();
    if !room.is_empty() && !ROOMS.iter().any(|(name, _)| *name == room) {
        findings.push(source.finding(1, &format!("the room `{room}` is not in the table of tests/tidy/table.rs")));
    }
}

fn imports(source: &Source<'_>, tree: &Tree, findings: &mut Vec<String>) {
    if source.room().is_empty() || tree.is_test(&source.module) {
        return;
    }
    for mention in source.mentions.iter().filter(|mention| !mention.test) {
        if let Target::Ours(target) = tree.resolve(mention)
            && let Err(rule) = may_import(&source.module, &target, tree)
        {
            findings.push(source.finding(mention.line, &rule));
        }
    }
}

/// Whether code of one module may name this target.
fn may_import(from: &[String], target: &[String], tree: &Tree) -> Result<(), String> {
    let (room, target_room) = (segment(from, 0), segment(target, 0));
    if find_room(target_room).is_none() {
        let target = target.join("::");
        return Err(format!("`crate::{target}` names the crate's root: import from the room that owns it"));
    }
    let allowed = find_room(room).map_or(&[][..], |(_, allowed)| allowed);
    if room != target_room && !allowed.contains(&target_room) {
        return Err(format!("`{room}` may not import `{target_room}` (this is crate::{})", target.join("::")));
    }
    let (leaf, target_leaf) = (segment(from, 1), segment(target, 1));
    let is_leaf = LEAF_ROOMS.contains(&target_room)
        && tree.is_module(target.get(..2).unwrap_or_default())
        && !SHARED_BY_LEAVES.contains(&target_leaf);
    let is_at_home = room == target_room && (leaf.is_empty() || leaf == target_leaf);
    if is_leaf && !is_at_home && !LEAF_EXCEPTIONS.contains(&(leaf, target_leaf)) {
        return Err(format!("nothing imports the leaf `{target_room}::{target_leaf}`"));
    }
    Ok(())
}

fn find_room(room: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
    ROOMS.iter().find(|(name, _)| *name == room)
}

fn segment(path: &[String], index: usize) -> &str {
    path.get(index).map_or("", String::as_str)
}

fn crates(source: &Source<'_>, tree: &Tree, findings: &mut Vec<String>) {
    let file = source.name.trim_end_matches(".rs").trim_end_matches("/mod");
    for (line, name, is_test) in named_crates(source, tree) {
        for (names, homes) in CRATES {
            let is_home = homes.iter().any(|home| file == *home || file.starts_with(&format!("{home}/")));
            let is_allowed = is_home || is_test && CRATES_OF_TESTS.contains(&name.as_str());
            if names.contains(&name.as_str()) && !is_allowed {
                let homes = homes.join(" and src/");
                findings.push(source.finding(line, &format!("only src/{homes} names the crate `{name}`")));
            }
        }
    }
}

fn crates_of_member(source: &Source<'_>, tree: &Tree, own: &[&str], findings: &mut Vec<String>) {
    let known = CRATES.iter().map(|(names, _)| names).chain(MEMBERS.iter().map(|(_, names)| names));
    let known: BTreeSet<&str> = known.flat_map(|names| names.iter().copied()).collect();
    for (line, name, is_test) in named_crates(source, tree) {
        let is_allowed = own.contains(&name.as_str()) || is_test && CRATES_OF_TESTS.contains(&name.as_str());
        if known.contains(name.as_str()) && !is_allowed {
            findings.push(source.finding(line, &format!("this member does not name the crate `{name}`")));
        }
    }
}

/// The crates that a file names: the line, the crate, and whether test code does.
fn named_crates(source: &Source<'_>, tree: &Tree) -> Vec<(usize, String, bool)> {
    let named = |mention: &Mention| match tree.resolve(mention) {
        Target::Other(path) => {
            Some((mention.line, segment(&path, 0).to_owned(), mention.test || tree.is_test(&source.module)))
        }
        Target::Ours(_) => None,
    };
    source.mentions.iter().filter_map(named).collect()
}

fn clock(source: &Source<'_>, tree: &Tree, findings: &mut Vec<String>) {
    for mention in &source.mentions {
        let Target::Other(path) = tree.resolve(mention) else { continue };
        let mut last_two = path.iter().rev().map(String::as_str);
        let reads_time = match (last_two.next(), last_two.next()) {
            (Some("now"), Some("SystemTime" | "Instant")) => true,
            (Some(last), _) => matches!(last, "now_utc" | "now_local"),
            _ => false,
        };
        if reads_time && (source.folder, source.room()) != ("src", CLOCK_ROOM) {
            findings.push(source.finding(mention.line, "only src/clock.rs reads the time"));
        }
    }
}

fn words(source: &Source<'_>, findings: &mut Vec<String>) {
    for (at, token) in source.tokens.iter().enumerate() {
        let next = |ahead: usize| source.tokens.get(at + ahead);
        let is_macro = next(1).is_some_and(|next| next.is_symbol('!'));
        let rule = match token.word() {
            Some("unsafe") => "no `unsafe`",
            Some("todo" | "unimplemented" | "dbg") if is_macro => "no `todo!`, `unimplemented!` or `dbg!`",
            Some("include") if is_macro => "no `include!`: it hides code from these rules",
            Some("extern") if next(1).is_some_and(|next| next.is_word("crate")) => {
                "no `extern crate`: it renames crates"
            }
            _ if token.is_symbol('#') && moves_a_module(source.tokens.get(at + 1..).unwrap_or_default()) => {
                "no `#[path]`: a module stands where its name says"
            }
            _ => continue,
        };
        findings.push(source.finding(token.line, rule));
    }
}

/// Whether the attribute behind a `#` has a `path = "…"`.
fn moves_a_module(tokens: &[Token]) -> bool {
    let inside = tokens.get(..bracketed(tokens)).filter(|inside| inside.len() > 1).unwrap_or_default();
    inside.windows(3).any(|window| {
        matches!(window, [path, equals, literal]
            if path.is_word("path") && equals.is_symbol('=') && literal.kind == Kind::Literal)
    })
}

fn size(source: &Source<'_>, is_test: bool, findings: &mut Vec<String>) {
    let lines = count_code_lines(&source.tokens);
    let longer = LONGER_FILES.iter().find(|(name, _)| *name == source.name);
    let most = longer.map_or(FILE_MAX_CODE_LINES, |(_, most)| *most);
    if lines > most && !is_test {
        findings.push(source.finding(1, &format!("{lines} code lines, {most} at most")));
    }
    if longer.is_some() && lines <= FILE_MAX_CODE_LINES {
        let rule = format!("{lines} code lines need no entry in LONGER_FILES of tests/tidy/table.rs");
        findings.push(source.finding(1, &rule));
    }
    if source.text.len() > FILE_MAX_BYTES {
        findings.push(source.finding(1, &format!("{} bytes, {FILE_MAX_BYTES} at most", source.text.len())));
    }
}

fn count_code_lines(tokens: &[Token]) -> usize {
    let lines: BTreeSet<_> =
        tokens.iter().filter(|token| !token.test).flat_map(|token| token.line..=token.last_line).collect();
    lines.len()
}

//! Which tokens stand under `#[cfg(test)]`.

use super::lexer::{Kind, Token};

/// Keywords that end their item with a semicolon, whatever braces come before it.
const ENDS_WITH_SEMICOLON: [&str; 5] = ["use", "const", "static", "type", "extern"];
/// Keywords that end their item with its first closing brace, or with a semicolon.
const ENDS_WITH_BRACE: [&str; 9] = ["mod", "fn", "impl", "struct", "enum", "trait", "macro_rules", "async", "union"];

/// Sets [`Token::test`] for every item under `#[cfg(test)]` or `#[cfg(all(test, …))]`, and for a whole file under
/// `#![cfg(test)]`. A field, a match arm or an expression under the attribute stays ordinary code: stricter, and simple.
pub(crate) fn mark(tokens: &mut [Token]) {
    let mut at = 0;
    while at < tokens.len() {
        let rest = tokens.get(at..).unwrap_or_default();
        let Some(attribute) = attribute(rest) else {
            at += 1;
            continue;
        };
        let length = match (attribute.is_test, attribute.is_inner) {
            (true, true) => rest.len(),
            (true, false) => item_length(rest, attribute.length),
            (false, _) => 0,
        };
        for token in tokens.iter_mut().skip(at).take(length) {
            token.test = true;
        }
        at += length.max(attribute.length);
    }
}

/// Tokens from the bracket at the start to the one that closes it.
pub(crate) fn bracketed(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Symbol('(' | '[' | '{') => depth += 1,
            Kind::Symbol(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

struct Attribute {
    is_test: bool,
    is_inner: bool,
    length: usize,
}

/// The attribute at the start.
fn attribute(tokens: &[Token]) -> Option<Attribute> {
    let is_inner = tokens.get(1)?.is_symbol('!');
    let start = if is_inner { 2 } else { 1 };
    let inside = tokens.get(start..)?;
    if !tokens.first()?.is_symbol('#') || !inside.first()?.is_symbol('[') {
        return None;
    }
    let length = bracketed(inside);
    let words: Vec<_> = inside.iter().take(length).filter_map(Token::word).collect();
    let is_test = matches!(words.as_slice(), ["cfg", "test"] | ["cfg", "all", "test", ..]);
    Some(Attribute { is_test, is_inner, length: start + length })
}

/// Length of the item whose attribute has this length, and of what stands before it; 0 when it is no item.
fn item_length(tokens: &[Token], mut at: usize) -> usize {
    while let Some(next) = tokens.get(at..).and_then(attribute) {
        at += next.length;
    }
    if tokens.get(at).is_some_and(|token| token.is_word("pub")) {
        at += 1;
        if let Some(rest) = tokens.get(at..).filter(|rest| rest.first().is_some_and(|token| token.is_symbol('('))) {
            at += bracketed(rest);
        }
    }
    let keyword = |ahead: usize| tokens.get(at + ahead).and_then(Token::word).unwrap_or_default();
    let is_function = (0..4).map(keyword).take_while(|word| !word.is_empty()).any(|word| word == "fn");
    let by_semicolon = ENDS_WITH_SEMICOLON.contains(&keyword(0)) && !is_function;
    if !by_semicolon && !is_function && !ENDS_WITH_BRACE.contains(&keyword(0)) {
        return 0;
    }
    while let Some(token) = tokens.get(at) {
        let length = bracketed(tokens.get(at..).unwrap_or_default());
        at += length;
        if token.is_symbol(';') || (token.is_symbol('{') && !by_semicolon) {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::lexer::{Token, tokens};

    fn ordinary_words(text: &str) -> Vec<String> {
        tokens(text).iter().filter(|token| !token.test).filter_map(Token::word).map(String::from).collect()
    }

    #[test]
    fn an_item_under_cfg_test_is_test_code_to_its_end() {
        for item in [
            "mod tests { fn a() { { } } use b::{c, d}; }",
            "mod vectors;",
            "pub(crate) use a::{b, c};",
            "const A: B = B { c: [1; 2] };",
            "#[derive(Debug)] struct A(u8);",
            "pub(in crate::x) const fn a() -> B { c() }",
            "impl A for B { fn c() {} }",
        ] {
            assert_eq!(ordinary_words(&format!("before #[cfg(test)] {item} after")), ["before", "after"], "{item}");
        }
    }

    #[test]
    fn only_a_cfg_that_needs_test_marks_test_code() {
        assert_eq!(ordinary_words("#[cfg(all(test, unix))] mod a { b } c"), ["c"]);
        assert_eq!(ordinary_words("#[cfg(not(test))] mod a { b }"), ["cfg", "not", "test", "mod", "a", "b"]);
        assert_eq!(ordinary_words("#[cfg(any(test, unix))] fn a() {}").len(), 6);
    }

    #[test]
    fn a_field_under_cfg_test_hides_nothing_behind_it() {
        assert_eq!(ordinary_words("struct A { #[cfg(test)] b: C, } d").last().map(String::as_str), Some("d"));
        assert!(ordinary_words("struct A { #[cfg(test)] pub b: C, e: F } d").contains(&"F".to_owned()));
    }

    #[test]
    fn an_inner_cfg_test_marks_the_file() {
        assert!(ordinary_words("#![cfg(test)] use a::b; fn c() {}").is_empty());
    }
}

//! Rust source as tokens: no comments, literals without their content, each token knowing whether it is test code.

/// What a token is; the content of a literal is never looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or a keyword, a raw one without its `r#`.
    Word(String),
    /// A string, a character, a number or a lifetime.
    Literal,
    /// `::`
    PathSeparator,
    /// Any other character.
    Symbol(char),
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) line: usize,
    pub(crate) last_line: usize,
    /// Under `#[cfg(test)]`.
    pub(crate) test: bool,
}

impl Token {
    pub(crate) fn word(&self) -> Option<&str> {
        if let Kind::Word(word) = &self.kind { Some(word) } else { None }
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    pub(crate) fn is_symbol(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol(symbol)
    }
}

/// The tokens of one file.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { characters: text.chars().collect(), at: 0, line: 1 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token() {
        tokens.push(token);
    }
    super::cfg_test::mark(&mut tokens);
    tokens
}

struct Lexer {
    characters: Vec<char>,
    at: usize,
    line: usize,
}

impl Lexer {
    fn next_token(&mut self) -> Option<Token> {
        self.skip_blanks_and_comments();
        let line = self.line;
        let first = self.bump()?;
        let kind = match first {
            '"' => self.quoted('"'),
            '\'' => self.character_or_lifetime(),
            ':' if self.peek(0) == Some(':') => {
                self.bump();
                Kind::PathSeparator
            }
            '0'..='9' => {
                self.word_characters();
                Kind::Literal
            }
            _ if is_word(first) => self.word_or_prefixed_literal(first),
            _ => Kind::Symbol(first),
        };
        Some(Token { kind, line, last_line: self.line, test: false })
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    fn bump(&mut self) -> Option<char> {
        let character = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(character == '\n');
        Some(character)
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('/')) => {
                    while self.peek(0).is_some_and(|next| next != '\n') && self.bump().is_some() {}
                }
                (Some('/'), Some('*')) => self.block_comment(),
                (Some(blank), _) if blank.is_whitespace() => _ = self.bump(),
                _ => return,
            }
        }
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (None, _) => return,
                _ => {
                    self.bump();
                    continue;
                }
            }
            self.bump();
            self.bump();
            if depth == 0 {
                return;
            }
        }
    }

    /// The rest of a literal that ends at `end`, unless a backslash stands before it.
    fn quoted(&mut self, end: char) -> Kind {
        while let Some(character) = self.bump() {
            if character == '\\' {
                self.bump();
            } else if character == end {
                break;
            }
        }
        Kind::Literal
    }

    fn character_or_lifetime(&mut self) -> Kind {
        if self.peek(0) == Some('\\') || self.peek(1) == Some('\'') {
            return self.quoted('\'');
        }
        self.word_characters();
        Kind::Literal
    }

    fn word_or_prefixed_literal(&mut self, first: char) -> Kind {
        let mut word = String::from(first);
        word.push_str(&self.word_characters());
        let raw = matches!(word.as_str(), "r" | "br" | "cr");
        match self.peek(0) {
            Some('"') if raw => self.raw_string(0),
            Some('"') if matches!(word.as_str(), "b" | "c") => {
                self.bump();
                self.quoted('"')
            }
            Some('\'') if word == "b" => {
                self.bump();
                self.quoted('\'')
            }
            Some('#') if raw => {
                let hashes = self.characters.iter().skip(self.at).take_while(|next| **next == '#').count();
                if self.peek(hashes) == Some('"') {
                    self.raw_string(hashes)
                } else {
                    self.bump();
                    Kind::Word(self.word_characters())
                }
            }
            _ => Kind::Word(word),
        }
    }

    fn raw_string(&mut self, hashes: usize) -> Kind {
        for _ in 0..=hashes {
            self.bump();
        }
        while let Some(character) = self.bump() {
            if character == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                for _ in 0..hashes {
                    self.bump();
                }
                break;
            }
        }
        Kind::Literal
    }

    fn word_characters(&mut self) -> String {
        let mut word = String::new();
        while let Some(next) = self.peek(0).filter(|next| is_word(*next)) {
            word.push(next);
            self.bump();
        }
        word
    }
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).iter().filter_map(|token| token.word().map(String::from)).collect()
    }

    #[test]
    fn comments_are_no_code() {
        assert_eq!(words("a // b\n/* c /* d */ e */ f /// g\n//! h"), ["a", "f"]);
    }

    #[test]
    fn the_content_of_literals_is_no_code() {
        assert_eq!(
            words(r###"a "b \" c" d 'e' '\'' f b"g" h br#"i " j"# k r"l\" m c"n" o b'p' q"###),
            ["a", "d", "f", "h", "k", "m", "o", "q"]
        );
    }

    #[test]
    fn a_lifetime_does_not_open_a_character() {
        assert_eq!(words("fn f<'a>(x: &'a str) -> &'a crate::X"), ["fn", "f", "x", "str", "crate", "X"]);
    }

    #[test]
    fn a_raw_identifier_is_its_name() {
        assert_eq!(words("r#unsafe r#type"), ["unsafe", "type"]);
    }

    #[test]
    fn a_token_knows_its_lines() {
        let lines: Vec<_> = tokens("a\n\"b\nc\"\nd").iter().map(|token| (token.line, token.last_line)).collect();
        assert_eq!(lines, [(1, 1), (2, 3), (4, 4)]);
    }
}

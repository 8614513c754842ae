//! The fields of a form, as browsers write them: <https://url.spec.whatwg.org/#urlencoded-parsing>.

/// The first value of this name.
pub(crate) fn value(form: &[u8], name: &str) -> Option<String> {
    form.split(|byte| *byte == b'&').find_map(|pair| {
        let (field, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(equals) => (pair.get(..equals)?, pair.get(equals + 1..)?),
            None => (pair, &b""[..]),
        };
        (decoded(field) == name).then(|| decoded(value))
    })
}

fn decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'+', _) => (b' ', after),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', rest.get(1..).unwrap_or_default()),
            },
            _ => (*first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(character: u8) -> Option<u8> {
    u8::try_from(char::from(character).to_digit(16)?).ok()
}

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Panics unless the dump holds these bytes: that it is a dump of what is looked for, before something is not found in it.
pub fn assert_found(dump: &[u8], what: &str, bytes: &[u8]) {
    assert!(find(dump, bytes).is_some(), "{what} is not in the dump of {} bytes", dump.len());
}

/// Panics when the dump holds these bytes, as they are or written in hexadecimal or base64.
pub fn assert_nowhere(dump: &[u8], what: &str, bytes: &[u8]) {
    if let Some(form) = find(dump, bytes) {
        panic!("{what} is in the dump, {form}");
    }
}

/// How the bytes are written in the dump.
fn find(dump: &[u8], bytes: &[u8]) -> Option<&'static str> {
    assert!(bytes.len() >= 8, "{} bytes are found anywhere by chance", bytes.len());
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let forms = [
        ("as it is", bytes.to_vec()),
        ("in hexadecimal", hex.to_uppercase().into_bytes()),
        ("in hexadecimal", hex.into_bytes()),
        ("in base64", STANDARD_NO_PAD.encode(bytes).into_bytes()),
        ("in base64url", URL_SAFE_NO_PAD.encode(bytes).into_bytes()),
    ];
    let holds = |form: &[u8]| dump.windows(form.len()).any(|window| window == form);
    forms.into_iter().find_map(|(name, form)| holds(&form).then_some(name))
}

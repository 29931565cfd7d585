//! Any text is a script or errors with their places; reading it never panics or hangs.

use cardwright::observers::script::parse;

/// One try.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let load = |_: &str, path: &str| match path {
        "_a.apdu" => Ok(("_a.apdu".to_owned(), "reset\n".to_owned())),
        _ => Err("no such file".to_owned()),
    };
    for name in ["any.apdu", "any.lua"] {
        match parse(name, &text, &load) {
            Ok(script) => assert!(!script.cases.is_empty()),
            Err(errors) => errors.iter().for_each(|error| assert!(!error.to_string().is_empty())),
        }
    }
}

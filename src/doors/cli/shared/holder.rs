//! Who holds a card or an account, from a file.

use super::failure::Failure;
use crate::air::host::Holder;
use crate::base::bytes::Secret;
use crate::world::read_text;
use serde::Deserialize;
use std::path::Path;

/// Who the person is, as a file says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HolderFile {
    name: String,
    identity_number: String,
    phone: String,
}

/// Reads a holder's file: `name`, `identity_number` and `phone`.
pub(in crate::doors::cli) fn holder_of(path: &Path) -> Result<Holder, Failure> {
    let text = Secret::new(read_text(path).map_err(|cause| Failure::file("read", path, cause))?);
    let file: HolderFile = toml::from_str(text.expose()).map_err(|_| {
        // What the reader of TOML says repeats the text, and the text is who someone is.
        Failure::Usage(format!(
            "{}: expected name, identity_number and phone as three lines of TOML, and nothing else",
            path.display()
        ))
    })?;
    Ok(Holder {
        name: Secret::new(file.name),
        identity_number: Secret::new(file.identity_number),
        phone: Secret::new(file.phone),
    })
}

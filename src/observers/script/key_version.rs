//! Which cryptogram version a function works by: the one that it is told, or the card's.

use super::function_row::{FunctionError, Surroundings};
use super::value::Value;
use crate::words::dictionary::tag;
use crate::words::emv::cryptogram::{CRYPTOGRAM_VERSIONS, CryptogramVersion};

/// The version of this name; without one that of the issuer application data (9F10) that
/// the card gave, else the first of the list.
pub(super) fn version(
    name: Option<&Value>,
    surroundings: &dyn Surroundings,
) -> Result<&'static CryptogramVersion, FunctionError> {
    if let Some(name) = name {
        let found = name.text();
        return CryptogramVersion::by_name(&found).ok_or_else(|| {
            let known = CRYPTOGRAM_VERSIONS.iter().map(|row| row.name).collect::<Vec<_>>().join(", ");
            FunctionError::Name { what: "cryptogram version", found, known }
        });
    }
    let iad = surroundings.element(tag::ISSUER_APPLICATION_DATA);
    let told = iad.and_then(|iad| CryptogramVersion::by_iad(&iad));
    Ok(told.unwrap_or(&CRYPTOGRAM_VERSIONS[0]))
}

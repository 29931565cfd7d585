//! Values of arguments: hexadecimal bytes, keys that need not stand in a shell's history,
//! sequence numbers. No error repeats what may be a key.

use crate::base::bytes::{Secret, parse_hex};
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::roles::bureau::KeySet;
use crate::world::read_text;
use clap::{Arg, ArgAction};
use std::io::{BufRead, IsTerminal};
use std::path::Path;

/// How a key may be given; stands in every help text that asks for one.
const KEY_FORMS: &str = "hexadecimal, @FILE, - to be asked (or a line of standard input), or test-ac, test-mac, \
                         test-enc: the master keys of this project's test cards";

/// An argument of hexadecimal bytes.
pub(in crate::doors::cli::crypto) fn hex_argument(
    name: &'static str,
    value: &'static str,
    help: &'static str,
) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// An argument for a key.
pub(in crate::doors::cli::crypto) fn key_argument(name: &'static str, what: &str) -> Arg {
    Arg::new(name).long(name).value_name("KEY").allow_hyphen_values(true).help(format!("{what}: {KEY_FORMS}"))
}

/// An argument for a key that may come more than once, `why` says what for.
pub(in crate::doors::cli::crypto) fn keys_argument(name: &'static str, what: &str, why: &str) -> Arg {
    let arg = key_argument(name, what).required(true).action(ArgAction::Append);
    arg.help(format!("{what}: {KEY_FORMS}; more than once {why}"))
}

/// The bytes of an argument, if it is there.
pub(in crate::doors::cli::crypto) fn bytes(call: &Call<'_>, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let parse = |text| parse_hex(text).map_err(|cause| Failure::Usage(format!("--{name}: {cause}")));
    call.text(name).map(parse).transpose()
}

/// Exactly `N` bytes of an argument, if it is there.
pub(in crate::doors::cli::crypto) fn array<const N: usize>(
    call: &Call<'_>,
    name: &str,
) -> Result<Option<[u8; N]>, Failure> {
    let fixed = |bytes: Vec<u8>| {
        let found = bytes.len();
        bytes.try_into().map_err(|_| Failure::Usage(format!("--{name}: expected {N} bytes, found {found}")))
    };
    bytes(call, name)?.map(fixed).transpose()
}

/// An argument that a command cannot do without.
pub(in crate::doors::cli::crypto) fn needed<T>(
    value: Option<T>,
    name: &str,
    why: &str,
) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::Usage(format!("--{name} is needed {why}")))
}

/// The key of an argument, if it is there.
pub(in crate::doors::cli::crypto) fn key(
    call: &Call<'_>,
    name: &str,
) -> Result<Option<Secret<Vec<u8>>>, Failure> {
    call.text(name).map(|text| key_of(name, text)).transpose()
}

/// A key of 16 bytes, if the argument is there.
pub(in crate::doors::cli::crypto) fn key_16(
    call: &Call<'_>,
    name: &str,
) -> Result<Option<Secret<[u8; 16]>>, Failure> {
    key(call, name)?.map(|key| sixteen(name, &key)).transpose()
}

/// A key from its text, in one of [`KEY_FORMS`].
pub(in crate::doors::cli::crypto) fn key_of(name: &str, text: &str) -> Result<Secret<Vec<u8>>, Failure> {
    let set = KeySet::test();
    let test = match text {
        "test-ac" => Some(&set.master().ac),
        "test-mac" => Some(&set.master().mac),
        "test-enc" => Some(&set.master().enc),
        _ => None,
    };
    if let Some(key) = test {
        return Ok(Secret::new(key.expose().to_vec()));
    }
    let text = Secret::new(match (text, text.strip_prefix('@')) {
        ("-", _) => asked(&format!("--{name}"))?,
        (_, Some(path)) => {
            let path = Path::new(path);
            read_text(path).map_err(|cause| Failure::file("read", path, cause))?
        }
        _ => text.to_owned(),
    });
    let wrong = |cause| Failure::Usage(format!("--{name}: expected a key: {cause}"));
    parse_hex(text.expose().trim()).map(Secret::new).map_err(wrong)
}

/// The 16 bytes of a key.
pub(in crate::doors::cli::crypto) fn sixteen(
    name: &str,
    key: &Secret<Vec<u8>>,
) -> Result<Secret<[u8; 16]>, Failure> {
    let found = key.expose().len();
    let wrong = |_| Failure::Usage(format!("--{name}: expected a key of 16 bytes, found {found}"));
    key.expose().as_slice().try_into().map(Secret::new).map_err(wrong)
}

/// A secret that a person types without echo, or a line of standard input.
pub(in crate::doors::cli::crypto) fn asked(what: &str) -> Result<String, Failure> {
    let failed = |cause| Failure::file("read", Path::new("standard input"), cause);
    let input = std::io::stdin();
    if input.is_terminal() {
        return rpassword::prompt_password(format!("{what}: ")).map_err(failed);
    }
    let mut line = String::new();
    match input.lock().read_line(&mut line).map_err(failed)? {
        0 => Err(Failure::Usage(format!("{what}: expected a line of standard input, found none"))),
        _ => Ok(line),
    }
}

/// The digits of `--pan`.
pub(in crate::doors::cli::crypto) fn pan_argument() -> Arg {
    hex_argument("pan", "DIGITS", "The card's number")
}

/// `--psn`, as two digits.
pub(in crate::doors::cli::crypto) fn psn_argument() -> Arg {
    hex_argument("psn", "NN", "PAN sequence number (5F34), two digits; 00 where the card has none")
}

/// The byte of `--psn`.
pub(in crate::doors::cli::crypto) fn psn(call: &Call<'_>) -> Result<Option<u8>, Failure> {
    Ok(array(call, "psn")?.map(|[byte]| byte))
}

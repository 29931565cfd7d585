//! `cardwright crypto kcv`: key check values, of components too.

use super::cipher;
use super::shared::card_key::usage;
use super::shared::given::{key_of, keys_argument, needed};
use super::shared::steps;
use crate::base::bytes::{Hex, Secret};
use crate::base::crypto::BlockCipher;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "kcv",
    about: "Computes a key's check value, and its parity; several components are joined first",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    line.arg(keys_argument("key", "The key", "for components, which are joined by exclusive or"))
        .arg(cipher::argument())
        .arg(steps::argument())
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let mut steps = steps::Steps::default();
    let kind = cipher::kind(call);
    let parts = call.texts("key").map(|text| key_of("key", text)).collect::<Result<Vec<_>, _>>()?;
    let mut joined: Option<Secret<Vec<u8>>> = None;
    for (place, part) in parts.iter().enumerate() {
        if parts.len() > 1 {
            let check = BlockCipher::new(kind, part.clone()).and_then(|cipher| cipher.check_value());
            steps.hex(format!("component {}, check value", place + 1), &check.map_err(usage)?);
        }
        joined = Some(match joined {
            None => part.clone(),
            Some(mut sum) if sum.expose().len() == part.expose().len() => {
                sum.expose_mut().iter_mut().zip(part.expose()).for_each(|(byte, other)| *byte ^= other);
                sum
            }
            Some(_) => return Err(Failure::Usage("--key: expected components of one length".into())),
        });
    }
    let key = needed(joined, "key", "for a check value")?;
    if kind == crate::base::crypto::CipherKind::Des {
        let even = key.expose().iter().filter(|byte| byte.count_ones().is_multiple_of(2)).count();
        match even {
            0 => steps.text("parity", "odd, as DES keys have it"),
            _ => steps.text("parity", format!("{even} of {} bytes are even", key.expose().len())),
        }
    }
    let cipher = BlockCipher::new(kind, key).map_err(usage)?;
    if let Some(other) = cipher.check_value_cmac() {
        steps.text("check value by CMAC (X9.24-1:2017)", Hex(&other));
    }
    let check = cipher.check_value().map_err(usage)?;
    steps.end_hex(call, "check value", &check);
    Ok(Exit::Done)
}

//! The quick balance: two APDUs, no transaction counter (JR/T 0025.13).

use super::facts::Fact;
use crate::air::link::{Card, LinkError};
use crate::base::context::Context;
use crate::roles::terminal::config::TerminalConfig;
use crate::words::emv::Fci;
use crate::words::emv::command::GetData;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::ApduCommand;
use crate::words::iso7816::command::Select;
use crate::words::pboc::EcashSet;

/// Asks for the electronic cash balance: SELECT, GET DATA 9F79 (or DF79 for the
/// second currency, whose code must then be known). Where the terminal's first
/// application is not there the next one is tried.
pub fn quick_balance(
    card: &mut dyn Card,
    config: &TerminalConfig,
    set: EcashSet,
    currency: Currency,
    context: &mut Context,
) -> Result<Fact<Amount>, LinkError> {
    let mut reason = "the terminal supports no application".to_owned();
    for aid in config.aids() {
        let select = Select::first(aid.clone());
        let selected = card.transmit(&select.to_apdu(), context)?;
        if !selected.status.is_ok() {
            reason = format!("SELECT {aid} answered {}", selected.status);
            continue;
        }
        if let Err(error) = Fci::parse(&selected.data, aid) {
            reason = error.to_string();
            continue;
        }
        let ask = GetData { tag: set.balance };
        return Ok(match ask.answer(&card.transmit(&ask.to_apdu(), context)?) {
            Ok((_, value)) => match Amount::from_bcd(&value, currency) {
                Ok(amount) => Fact::Known(amount),
                Err(error) => Fact::Absent(format!("{}: {error}", set.balance)),
            },
            Err(error) => Fact::Absent(error.to_string()),
        });
    }
    Ok(Fact::Absent(reason))
}

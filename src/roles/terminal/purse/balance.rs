//! What a purse holds: GET BALANCE, whose parts cards understand in several ways.

use super::facts::PurseBalance;
use crate::air::link::{Card, LinkError};
use crate::base::context::Context;
use crate::roles::terminal::Fact;
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::{ApduCommand, CommandError, StatusWord};
use crate::words::pboc::command::GetBalance;
use crate::words::pboc::{BalanceReading, CityBalance};

/// A balance; none where the card has no such purse.
pub(super) fn told(
    card: &mut dyn Card,
    balance: &CityBalance,
    currency: Currency,
    context: &mut Context,
) -> Result<Option<PurseBalance>, LinkError> {
    let mut ask = |part| part_of(card, part, balance, context);
    let money = match balance.reading {
        BalanceReading::Whole | BalanceReading::Flagged => match ask(0)? {
            Err(Refused::NoPurse) => return Ok(None),
            Err(Refused::Because(reason)) => Err(reason),
            Ok(own) => Ok(Money { own, limit: 0 }),
        },
        BalanceReading::Parts => {
            let parts = [ask(0)?, ask(1)?, ask(2)?, ask(3)?];
            if parts.iter().all(|part| matches!(part, Err(Refused::NoPurse))) {
                return Ok(None);
            }
            put_together(parts)
        }
    };
    let amount = |minor: i64| Amount::new(minor.unsigned_abs(), currency);
    let name = balance.name.clone();
    let (purse, none) = (balance.purse, None);
    Ok(Some(match money {
        Err(reason) => {
            let balance = Fact::Absent(reason);
            PurseBalance { name, purse, balance, overdraft_limit: none, overdrawn: none }
        }
        Ok(Money { own, limit }) => {
            let spendable = own + limit;
            PurseBalance {
                name,
                purse,
                balance: Fact::Known(amount(spendable.max(0))),
                overdraft_limit: (limit > 0).then(|| amount(limit)),
                overdrawn: (spendable < 0).then(|| amount(spendable)),
            }
        }
    }))
}

/// What the parts come to, minor units.
#[derive(Debug, PartialEq, Eq)]
struct Money {
    /// The holder's own.
    own: i64,
    /// What may be overdrawn.
    limit: i64,
}

#[derive(Debug, Clone)]
enum Refused {
    NoPurse,
    Because(String),
}

/// Own money is part 00 less 01, and part 03 less 02; where a card tells all four, both agree or
/// nothing is told.
fn put_together(parts: [Result<i64, Refused>; 4]) -> Result<Money, String> {
    let first = parts[0].clone();
    let [spendable, limit, overdrawn, own] = parts.map(Result::ok);
    let by_limit = spendable.map(|spendable| spendable - limit.unwrap_or(0));
    let by_overdrawn = own.map(|own| own - overdrawn.unwrap_or(0));
    let limit = limit.unwrap_or(0);
    match (by_limit, by_overdrawn) {
        (Some(one), Some(other)) if one != other => Err(format!(
            "GET BALANCE contradicts itself: parts 00 less 01 are {one} minor units, 03 less 02 are {other}"
        )),
        (Some(own), _) | (None, Some(own)) => Ok(Money { own, limit }),
        (None, None) => Err(match first {
            Err(Refused::Because(reason)) => reason,
            _ => "GET BALANCE told no part of it".into(),
        }),
    }
}

fn part_of(
    card: &mut dyn Card,
    part: u8,
    balance: &CityBalance,
    context: &mut Context,
) -> Result<Result<i64, Refused>, LinkError> {
    let ask = GetBalance { part, purse: balance.purse };
    Ok(match ask.answer(&card.transmit(&ask.to_apdu(), context)?) {
        Ok(told) => Ok(balance.reading.minor(told.balance_minor)),
        Err(CommandError::Refused { status: StatusWord::NOT_SUPPORTED, .. }) => Err(Refused::NoPurse),
        Err(CommandError::Refused { status, .. }) => {
            Err(Refused::Because(format!("GET BALANCE answered {status}")))
        }
        Err(error) => Err(Refused::Because(error.to_string())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readings_of_the_parts_agree() {
        let no = || Err(Refused::NoPurse);
        let together = |parts| put_together(parts);
        // Overdrawn by 5.00 of 8.00.
        let all = [Ok(300), Ok(800), Ok(500), Ok(0)];
        assert_eq!(together(all), Ok(Money { own: -500, limit: 800 }));
        assert_eq!(together([Ok(300), Ok(800), no(), no()]), Ok(Money { own: -500, limit: 800 }));
        assert_eq!(together([no(), Ok(800), Ok(500), Ok(0)]), Ok(Money { own: -500, limit: 800 }));
        assert_eq!(together([Ok(740), no(), no(), no()]), Ok(Money { own: 740, limit: 0 }));
        assert!(together([Ok(300), Ok(800), Ok(400), Ok(0)]).unwrap_err().contains("-400"));
        assert!(together([no(), no(), Err(Refused::Because("x".into())), no()]).is_err());
    }
}

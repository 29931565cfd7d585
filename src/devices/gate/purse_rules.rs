//! What a line has to say of purses, as data: which are met, what a ride costs them, and the travel
//! record that is written with the debit. What a purse does may not enter.

use super::error::LineError;
use super::line_kind::LineKind;
use crate::base::env::Timestamp;
use crate::roles::terminal::Bytes;
use crate::words::emv::with_century;
use crate::words::iso7816::Aid;
use crate::words::pboc::TravelRecord;
use serde::Deserialize;

/// A line's rules for purses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurseRules {
    /// The purses that are met, in this order.
    pub aids: Vec<Aid>,
    /// Whether a purse that is not valid or lacks the fare is passed over for the bank card
    /// beside it.
    #[serde(default)]
    pub then_bank_card: bool,
    /// Rides of a purse that pass by a proof which the security module can no longer judge, until
    /// its issuer has judged them.
    pub unjudged_proofs: u64,
    /// Taps that may fail to prove what became of a ride before the next one is begun.
    pub proof_taps: u32,
    /// The file of travel records: short file identifier, 1 to 30.
    pub travel_sfi: u8,
    /// Industry: 0 other, 1 metro, 2 bus.
    pub industry: u8,
    /// Line.
    pub line: Bytes<2>,
    /// Operator.
    pub operator: Bytes<2>,
    /// City.
    pub city: Bytes<2>,
    /// Institution.
    pub institution: Bytes<8>,
    /// What a ride costs at an exit whose beginning no record tells, minor units.
    pub unknown_entry_minor: u64,
    /// What a ride costs at an exit.
    #[serde(default, rename = "fare")]
    pub fares: Vec<Fare>,
    /// What is charged at an entry for a ride before that was never ended, minor units.
    #[serde(default)]
    pub missing_exit_minor: u64,
}

/// What a ride from a station costs at this exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fare {
    /// The station.
    pub from: Bytes<2>,
    /// Minor units.
    pub minor: u64,
}

/// What a tap of a purse is, and costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tariff {
    /// The type of its travel record.
    pub(super) kind: u8,
    /// Minor units.
    pub(super) minor: u64,
    /// Why so much.
    pub(super) reason: &'static str,
}

impl PurseRules {
    pub(super) fn check(&self) -> Result<(), LineError> {
        let most = self.fares.iter().map(|fare| fare.minor).max().unwrap_or(0);
        let most = most.max(self.unknown_entry_minor).max(self.missing_exit_minor);
        let wrong = |field, expected, found: String| Err(LineError::Value { field, expected, found });
        match () {
            () if !(1..=30).contains(&self.travel_sfi) => {
                wrong("purse.travel_sfi", "1 to 30", self.travel_sfi.to_string())
            }
            () if most > u64::from(u32::MAX) => {
                wrong("purse.fare", "fares up to 4294967295", most.to_string())
            }
            () => Ok(()),
        }
    }

    /// Whether the newest travel record says what a tap costs.
    pub(super) const fn reads_travel(&self, kind: LineKind) -> bool {
        !matches!(kind, LineKind::Bus)
    }

    /// What a tap costs at a gate of this kind and fare, whose card has this newest travel record.
    pub(super) fn tariff(&self, kind: LineKind, fare_minor: u64, newest: Option<&TravelRecord>) -> Tariff {
        let entered = newest.filter(|record| record.kind == TravelRecord::ENTRY);
        match (kind, entered) {
            (LineKind::Bus, _) => {
                Tariff { kind: TravelRecord::SINGLE, minor: fare_minor, reason: "the fare" }
            }
            (LineKind::Entry, None) => {
                Tariff { kind: TravelRecord::ENTRY, minor: 0, reason: "charged at the exit" }
            }
            (LineKind::Entry, Some(_)) => Tariff {
                kind: TravelRecord::ENTRY,
                minor: self.missing_exit_minor,
                reason: "the ride before was never ended",
            },
            (LineKind::Exit, None) => Tariff {
                kind: TravelRecord::EXIT,
                minor: self.unknown_entry_minor,
                reason: "no record tells where the ride began",
            },
            (LineKind::Exit, Some(entry)) => {
                match self.fares.iter().find(|fare| fare.from.0 == entry.stop()) {
                    Some(fare) => Tariff {
                        kind: TravelRecord::EXIT,
                        minor: fare.minor,
                        reason: "the fare from where the ride began",
                    },
                    None => Tariff {
                        kind: TravelRecord::EXIT,
                        minor: self.unknown_entry_minor,
                        reason: "no fare is known from where the ride began",
                    },
                }
            }
        }
    }

    /// The travel record of a ride at a station.
    pub(super) fn record(
        &self,
        station: Bytes<2>,
        tariff: Tariff,
        balance_minor: u32,
        terminal: [u8; 6],
        at: Timestamp,
    ) -> TravelRecord {
        let [a, b, c, d, e, f] = terminal;
        let amount_minor = u32::try_from(tariff.minor).unwrap_or(u32::MAX);
        TravelRecord {
            kind: tariff.kind,
            terminal: [0, 0, a, b, c, d, e, f],
            industry: self.industry,
            station: TravelRecord::station_of(self.line.0, station.0, self.operator.0),
            amount_minor,
            balance_minor: balance_minor.saturating_sub(amount_minor),
            date: with_century(at.yymmdd()),
            time: at.hhmmss(),
            city: self.city.0,
            institution: self.institution.0,
            reserved: [0; 6],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::gate::Line;

    #[test]
    fn a_ride_costs_what_its_beginning_says() {
        let bus = Line::default();
        let rules = bus.purse.clone().unwrap();
        let entered = |station| {
            let tariff = Tariff { kind: TravelRecord::ENTRY, minor: 0, reason: "" };
            rules.record(Bytes(station), tariff, 900, [1; 6], Timestamp::default())
        };
        let left = TravelRecord { kind: TravelRecord::EXIT, ..entered([1, 2]) };
        let minor = |kind, newest: Option<&TravelRecord>| {
            let rules = PurseRules { missing_exit_minor: 77, ..rules.clone() };
            rules.tariff(kind, bus.fare_minor, newest).minor
        };
        assert_eq!(minor(LineKind::Bus, Some(&entered([1, 2]))), 200);
        assert_eq!(minor(LineKind::Entry, None), 0);
        assert_eq!(minor(LineKind::Entry, Some(&left)), 0);
        assert_eq!(minor(LineKind::Entry, Some(&entered([1, 2]))), 77);
        assert_eq!(minor(LineKind::Exit, Some(&entered([1, 2]))), 300);
        assert_eq!(minor(LineKind::Exit, Some(&entered([9, 9]))), 800);
        assert_eq!(minor(LineKind::Exit, Some(&left)), 800);
        assert_eq!(minor(LineKind::Exit, None), 800);
    }

    #[test]
    fn a_record_says_what_is_left() {
        let line = Line::default();
        let rules = line.purse.clone().unwrap();
        let tariff = rules.tariff(line.kind, line.fare_minor, None);
        let at = Timestamp::from_civil(2026, 11, 22, 9, 5, 7).unwrap();
        let record = rules.record(line.station, tariff, 900, [0, 0, 0, 0, 0, 1], at);
        assert_eq!((record.amount_minor, record.balance_minor), (200, 700));
        assert_eq!((record.date, record.time), ([0x20, 0x26, 0x11, 0x22], [0x09, 0x05, 0x07]));
        assert_eq!((record.terminal, record.stop()), ([0, 0, 0, 0, 0, 0, 0, 1], [1, 1]));
    }
}

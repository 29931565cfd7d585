//! Session keys, MACs and TAC of the electronic deposit and electronic purse
//! (PBOC 1.0/2.0 part 2; JR/T 0025.1 and .2): load, purchase, unload, overdraft.
//!
//! Every MAC is single DES in CBC mode, IV 0, padding 80 00..., leftmost 4 bytes.

use crate::base::bytes::Secret;
use crate::base::crypto::{self, Padding};

/// A session key of the purse: one DES key.
pub type PurseSessionKey = Secret<[u8; 8]>;

/// Which of a card's purses, as P2 of the commands has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PurseId(pub u8);

impl PurseId {
    /// Electronic deposit (电子存折).
    pub const DEPOSIT: Self = Self(0x01);
    /// Electronic purse (电子钱包).
    pub const PURSE: Self = Self(0x02);
    /// Both.
    pub const ALL: [Self; 2] = [Self::DEPOSIT, Self::PURSE];

    /// The sequence number by which issuer and terminal tell a card's purses from its other
    /// applications: 81 the deposit, 82 the purse. It is ours; the standard has none.
    pub const fn sequence_number(self) -> u8 {
        0x80 | self.0
    }

    /// The purse of a sequence number, where it is one of a purse.
    pub fn of_sequence_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|purse| purse.sequence_number() == number)
    }

    /// Its short name: `ED`, `EP`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::DEPOSIT => "ED",
            _ => "EP",
        }
    }

    /// What a load of it is.
    pub const fn load(self) -> PurseTransactionType {
        match self {
            Self::DEPOSIT => PurseTransactionType::LOAD_DEPOSIT,
            _ => PurseTransactionType::LOAD_PURSE,
        }
    }

    /// What a simple purchase with it is.
    pub const fn purchase(self) -> PurseTransactionType {
        match self {
            Self::DEPOSIT => PurseTransactionType::PURCHASE_DEPOSIT,
            _ => PurseTransactionType::PURCHASE_PURSE,
        }
    }
}

/// What a transaction is, as it goes into MACs and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PurseTransactionType(pub u8);

impl PurseTransactionType {
    /// Load of the electronic deposit.
    pub const LOAD_DEPOSIT: Self = Self(0x01);
    /// Load of the electronic purse.
    pub const LOAD_PURSE: Self = Self(0x02);
    /// Unload.
    pub const UNLOAD: Self = Self(0x03);
    /// Cash withdrawal from the electronic deposit.
    pub const CASH_WITHDRAWAL: Self = Self(0x04);
    /// Purchase with the electronic deposit.
    pub const PURCHASE_DEPOSIT: Self = Self(0x05);
    /// Purchase with the electronic purse.
    pub const PURCHASE_PURSE: Self = Self(0x06);
    /// Change of the overdraft limit.
    pub const OVERDRAFT: Self = Self(0x07);
    /// Compound purchase: one that also writes a record.
    pub const COMPOUND_PURCHASE: Self = Self(0x09);

    /// Its words, where it has any.
    pub const fn words(self) -> &'static str {
        match self {
            Self::LOAD_DEPOSIT => "load of the deposit",
            Self::LOAD_PURSE => "load of the purse",
            Self::UNLOAD => "unload",
            Self::CASH_WITHDRAWAL => "cash withdrawal",
            Self::PURCHASE_DEPOSIT => "purchase with the deposit",
            Self::PURCHASE_PURSE => "purchase",
            Self::OVERDRAFT => "change of the overdraft limit",
            Self::COMPOUND_PURCHASE => "compound purchase",
            _ => "other transaction",
        }
    }

    /// Whether money comes onto the card from its account.
    pub const fn is_load(self) -> bool {
        matches!(self, Self::LOAD_DEPOSIT | Self::LOAD_PURSE)
    }

    /// Whether the card gives the amount up for goods or cash, before a security module.
    pub const fn is_purchase(self) -> bool {
        matches!(
            self,
            Self::CASH_WITHDRAWAL | Self::PURCHASE_DEPOSIT | Self::PURCHASE_PURSE | Self::COMPOUND_PURCHASE
        )
    }
}

/// The terms of one transaction, equal for both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurseTerms {
    /// Amount in minor units.
    pub amount_minor: u32,
    /// What the transaction is.
    pub kind: PurseTransactionType,
    /// Terminal number.
    pub terminal: [u8; 6],
    /// Date, BCD YYYYMMDD.
    pub date: [u8; 4],
    /// Time, BCD hhmmss.
    pub time: [u8; 3],
}

/// Session key of load, unload and overdraft change: from the card's random number
/// and the online transaction counter. The card key is the one for that purpose.
pub fn online_session_key(card_key: &[u8; 16], random: [u8; 4], online_sequence: u16) -> PurseSessionKey {
    let [r0, r1, r2, r3] = random;
    let [s0, s1] = online_sequence.to_be_bytes();
    crypto::tdes_encrypt_block(card_key, [r0, r1, r2, r3, s0, s1, 0x80, 0x00]).into()
}

/// Session key of a purchase: from the card's random number, the offline
/// transaction counter and the low two bytes of the terminal's counter.
pub fn purchase_session_key(
    card_key: &[u8; 16],
    random: [u8; 4],
    offline_sequence: u16,
    terminal_sequence: u32,
) -> PurseSessionKey {
    let [r0, r1, r2, r3] = random;
    let [s0, s1] = offline_sequence.to_be_bytes();
    let [_, _, t0, t1] = terminal_sequence.to_be_bytes();
    crypto::tdes_encrypt_block(card_key, [r0, r1, r2, r3, s0, s1, t0, t1]).into()
}

impl PurseTerms {
    /// MAC1 of load and unload, card to host: old balance, amount, type, terminal.
    pub fn load_mac1(&self, session_key: &PurseSessionKey, old_balance_minor: u32) -> [u8; 4] {
        mac(
            session_key,
            &[&old_balance_minor.to_be_bytes(), &self.amount_bytes(), &[self.kind.0], &self.terminal],
        )
    }

    /// MAC2 of load and unload, host to card: amount, type, terminal, date, time.
    pub fn load_mac2(&self, session_key: &PurseSessionKey) -> [u8; 4] {
        mac(session_key, &[&self.amount_bytes(), &[self.kind.0], &self.terminal, &self.date, &self.time])
    }

    /// TAC of a load. `online_sequence` is the counter before it steps.
    pub fn load_tac(
        &self,
        tac_key: &PurseSessionKey,
        new_balance_minor: u32,
        online_sequence: u16,
    ) -> [u8; 4] {
        self.after_update(tac_key, new_balance_minor, online_sequence)
    }

    /// MAC3 of an unload, card to host, under its session key.
    /// `online_sequence` is the counter before it steps.
    pub fn unload_mac3(
        &self,
        session_key: &PurseSessionKey,
        new_balance_minor: u32,
        online_sequence: u16,
    ) -> [u8; 4] {
        self.after_update(session_key, new_balance_minor, online_sequence)
    }

    /// MAC1 of a purchase, security module to card: amount, type, terminal, date,
    /// time, and the certification code where the city has one.
    pub fn purchase_mac1(
        &self,
        session_key: &PurseSessionKey,
        certification_code: Option<&[u8; 9]>,
    ) -> [u8; 4] {
        let code = certification_code.map(|code| &code[..]).unwrap_or_default();
        mac(
            session_key,
            &[&self.amount_bytes(), &[self.kind.0], &self.terminal, &self.date, &self.time, code],
        )
    }

    /// MAC2 of a purchase, card to security module: the amount.
    pub fn purchase_mac2(&self, session_key: &PurseSessionKey) -> [u8; 4] {
        mac(session_key, &[&self.amount_bytes()])
    }

    /// TAC of a purchase: amount, type, terminal, terminal counter, date, time.
    pub fn purchase_tac(&self, tac_key: &PurseSessionKey, terminal_sequence: u32) -> [u8; 4] {
        mac(
            tac_key,
            &[
                &self.amount_bytes(),
                &[self.kind.0],
                &self.terminal,
                &terminal_sequence.to_be_bytes(),
                &self.date,
                &self.time,
            ],
        )
    }

    fn after_update(&self, key: &PurseSessionKey, new_balance_minor: u32, online_sequence: u16) -> [u8; 4] {
        mac(
            key,
            &[
                &new_balance_minor.to_be_bytes(),
                &online_sequence.to_be_bytes(),
                &self.amount_bytes(),
                &[self.kind.0],
                &self.terminal,
                &self.date,
                &self.time,
            ],
        )
    }

    fn amount_bytes(&self) -> [u8; 4] {
        self.amount_minor.to_be_bytes()
    }
}

/// The terms of a change of the overdraft limit (electronic deposit only). Limits
/// are 3 bytes, minor units, as the commands carry them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverdraftTerms {
    /// The limit before.
    pub old_limit: [u8; 3],
    /// The limit after.
    pub new_limit: [u8; 3],
    /// Terminal number.
    pub terminal: [u8; 6],
    /// Date, BCD YYYYMMDD.
    pub date: [u8; 4],
    /// Time, BCD hhmmss.
    pub time: [u8; 3],
}

impl OverdraftTerms {
    const KIND: [u8; 1] = [PurseTransactionType::OVERDRAFT.0];

    /// MAC1, card to host: old balance, old limit, type, terminal.
    pub fn mac1(&self, session_key: &PurseSessionKey, old_balance_minor: u32) -> [u8; 4] {
        mac(session_key, &[&old_balance_minor.to_be_bytes(), &self.old_limit, &Self::KIND, &self.terminal])
    }

    /// MAC2, host to card: new limit, type, terminal, date, time.
    pub fn mac2(&self, session_key: &PurseSessionKey) -> [u8; 4] {
        mac(session_key, &[&self.new_limit, &Self::KIND, &self.terminal, &self.date, &self.time])
    }

    /// TAC: new stored balance, online counter before it steps, new limit, type,
    /// terminal, date, time.
    pub fn tac(&self, tac_key: &PurseSessionKey, new_balance_minor: u32, online_sequence: u16) -> [u8; 4] {
        mac(
            tac_key,
            &[
                &new_balance_minor.to_be_bytes(),
                &online_sequence.to_be_bytes(),
                &self.new_limit,
                &Self::KIND,
                &self.terminal,
                &self.date,
                &self.time,
            ],
        )
    }
}

/// An overdraft limit as commands and records carry it, 3 bytes; `None` above 167772.15.
pub const fn limit_bytes(minor: u32) -> Option<[u8; 3]> {
    match minor.to_be_bytes() {
        [0, limit @ ..] => Some(limit),
        _ => None,
    }
}

/// An overdraft limit of 3 bytes, minor units.
pub const fn limit_minor([a, b, c]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, a, b, c])
}

/// The key of TACs: left half XOR right half of the card's TAC key.
pub fn tac_key(card_tac_key: &[u8; 16]) -> PurseSessionKey {
    crypto::purse_tac_key(card_tac_key).into()
}

/// MAC of an update, block or unblock under the card's maintenance key (algorithm 3): header
/// and data, chained to the card's challenge, `challenge` and zeros up to 8 bytes.
pub fn maintenance_mac(key: &[u8; 16], challenge: [u8; 8], data: &[u8]) -> [u8; 4] {
    let mut padded = crypto::pad(data, 8, Padding::Method2);
    padded.iter_mut().zip(challenge).for_each(|(byte, first)| *byte ^= first);
    let [a, b, c, d, ..] = crypto::mac_algorithm_3(key, &padded, Padding::Method1);
    [a, b, c, d]
}

/// MAC of RELOAD PIN over the PIN's bytes: single DES under left half XOR right half of the key.
pub fn reload_pin_mac(key: &[u8; 16], pin: &[u8]) -> [u8; 4] {
    mac(&crypto::purse_tac_key(key).into(), &[pin])
}

fn mac(key: &PurseSessionKey, parts: &[&[u8]]) -> [u8; 4] {
    let [a, b, c, d, ..] = crypto::mac_algorithm_1(key.expose(), [0; 8], &parts.concat(), Padding::Method2);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unload_and_overdraft_depend_on_every_term() {
        let key: PurseSessionKey = [3; 8].into();
        let terms = PurseTerms {
            amount_minor: 100,
            kind: PurseTransactionType::UNLOAD,
            terminal: [1; 6],
            date: [0x20, 0x14, 0x08, 0x25],
            time: [0x10, 0x31, 0x00],
        };
        let mac3 = terms.unload_mac3(&key, 900, 1);
        assert_ne!(mac3, terms.unload_mac3(&key, 900, 2));
        assert_ne!(mac3, terms.unload_mac3(&key, 901, 1));
        let change = OverdraftTerms {
            old_limit: [0, 0, 0],
            new_limit: [0, 0x27, 0x10],
            terminal: terms.terminal,
            date: terms.date,
            time: terms.time,
        };
        let other = OverdraftTerms { new_limit: [0, 0x27, 0x11], ..change };
        assert_ne!(change.mac2(&key), other.mac2(&key));
        assert_ne!(change.tac(&key, 5, 1), other.tac(&key, 5, 1));
        assert_eq!(change.mac1(&key, 5), other.mac1(&key, 5), "MAC1 carries the old limit");
    }
}

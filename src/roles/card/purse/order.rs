//! Personalisation of a purse and of a security module: keys, numbers and files.

use super::memory::{File, KeyRing, PurseMemory, SamMemory, Wallet};
use super::profile::{FileProfile, Inserted};
use super::secure::KEY_TRIES;
use crate::base::bytes::{Secret, digits_to_bcd};
use crate::roles::card::{CardError, CardMemory, Order};
use crate::words::emv::{Pan, with_century};
use crate::words::pboc::command::pin_bytes;
use crate::words::pboc::purse::PurseId;
use crate::words::pboc::{PurseKeyKind, PurseKeys, application_serial};

/// What a purse or security module gets beyond a card's order.
#[derive(Debug, Clone)]
pub struct PurseOrder<'a> {
    /// The master keys.
    pub master: &'a PurseKeys,
    /// The number of a security module's terminal.
    pub terminal: [u8; 6],
}

impl CardMemory {
    /// Whether it has purses or security modules that want keys.
    pub fn wants_purse_keys(&self) -> bool {
        let applications = &self.image.profile.applications;
        applications.iter().any(|profile| profile.purse.is_some() || profile.sam.is_some())
    }

    /// Gives purses and security modules their keys, files and balances.
    pub fn install_purses(&mut self, order: &Order, extra: &PurseOrder<'_>) -> Result<(), CardError> {
        let profiles = std::sync::Arc::clone(&self.image.profile);
        let first = profiles.applications.iter().find_map(|profile| profile.purse.as_ref());
        let of_card = first.map_or(order.pan.clone(), |own| own.number.of(&order.pan));
        for (profile, memory) in profiles.applications.iter().zip(&mut self.image.applications) {
            let number = profile.purse.as_ref().map_or(of_card.clone(), |own| own.number.of(&order.pan));
            let insert = |what| inserted(what, &number, order, extra);
            if let Some(own) = &profile.purse {
                let pin = order.pin.as_ref().map(|pin| pin_bytes(pin.expose())).unwrap_or_default();
                let has = [own.deposit, own.purse];
                let each = PurseId::ALL.into_iter().zip(has);
                memory.purse = Some(Box::new(PurseMemory {
                    keys: KeyRing::from(&extra.master.diversify(application_serial(&number))),
                    pin: Secret::new(pin),
                    wallets: each
                        .filter(|(_, has)| *has)
                        .map(|(id, _)| {
                            Wallet::new(id, order.purse_minor, (own.online_sequence, own.offline_sequence))
                        })
                        .collect(),
                    files: own.files.iter().map(|file| made(file, &insert)).collect(),
                    key_tries_left: KEY_TRIES,
                    locked: false,
                }));
            }
            if let Some(own) = &profile.sam {
                memory.sam = Some(Box::new(SamMemory {
                    purchase: extra.master.of(PurseKeyKind::Purchase).clone(),
                    files: own.files.iter().map(|file| made(file, &insert)).collect(),
                    sequence: 0,
                    mac_tries_left: own.mac_tries,
                }));
            }
        }
        let insert = |what| inserted(what, &of_card, order, extra);
        self.image.files = profiles.files.iter().map(|file| made(file, &insert)).collect();
        Ok(())
    }

    /// Lets its security modules have begun so many purchases already: a TAC tells two purchases of
    /// one second apart by that number.
    pub fn start_modules_at(&mut self, sequence: u32) {
        let modules = self.image.applications.iter_mut().filter_map(|application| application.sam.as_mut());
        modules.for_each(|module| module.sequence = sequence);
    }

    /// Every deposit and purse on the card of this number.
    pub fn purses(&self, card: &Pan) -> Vec<PurseOnCard> {
        let applications = self.image.profile.applications.iter().zip(&self.image.applications);
        let purses =
            applications.filter_map(|(profile, memory)| profile.purse.as_ref().zip(memory.purse.as_ref()));
        let each = purses.flat_map(|(profile, memory)| {
            memory.wallets.iter().map(|wallet| PurseOnCard {
                number: profile.number.of(card),
                purse: PurseId(wallet.id),
                own_minor: wallet.own_minor,
                limit_minor: profile.balance_limit_minor,
            })
        });
        each.collect()
    }
}

/// A deposit or a purse, as its issuer puts it on file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurseOnCard {
    /// Its account number.
    pub number: Pan,
    /// Which of the two.
    pub purse: PurseId,
    /// The holder's own money, minor units.
    pub own_minor: i64,
    /// Most that it may hold, minor units.
    pub limit_minor: u32,
}

fn made(profile: &FileProfile, insert: &dyn Fn(Inserted) -> Vec<u8>) -> File {
    let mut bytes = profile.content.0.clone();
    for place in &profile.inserts {
        let value = insert(place.what);
        bytes[place.at..place.at + value.len()].copy_from_slice(&value);
    }
    File {
        sfi: profile.sfi,
        kind: profile.kind,
        read: profile.read,
        write: profile.write,
        bytes,
        records: profile.records.iter().map(|record| record.0.clone()).collect(),
        identifier_at: profile.identifier_at,
        most: profile.most,
        length: profile.length,
    }
}

fn inserted(what: Inserted, number: &Pan, order: &Order, extra: &PurseOrder<'_>) -> Vec<u8> {
    // The last of the digits, zeros before them.
    let digits = |most: usize, length_bytes: usize| {
        let text = format!("{:0>20}", number.expose());
        digits_to_bcd(&text[text.len() - most..], length_bytes).unwrap_or_else(|_| vec![0; length_bytes])
    };
    match what {
        Inserted::Number => digits(20, 10),
        Inserted::Serial => digits(16, 8),
        Inserted::Short => digits(10, 5),
        Inserted::Reversed => {
            // Ten digits of our own, of which the first one is 1, fit.
            let value = number.expose().parse::<u64>().unwrap_or(0) as u32;
            value.to_le_bytes().to_vec()
        }
        Inserted::Start => with_century(order.effective).to_vec(),
        Inserted::End => with_century(order.expiry).to_vec(),
        Inserted::Terminal => extra.terminal.to_vec(),
    }
}

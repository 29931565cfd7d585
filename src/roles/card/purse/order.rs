//! Personalisation of a purse and of a security module: keys, numbers and files.

use super::memory::{File, KeyRing, PurseMemory, SamMemory, Wallet};
use super::profile::{FileProfile, Inserted};
use super::secure::KEY_TRIES;
use crate::base::bytes::{Secret, digits_to_bcd};
use crate::roles::card::{CardError, CardMemory, Order};
use crate::words::emv::with_century;
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
        let insert = |what| inserted(what, order, extra);
        for (profile, memory) in profiles.applications.iter().zip(&mut self.image.applications) {
            if let Some(own) = &profile.purse {
                let pin = order.pin.as_ref().map(|pin| pin_bytes(pin.expose())).unwrap_or_default();
                let has = [own.deposit, own.purse];
                let each = PurseId::ALL.into_iter().zip(has);
                memory.purse = Some(Box::new(PurseMemory {
                    keys: KeyRing::from(&extra.master.diversify(application_serial(&order.pan))),
                    pin: Secret::new(pin),
                    wallets: each
                        .filter(|(_, has)| *has)
                        .map(|(id, _)| Wallet::new(id, order.purse_minor))
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
        self.image.files = profiles.files.iter().map(|file| made(file, &insert)).collect();
        Ok(())
    }

    /// Lets its security modules have begun so many purchases already: a TAC tells two purchases of
    /// one second apart by that number.
    pub fn start_modules_at(&mut self, sequence: u32) {
        let modules = self.image.applications.iter_mut().filter_map(|application| application.sam.as_mut());
        modules.for_each(|module| module.sequence = sequence);
    }

    /// What deposit and purse of the first purse application hold of the holder's own money, minor
    /// units; empty without one.
    pub fn purse_balances(&self) -> Vec<(PurseId, i64)> {
        let purse = self.image.applications.iter().find_map(|application| application.purse.as_ref());
        let wallets = purse.map(|purse| purse.wallets.as_slice()).unwrap_or_default();
        wallets.iter().map(|wallet| (PurseId(wallet.id), wallet.own_minor)).collect()
    }

    /// Most that each purse may hold, minor units.
    pub fn purse_limit_minor(&self) -> Option<u32> {
        let applications = &self.image.profile.applications;
        applications.iter().find_map(|profile| Some(profile.purse.as_ref()?.balance_limit_minor))
    }
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
        most: profile.most,
        length: profile.length,
    }
}

fn inserted(what: Inserted, order: &Order, extra: &PurseOrder<'_>) -> Vec<u8> {
    match what {
        // A PAN has at most 19 decimal digits.
        Inserted::Number => digits_to_bcd(order.pan.expose(), 10).unwrap_or_else(|_| vec![0; 10]),
        Inserted::Start => with_century(order.effective).to_vec(),
        Inserted::End => with_century(order.expiry).to_vec(),
        Inserted::Terminal => extra.terminal.to_vec(),
    }
}

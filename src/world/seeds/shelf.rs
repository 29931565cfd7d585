//! What one thread uses again from world to world: stores whose tables and prepared
//! statements are there already, profiles and the terminal's data as they were read.

use crate::base::store::{Db, Sqlite, StoreError};
use crate::roles::card::{CardError, Profile};
use crate::roles::terminal::TerminalConfig;

/// Things that need not be made anew.
#[derive(Default)]
pub(in crate::world) struct Shelf {
    stores: Vec<Sqlite>,
    profiles: Vec<((&'static str, bool), Profile)>,
    config: Option<TerminalConfig>,
}

impl Shelf {
    /// Store number `number`, without a row.
    pub(in crate::world) fn store(&mut self, number: usize) -> Result<Box<dyn Db>, StoreError> {
        while self.stores.len() <= number {
            self.stores.push(Sqlite::in_memory()?);
        }
        let store = &self.stores[number];
        store.clear()?;
        store.handle()
    }

    /// A profile, with its logs or without.
    pub(in crate::world) fn profile(&mut self, name: &'static str, logs: bool) -> Result<Profile, CardError> {
        if let Some((_, profile)) = self.profiles.iter().find(|row| row.0 == (name, logs)) {
            return Ok(profile.clone());
        }
        let mut profile = Profile::named(name)?;
        if !logs {
            profile.remove_logs();
        }
        self.profiles.push(((name, logs), profile.clone()));
        Ok(profile)
    }

    /// The shipped terminal's data.
    pub(in crate::world) fn config(&mut self) -> TerminalConfig {
        self.config.get_or_insert_with(TerminalConfig::default).clone()
    }
}

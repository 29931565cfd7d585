//! A terminal that stops at a write of its journal, and never wakes: what comes
//! after is another process on the same store.

use crate::base::store::{Db, Decision, StoreError, Tx};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// At which write the terminal stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CrashPlan {
    /// Which transaction of the store, counted from 0 since the plan was armed.
    pub write: usize,
    /// Whether that transaction has become durable.
    pub committed: bool,
}

/// The hand on the switch; clones are the same hand.
#[derive(Debug, Clone, Default)]
pub struct CrashControl(Arc<Mutex<Switch>>);

#[derive(Debug, Default)]
struct Switch {
    plan: Option<CrashPlan>,
    writes: usize,
    dead: bool,
}

impl CrashControl {
    /// Stops the terminal as the plan says, counting from now.
    pub fn arm(&self, plan: Option<CrashPlan>) {
        *self.switch() = Switch { plan, writes: 0, dead: false };
    }

    /// Transactions of the store since it was armed.
    pub fn writes(&self) -> usize {
        self.switch().writes
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wraps a store that fails for good from the planned write on.
pub struct CrashingDb {
    inner: Box<dyn Db>,
    control: CrashControl,
}

impl CrashingDb {
    /// Wraps a store.
    pub fn new(inner: Box<dyn Db>, control: CrashControl) -> Self {
        Self { inner, control }
    }
}

impl Db for CrashingDb {
    fn run(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Tx) -> Result<Decision, StoreError>,
    ) -> Result<(), StoreError> {
        let now = {
            let mut switch = self.control.switch();
            let now = switch.plan.filter(|plan| plan.write == switch.writes);
            switch.writes += 1;
            if switch.dead {
                return Err(stopped());
            }
            switch.dead = now.is_some();
            now
        };
        match now {
            Some(CrashPlan { committed: false, .. }) => Err(stopped()),
            Some(CrashPlan { committed: true, .. }) => {
                self.inner.run(work)?;
                Err(stopped())
            }
            None => self.inner.run(work),
        }
    }

    fn handle(&self) -> Result<Box<dyn Db>, StoreError> {
        Ok(Box::new(Self { inner: self.inner.handle()?, control: self.control.clone() }))
    }
}

fn stopped() -> StoreError {
    StoreError::Statement { cause: "the terminal was stopped".into() }
}

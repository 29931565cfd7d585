//! Whoever stops at a write, and never wakes: what comes after is another process on
//! the same store.

use crate::base::store::{Db, Decision, StoreError, Tx};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// At which write it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CrashPlan {
    /// Which write, counted from 0 since the plan was armed.
    pub write: usize,
    /// Whether that write has become durable.
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
    /// Stops as the plan says, counting from now.
    pub fn arm(&self, plan: Option<CrashPlan>) {
        *self.switch() = Switch { plan, writes: 0, dead: false };
    }

    /// Writes since it was armed.
    pub fn writes(&self) -> usize {
        self.switch().writes
    }

    /// Whether it has stopped.
    pub fn is_dead(&self) -> bool {
        self.switch().dead
    }

    /// The next write: whether it becomes durable, and whether whoever writes lives on.
    pub(in crate::world) fn next(&self) -> Write {
        let mut switch = self.switch();
        let now = switch.plan.filter(|plan| plan.write == switch.writes);
        switch.writes += 1;
        let was_dead = switch.dead;
        switch.dead |= now.is_some();
        match now {
            _ if was_dead => Write::Dies,
            Some(CrashPlan { committed: false, .. }) => Write::Dies,
            Some(CrashPlan { committed: true, .. }) => Write::LandsAndDies,
            None => Write::Lands,
        }
    }

    fn switch(&self) -> MutexGuard<'_, Switch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Write {
    Lands,
    LandsAndDies,
    Dies,
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
        match self.control.next() {
            Write::Lands => self.inner.run(work),
            Write::LandsAndDies => {
                self.inner.run(work)?;
                Err(stopped())
            }
            Write::Dies => Err(stopped()),
        }
    }

    fn handle(&self) -> Result<Box<dyn Db>, StoreError> {
        Ok(Box::new(Self { inner: self.inner.handle()?, control: self.control.clone() }))
    }
}

fn stopped() -> StoreError {
    StoreError::Statement { cause: "the process was stopped".into() }
}

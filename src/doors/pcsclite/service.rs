//! The resource manager, in the process of the program that uses it: contexts and
//! handles are numbers in tables, and each call answers as pcsc-lite 1.9 does.

use super::code::{Code, Disposition, Share, protocol};
use super::reader::{Reader, Users};
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The first number of a handle; those of contexts are smaller for as long as a program
/// lives, so that one is never taken for the other.
const FIRST_HANDLE: i64 = 0x1000_0000;

/// Readers, and who uses them.
pub struct Service {
    state: Mutex<State>,
    /// Something is other than it was.
    changed: Condvar,
    /// Whether a call waits for another handle's transaction to end, as is the rule.
    waits: bool,
}

pub(super) struct State {
    pub readers: Vec<Reader>,
    pub contexts: BTreeMap<i64, Context>,
    pub handles: BTreeMap<i64, Handle>,
    next_context: i64,
    next_handle: i64,
}

/// What `SCardEstablishContext` gave.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// Calls that wait for a change.
    pub waiting: usize,
    /// Whether they were told to stop.
    pub cancelled: bool,
}

/// What `SCardConnect` gave.
#[derive(Debug)]
pub(super) struct Handle {
    pub context: i64,
    pub reader: usize,
    /// What befell the card and the handle's holder has not yet taken note of.
    pub event: Option<Code>,
}

/// The lock on the state, held.
pub(super) type Held<'a> = MutexGuard<'a, State>;

impl Service {
    /// A service with these readers.
    pub(super) fn new(readers: Vec<Reader>, waits: bool) -> Self {
        let state = State {
            readers,
            contexts: BTreeMap::new(),
            handles: BTreeMap::new(),
            next_context: 1,
            next_handle: FIRST_HANDLE,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), waits }
    }

    pub(super) fn state(&self) -> Held<'_> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What wakes those who wait.
    pub(super) fn changed(&self) -> &Condvar {
        &self.changed
    }

    /// `SCardEstablishContext`: a new context.
    pub fn establish(&self, scope: u64) -> Result<i64, Code> {
        // User, terminal, system, global.
        if scope > 3 {
            return Err(Code::INVALID_VALUE);
        }
        let mut state = self.state();
        let context = state.next_context;
        state.next_context += 1;
        state.contexts.insert(context, Context::default());
        Ok(context)
    }

    /// `SCardReleaseContext`: its handles go with it; one that held a transaction leaves
    /// a card behind that was reset.
    pub fn release(&self, context: i64) -> Result<(), Code> {
        let mut state = self.state();
        state.context(context)?;
        let of_it = |(id, handle): (&i64, &Handle)| (handle.context == context).then_some(*id);
        let handles: Vec<i64> = state.handles.iter().filter_map(of_it).collect();
        for handle in handles {
            let locked = state.reader_of(handle)?.lock.is_some_and(|lock| lock.handle == handle);
            let disposition = if locked { Disposition::Reset } else { Disposition::Leave };
            state.disconnect(handle, disposition)?;
        }
        state.contexts.remove(&context);
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// `SCardIsValidContext`.
    pub fn is_valid(&self, context: i64) -> Result<(), Code> {
        self.state().context(context).map(|_| ())
    }

    /// `SCardListReaders`: the names, in order.
    pub fn readers(&self, context: i64) -> Result<Vec<String>, Code> {
        let mut state = self.state();
        state.context(context)?;
        if state.readers.is_empty() {
            return Err(Code::NO_READERS_AVAILABLE);
        }
        Ok(state.readers.iter().map(|reader| reader.name.clone()).collect())
    }

    /// `SCardConnect`: a handle and the protocol.
    pub fn connect(&self, context: i64, name: &str, share: u64, wanted: u64) -> Result<(i64, u64), Code> {
        let mut state = self.state();
        state.context(context)?;
        let share = how(share, wanted)?;
        let index = state.reader_named(name).ok_or(Code::UNKNOWN_READER)?;
        loop {
            let reader = &state.readers[index];
            if reader.users == Users::One {
                return Err(Code::SHARING_VIOLATION);
            }
            if reader.lock.is_none() {
                break;
            }
            state = self.wait(state);
            state.context(context)?;
        }
        let handle = state.next_handle;
        let reader = &mut state.readers[index];
        if share != Share::Direct && !reader.card()?.powered {
            reader.reset(true)?;
        }
        if share != Share::Direct || wanted & protocol::RAW != 0 {
            reader.choose(wanted)?;
        }
        reader.admit(handle, share)?;
        let chosen = reader.protocol;
        state.next_handle += 1;
        state.handles.insert(handle, Handle { context, reader: index, event: None });
        drop(state);
        self.changed.notify_all();
        Ok((handle, chosen))
    }

    /// `SCardReconnect`: the protocol.
    pub fn reconnect(&self, handle: i64, share: u64, wanted: u64, what: u64) -> Result<u64, Code> {
        let mut state = self.free_for(handle)?;
        let what = match Disposition::of(what)? {
            Disposition::Eject => return Err(Code::INVALID_VALUE),
            what => what,
        };
        let share = how(share, wanted)?;
        if what != Disposition::Leave {
            state.befall(handle, Code::RESET_CARD)?;
            state.reader_of(handle)?.reset(true)?;
        }
        let reader = state.reader_of(handle)?;
        reader.card()?;
        if share != Share::Direct || wanted & protocol::RAW != 0 {
            reader.choose(wanted)?;
        }
        reader.change_share(handle, share)?;
        let chosen = reader.protocol;
        state.handle(handle)?.event = None;
        drop(state);
        self.changed.notify_all();
        Ok(chosen)
    }

    /// `SCardDisconnect`.
    pub fn disconnect(&self, handle: i64, what: u64) -> Result<(), Code> {
        let mut state = self.state();
        state.handle(handle)?;
        let what = Disposition::of(what)?;
        while what != Disposition::Leave && state.reader_of(handle)?.is_locked_for(handle) {
            state = self.wait(state);
        }
        state.disconnect(handle, what)?;
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits until something is other than it was.
    pub(super) fn wait<'a>(&self, state: Held<'a>) -> Held<'a> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, once no other handle has a transaction on the card of this one.
    pub(super) fn free_for(&self, handle: i64) -> Result<Held<'_>, Code> {
        let mut state = self.state();
        while state.reader_of(handle)?.is_locked_for(handle) {
            if !self.waits {
                return Err(Code::SHARING_VIOLATION);
            }
            state = self.wait(state);
        }
        Ok(state)
    }
}

impl State {
    /// A context that is there.
    pub(super) fn context(&mut self, context: i64) -> Result<&mut Context, Code> {
        self.contexts.get_mut(&context).ok_or(Code::INVALID_HANDLE)
    }

    /// A handle that is there.
    pub(super) fn handle(&mut self, handle: i64) -> Result<&mut Handle, Code> {
        self.handles.get_mut(&handle).ok_or(Code::INVALID_HANDLE)
    }

    /// The reader that a handle is connected to.
    pub(super) fn reader_of(&mut self, handle: i64) -> Result<&mut Reader, Code> {
        let index = self.handle(handle)?.reader;
        self.readers.get_mut(index).ok_or(Code::READER_UNAVAILABLE)
    }

    /// The index of the reader of this name.
    pub(super) fn reader_named(&self, name: &str) -> Option<usize> {
        self.readers.iter().position(|reader| reader.name == name)
    }

    /// Fails where something befell the card that the handle's holder must know first.
    pub(super) fn undisturbed(&mut self, handle: i64) -> Result<(), Code> {
        self.handle(handle)?.event.map_or(Ok(()), Err)
    }

    /// Tells every handle on the card of this one what befell it.
    pub(super) fn befall(&mut self, handle: i64, event: Code) -> Result<(), Code> {
        let reader = self.handle(handle)?.reader;
        self.befall_all(reader, event);
        Ok(())
    }

    /// Tells every handle on a reader what befell its card.
    pub(super) fn befall_all(&mut self, reader: usize, event: Code) {
        let there = self.handles.values_mut().filter(|handle| handle.reader == reader);
        there.for_each(|handle| handle.event = Some(event));
    }

    fn disconnect(&mut self, handle: i64, what: Disposition) -> Result<(), Code> {
        if matches!(what, Disposition::Reset | Disposition::Unpower) {
            self.befall(handle, Code::RESET_CARD)?;
            // A card that is gone, or dead, is let go of all the same.
            let _ = self.reader_of(handle)?.reset(what == Disposition::Reset);
        }
        self.reader_of(handle)?.dismiss(handle);
        self.handles.remove(&handle);
        Ok(())
    }
}

/// The way of sharing, where the protocols that are wanted fit it.
fn how(share: u64, wanted: u64) -> Result<Share, Code> {
    let known = protocol::T0 | protocol::T1 | protocol::RAW | protocol::ANY_OLD;
    let share = Share::of(share);
    if share != Ok(Share::Direct) && wanted & known == 0 {
        return Err(Code::PROTO_MISMATCH);
    }
    share
}

//! The recording of `--save`: its file is made before a card is touched, its header
//! is written once the card is known.

use super::failure::Failure;
use super::switches::Switches;
use crate::air::link::Activation;
use crate::air::trace::{FORMAT, TraceHeader, TraceWriter};
use crate::base::context::Context;
use crate::base::event::{Event, EventSink};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The first line of a recording names its format within so many bytes.
const HEAD_BYTES: u64 = 64;

/// A sink that writes where `--save` says; without it, it throws events away.
#[derive(Clone, Default)]
pub(in crate::doors::cli) struct Recording(Option<Arc<Mutex<Inner>>>);

struct Inner {
    path: PathBuf,
    stage: Stage,
}

enum Stage {
    /// Events before the header.
    Waiting {
        file: File,
        events: Vec<Event>,
    },
    Writing(TraceWriter),
    /// The header could not be written.
    Over,
}

impl Recording {
    /// Makes the file of `--save`.
    pub(in crate::doors::cli) fn create(switches: &Switches) -> Result<Self, Failure> {
        switches.save.clone().map_or_else(|| Ok(Self::default()), Self::at)
    }

    /// Makes a recording at this path.
    pub(in crate::doors::cli) fn at(path: PathBuf) -> Result<Self, Failure> {
        let failed = |cause| Failure::file("make the recording", &path, cause);
        if !may_be_replaced(&path).map_err(failed)? {
            return Err(Failure::Usage(format!(
                "{}: expected a new file or an earlier recording, found another file, which is left as it is",
                path.display()
            )));
        }
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(failed)?;
        let stage = Stage::Waiting { file, events: Vec::new() };
        Ok(Self(Some(Arc::new(Mutex::new(Inner { path, stage })))))
    }

    /// Writes the header, and the events that came before it.
    pub(in crate::doors::cli) fn begin(
        &self,
        card: Option<&Activation>,
        switches: &Switches,
        context: &Context,
    ) -> Result<(), Failure> {
        let Some(mut inner) = self.lock() else { return Ok(()) };
        let (file, events) = match std::mem::replace(&mut inner.stage, Stage::Over) {
            Stage::Waiting { file, events } => (file, events),
            other => {
                inner.stage = other;
                return Ok(());
            }
        };
        let started = events.first().map_or_else(|| context.now(), |event| event.at);
        let header = TraceHeader {
            interface: card.map(|card| card.interface.to_string()),
            atr: card.map(|card| card.atr.clone()).unwrap_or_default(),
            seed: switches.seed,
            ..TraceHeader::new(started, card.map_or("", |card| card.place.as_str()))
        };
        let path = inner.path.clone();
        let failed = |cause| Failure::Recording { path, cause };
        let mut writer = match switches.unmask {
            true => TraceWriter::unmasked(file, header),
            false => TraceWriter::masked(file, header),
        }
        .map_err(failed)?;
        events.into_iter().for_each(|event| writer.take(event));
        inner.stage = Stage::Writing(writer);
        Ok(())
    }

    /// What went wrong while writing, if anything did.
    pub(in crate::doors::cli) fn check(&self) -> Result<(), Failure> {
        let Some(inner) = self.lock() else { return Ok(()) };
        let failure = match &inner.stage {
            Stage::Writing(writer) => writer.failure(),
            _ => None,
        };
        match failure {
            Some(cause) => Err(Failure::Recording { path: inner.path.clone(), cause }),
            None => Ok(()),
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Inner>> {
        self.0.as_ref().map(|inner| inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a recording may be written over what is there: nothing, an empty file, an
/// earlier recording, or no file but a device or pipe. A card, books or a key are money.
fn may_be_replaced(path: &Path) -> std::io::Result<bool> {
    match std::fs::metadata(path) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(true),
        Err(cause) => return Err(cause),
        Ok(found) if !found.is_file() || found.len() == 0 => return Ok(true),
        Ok(_) => {}
    }
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head.windows(FORMAT.len()).any(|window| window == FORMAT.as_bytes()))
}

impl EventSink for Recording {
    fn take(&mut self, event: Event) {
        let Some(mut inner) = self.lock() else { return };
        match &mut inner.stage {
            Stage::Waiting { events, .. } => events.push(event),
            Stage::Writing(writer) => writer.take(event),
            Stage::Over => {}
        }
    }
}

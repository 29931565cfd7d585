//! Writing a recording, masked unless a person asked otherwise.

use super::format::{EventLine, HeaderLine};
use super::mask::mask;
use super::{Trace, TraceError, TraceEvent, TraceHeader};
use crate::base::env::Timestamp;
use crate::base::event::{Event, EventSink};
use crate::words::decode::Masker;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// Writes events as they come, each line whole and flushed. Clones write to one
/// file, so that one can be asked for a failure while another is a sink.
#[derive(Clone)]
pub struct TraceWriter(Arc<Mutex<Inner>>);

struct Inner {
    output: Box<dyn Write + Send>,
    masker: Option<Masker>,
    started: Timestamp,
    lines: usize,
    failure: Option<TraceError>,
}

impl TraceWriter {
    /// Begins a masked recording: writes the header.
    pub fn masked(output: impl Write + Send + 'static, header: TraceHeader) -> Result<Self, TraceError> {
        Self::begin(Box::new(output), header, Some(Masker::new()))
    }

    /// Begins a masked recording in which PANs of our own test range stay readable.
    pub fn evidence(output: impl Write + Send + 'static, header: TraceHeader) -> Result<Self, TraceError> {
        Self::begin(Box::new(output), header, Some(Masker::keeping_test_range()))
    }

    /// Begins a recording that shows card data as it is; its header says so.
    pub fn unmasked(output: impl Write + Send + 'static, header: TraceHeader) -> Result<Self, TraceError> {
        Self::begin(Box::new(output), header, None)
    }

    /// What went wrong with the output, if anything did; from then on nothing is
    /// written. Asking takes it.
    pub fn failure(&self) -> Option<TraceError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failure.take()
    }

    fn begin(
        mut output: Box<dyn Write + Send>,
        header: TraceHeader,
        mut masker: Option<Masker>,
    ) -> Result<Self, TraceError> {
        let place = match &mut masker {
            Some(masker) => masker.text(&header.place),
            None => header.place.clone(),
        };
        let header = TraceHeader { masked: masker.is_some(), place, ..header };
        write_line(&mut *output, &HeaderLine::of(&header))
            .map_err(|source| TraceError::Io { line: 1, source })?;
        let inner = Inner { output, masker, started: header.started, lines: 1, failure: None };
        Ok(Self(Arc::new(Mutex::new(inner))))
    }
}

impl std::fmt::Debug for TraceWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TraceWriter")
    }
}

impl EventSink for TraceWriter {
    fn take(&mut self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(event.into());
    }
}

impl Inner {
    fn take(&mut self, event: TraceEvent) {
        if self.failure.is_some() {
            return;
        }
        let event = match &mut self.masker {
            Some(masker) => mask(masker, event),
            None => event,
        };
        self.lines += 1;
        if let Err(source) = write_line(&mut *self.output, &EventLine::of(&event, self.started)) {
            self.failure = Some(TraceError::Io { line: self.lines, source });
        }
    }
}

impl Trace {
    /// The recording as the bytes of its file, masked or not as its header says.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TraceError> {
        let mut out = Vec::new();
        let failed = |line| move |source| TraceError::Io { line, source };
        write_line(&mut out, &HeaderLine::of(&self.header)).map_err(failed(1))?;
        for (event, line) in self.events.iter().zip(2..) {
            write_line(&mut out, &EventLine::of(event, self.header.started)).map_err(failed(line))?;
        }
        Ok(out)
    }
}

fn write_line(output: &mut dyn Write, line: &impl serde::Serialize) -> std::io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    output.write_all(&bytes)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::trace::{Tee, Trace};
    use crate::base::bytes::parse_hex;
    use crate::base::context::Context;
    use crate::base::event::Collector;
    use crate::words::tlv::Tag;
    use std::time::Duration;

    /// A file in memory.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A disk that is full.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    const PAN: &str = "4111111111111111";

    fn record(masked: bool) -> (String, Vec<Event>) {
        let file = Shared::default();
        let collector = Collector::default();
        let header = TraceHeader {
            seed: Some(7),
            interface: Some("contact".into()),
            ..TraceHeader::new(Context::simulated(7, Collector::default()).now(), "sim:test")
        };
        let output = file.clone();
        let writer =
            if masked { TraceWriter::masked(output, header) } else { TraceWriter::unmasked(output, header) };
        let writer = writer.unwrap();
        let mut context = Context::simulated(7, Tee(writer.clone(), collector.clone()));
        context.emit(Event::new("link", "command").with_named("C-APDU", [0x00, 0xB2, 0x01, 0x0C, 0x00]));
        context.elapse(Duration::from_micros(1830));
        let answer = parse_hex(&format!("700A 5A08 {PAN} 9000")).unwrap();
        context.emit(Event::new("link", "response").with_named("R-APDU", answer));
        let read = Event::new("terminal", "ReadRecord").clause("EMV Book 3 10.2");
        context.emit(read.because(format!("card {PAN} read")).with_tag(0x5A, parse_hex(PAN).unwrap()));
        context.emit(Event::new("terminal", "odd").with_named("nobody knows it", PAN.as_bytes()));
        assert!(writer.failure().is_none());
        let bytes = file.0.lock().unwrap().clone();
        (String::from_utf8(bytes).unwrap(), collector.events())
    }

    #[test]
    fn an_unmasked_recording_is_read_back_whole() {
        let (text, events) = record(false);
        let trace = Trace::read(text.as_bytes()).unwrap();
        assert!(!trace.header.masked && !trace.cut);
        assert_eq!(trace.events, events.into_iter().map(TraceEvent::from).collect::<Vec<_>>());
        assert_eq!((trace.header.seed, trace.header.interface.as_deref()), (Some(7), Some("contact")));
        assert!(text.contains("\"at_us\":1830"));
        assert_eq!(trace.to_bytes().unwrap(), text.as_bytes());
    }

    #[test]
    fn a_masked_recording_has_one_pseudonym_everywhere() {
        let (text, _) = record(true);
        assert!(!text.contains(PAN) && !text.contains(&crate::base::bytes::Hex(PAN.as_bytes()).to_string()));
        let trace = Trace::read(text.as_bytes()).unwrap();
        let answer = crate::base::bytes::Hex(trace.events[1].named_value("R-APDU").unwrap()).to_string();
        let name = &answer[8..24];
        assert_eq!(trace.events[2].reason, format!("card {name} read"));
        assert_eq!(crate::base::bytes::Hex(trace.events[2].tag_value(Tag(0x5A)).unwrap()).to_string(), name);
        assert_eq!(trace.events[3].named_value("nobody knows it"), Some([0; 16].as_slice()));
    }

    #[test]
    fn a_full_disk_is_told_once_and_breaks_nothing() {
        let header = TraceHeader::new(Timestamp::default(), "");
        let mut writer = TraceWriter::masked(Full(1), header).unwrap();
        writer.take(Event::new("link", "reset"));
        writer.take(Event::new("link", "reset"));
        assert!(matches!(writer.failure(), Some(TraceError::Io { line: 2, .. })));
        assert!(TraceWriter::masked(Full(0), TraceHeader::new(Timestamp::default(), "")).is_err());
    }
}

//! Reading a recording.

use super::format::{EventLine, HeaderLine};
use super::{Trace, TraceError};
use std::io::BufRead;

impl Trace {
    /// Reads a recording to its end. A last line without its line feed that is no
    /// event was cut short: it is left out, and `cut` says so.
    pub fn read(mut input: impl BufRead) -> Result<Self, TraceError> {
        let first = next_line(&mut input, 1)?.ok_or(TraceError::Empty)?;
        let text = String::from_utf8_lossy(&first);
        let header = HeaderLine::read(text.trim_end())?;
        let mut events = Vec::new();
        let mut line = 1;
        loop {
            line += 1;
            let Some(bytes) = next_line(&mut input, line)? else {
                return Ok(Self { header, events, cut: false });
            };
            let whole = bytes.ends_with(b"\n");
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let event = serde_json::from_slice::<EventLine>(&bytes)
                // The line is this one, not the one of the parser.
                .map_err(|error| error.to_string().replace(" at line 1 column", " at column"))
                .and_then(|event| event.into_event(header.started));
            match event {
                Ok(event) => events.push(event),
                Err(_) if !whole => return Ok(Self { header, events, cut: true }),
                Err(reason) => return Err(TraceError::Event { line, reason }),
            }
        }
    }
}

/// The bytes of the next line with its line feed; a line cut within a character is
/// still bytes.
fn next_line(input: &mut impl BufRead, line: usize) -> Result<Option<Vec<u8>>, TraceError> {
    let mut bytes = Vec::new();
    let count = input.read_until(b'\n', &mut bytes).map_err(|source| TraceError::Io { line, source })?;
    Ok((count > 0).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"format":"cardwright-trace","version":1,"masked":true,"started_us":0}"#;
    const EVENT: &str = r#"{"at_us":-5,"speaker":"link","name":"command","elements":[{"tag":"9F79","value":"00"}],"later":1}"#;

    fn read(text: &str) -> Result<Trace, TraceError> {
        Trace::read(text.as_bytes())
    }

    #[test]
    fn a_cut_last_line_is_left_out_and_told() {
        let trace = read(&format!("{HEADER}\n{EVENT}\n{}", &EVENT[..30])).unwrap();
        assert_eq!((trace.events.len(), trace.cut), (1, true));
        assert_eq!(trace.events[0].at.micros(), -5);
        let whole = read(&format!("{HEADER}\n{EVENT}")).unwrap();
        assert_eq!((whole.events.len(), whole.cut), (1, false));
    }

    #[test]
    fn says_which_line_is_wrong() {
        assert!(matches!(read(""), Err(TraceError::Empty)));
        assert!(matches!(read("{}\n"), Err(TraceError::NotATrace { .. })));
        let newer = HEADER.replace("\"version\":1", "\"version\":2,\"new\":[]");
        assert!(matches!(read(&newer), Err(TraceError::Version { expected: 1, found: 2 })));
        let odd = format!("{HEADER}\n{EVENT}\n{}\n{EVENT}\n", &EVENT[..30]);
        assert!(matches!(read(&odd), Err(TraceError::Event { line: 3, .. })));
        for (right, wrong) in [("\"00\"", "\"0\""), ("9F79", "+79"), ("-5", "0.5"), ("\"tag\"", "\"tags\"")] {
            let odd = format!("{HEADER}\n{}\n", EVENT.replace(right, wrong));
            assert!(matches!(read(&odd), Err(TraceError::Event { line: 2, .. })), "{wrong}");
        }
    }
}

//! Why a recording cannot be read or written.

/// What is wrong with a recording, and in which line (from 1).
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be read or written.
    #[error("the recording cannot be read or written at line {line}: {source}")]
    Io {
        /// The line.
        line: usize,
        /// What the system said.
        source: std::io::Error,
    },
    /// Nothing is in it.
    #[error(
        "expected a header line, found an empty file: record with --save FILE, or take the file from where it was made"
    )]
    Empty,
    /// The first line is no header of this format.
    #[error(
        "expected a recording, which begins with {{\"format\":\"cardwright-trace\",\"version\":1, found {found:?} in \
         line 1: record with --save FILE"
    )]
    NotATrace {
        /// The beginning of the line, or its `format`.
        found: String,
    },
    /// Another version.
    #[error(
        "expected a recording of version {expected}, found version {found}: use the program that wrote it"
    )]
    Version {
        /// What this program reads.
        expected: u32,
        /// What the header says.
        found: u64,
    },
    /// A line is no event.
    #[error(
        "expected an event in line {line}: {reason}. The file was changed or damaged: take it from where it was \
         made, or delete that line"
    )]
    Event {
        /// The line.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// No importer reads the text.
    #[error("expected what one of {known} writes, found another text: name the program with --from")]
    UnknownLog {
        /// The importers.
        known: String,
    },
    /// A line is not as its program writes it.
    #[error(
        "line {line}, read as what {name} writes: {reason}. Name another program with --from, or mend the line"
    )]
    Import {
        /// The importer.
        name: &'static str,
        /// The line.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Two recordings have nothing in common.
    #[error(
        "expected two recordings of like transactions, found two that differ in thousands of events: compare \
         recordings of one transaction each"
    )]
    TooDifferent,
}

//! Sorting more than memory holds: runs in scratch files, merged. At most
//! [`RUN_RECORDS`] records and [`MAX_RUNS`] open files are held at once.

use super::record::{Key, Mark, ReconciliationError, Record};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Records in memory at once, some 20 MB.
pub(super) const RUN_RECORDS: usize = 100_000;
/// Runs before they are merged into one.
const MAX_RUNS: usize = 64;
const WRITING: &str = "write a scratch file";
const READING: &str = "read a scratch file";

/// Takes records in any order.
pub(super) struct Sorter {
    folder: PathBuf,
    held: Vec<Record>,
    run_records: usize,
    runs: Vec<File>,
    made: usize,
    name: &'static str,
}

impl Sorter {
    /// A sorter whose scratch files are made in `folder`; on Unix their names are gone
    /// as soon as they are open.
    pub(super) fn new(folder: &Path, name: &'static str, run_records: usize) -> Self {
        Self { folder: folder.to_owned(), held: Vec::new(), run_records, runs: Vec::new(), made: 0, name }
    }

    pub(super) fn push(&mut self, record: Record) -> Result<(), ReconciliationError> {
        self.held.push(record);
        if self.held.len() >= self.run_records { self.spill() } else { Ok(()) }
    }

    /// All of them in order.
    pub(super) fn sorted(mut self) -> Result<Sorted, ReconciliationError> {
        self.held.sort_unstable();
        Sorted::of(std::mem::take(&mut self.held), std::mem::take(&mut self.runs))
    }

    fn spill(&mut self) -> Result<(), ReconciliationError> {
        self.held.sort_unstable();
        let held = std::mem::take(&mut self.held);
        let run = self.write(held.into_iter().map(Ok))?;
        self.runs.push(run);
        if self.runs.len() == MAX_RUNS {
            let all = Sorted::of(Vec::new(), std::mem::take(&mut self.runs))?;
            let run = self.write(all)?;
            self.runs.push(run);
        }
        Ok(())
    }

    fn write(
        &mut self,
        records: impl Iterator<Item = Result<Record, ReconciliationError>>,
    ) -> Result<File, ReconciliationError> {
        let error = ReconciliationError::file(WRITING);
        let path = self.folder.join(format!("reconcile-{}-{}-{}", std::process::id(), self.name, self.made));
        self.made += 1;
        let file = File::options().read(true).write(true).create_new(true).open(&path).map_err(&error)?;
        // It needs no name any more, and goes with its last handle.
        #[cfg(unix)]
        std::fs::remove_file(&path).map_err(&error)?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        for record in records {
            write_record(&mut out, &record?).map_err(&error)?;
        }
        let mut file = out.into_inner().map_err(|failed| error(failed.into_error()))?;
        file.rewind().map_err(&error)?;
        Ok(file)
    }
}

/// Records in order, from memory and runs.
pub(super) struct Sorted {
    held: std::vec::IntoIter<Record>,
    runs: Vec<BufReader<File>>,
    next: BinaryHeap<Reverse<(Record, usize)>>,
}

impl Sorted {
    fn of(held: Vec<Record>, runs: Vec<File>) -> Result<Self, ReconciliationError> {
        let runs = runs.into_iter().map(BufReader::new).collect();
        let mut own = Self { held: held.into_iter(), runs, next: BinaryHeap::new() };
        for source in 0..=own.runs.len() {
            own.refill(source)?;
        }
        Ok(own)
    }

    fn refill(&mut self, source: usize) -> Result<(), ReconciliationError> {
        let record = match self.runs.get_mut(source) {
            Some(run) => read_record(run).map_err(ReconciliationError::file(READING))?,
            None => self.held.next(),
        };
        self.next.extend(record.map(|record| Reverse((record, source))));
        Ok(())
    }

    /// What comes next.
    pub(super) fn peek(&self) -> Option<&Record> {
        self.next.peek().map(|Reverse((record, _))| record)
    }
}

impl Iterator for Sorted {
    type Item = Result<Record, ReconciliationError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((record, source)) = self.next.pop()?;
        Some(self.refill(source).map(|()| record))
    }
}

fn write_record(out: &mut impl Write, record: &Record) -> std::io::Result<()> {
    for text in [&record.key.channel, &record.subject] {
        // Neither is longer than a line may be.
        out.write_all(&(text.len() as u32).to_be_bytes())?;
        out.write_all(text.as_bytes())?;
    }
    for number in [record.key.date, record.key.trace, record.second] {
        out.write_all(&number.to_be_bytes())?;
    }
    for number in [record.amount_minor, record.line, record.offset] {
        out.write_all(&number.to_be_bytes())?;
    }
    out.write_all(&record.currency.to_be_bytes())?;
    out.write_all(&[u8::from(record.refund)])?;
    out.write_all(&record.account)?;
    out.write_all(&record.name)
}

fn read_record(from: &mut impl Read) -> std::io::Result<Option<Record>> {
    let mut first = [0; 1];
    if from.read(&mut first)? == 0 {
        return Ok(None);
    }
    let [a, b, c] = array(from)?;
    let channel = text(from, u32::from_be_bytes([first[0], a, b, c]))?;
    let length = u32::from_be_bytes(array(from)?);
    let subject = text(from, length)?;
    let mut small = || array(from).map(u32::from_be_bytes);
    let (date, trace, second) = (small()?, small()?, small()?);
    let mut large = || array(from).map(u64::from_be_bytes);
    let (amount_minor, line, offset) = (large()?, large()?, large()?);
    let currency = u16::from_be_bytes(array(from)?);
    let refund = array::<1>(from)? != [0];
    let (account, name): (Mark, Mark) = (array(from)?, array(from)?);
    let key = Key { date, trace, channel };
    Ok(Some(Record { key, refund, amount_minor, currency, account, name, second, line, offset, subject }))
}

fn array<const N: usize>(from: &mut impl Read) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes).map(|()| bytes)
}

fn text(from: &mut impl Read, length: u32) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(length.into()).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_as_memory_does(numbers in proptest::collection::vec((0u32..9, 0u32..99, any::<bool>()), 0..500), run in 1usize..20) {
            let folder = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(folder.path(), "test", run);
            let mut expected = Vec::new();
            for (line, (date, trace, refund)) in numbers.into_iter().enumerate() {
                let key = Key { date, trace, channel: format!("T{}", trace % 3) };
                let record = Record { key, refund, amount_minor: 5, currency: 156, account: [7; 16], name: [8; 16],
                    second: 9, line: line as u64, offset: 3, subject: "s".repeat(line % 5) };
                expected.push(record.clone());
                sorter.push(record).unwrap();
            }
            expected.sort();
            let sorted: Vec<_> = sorter.sorted().unwrap().map(Result::unwrap).collect();
            prop_assert_eq!(sorted, expected);
            prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}

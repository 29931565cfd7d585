//! The run: statement in, books in, comparison, corrections.

use super::format::{Reader, StatementFormat};
use super::matching::{Outcome, Pair, Period, ReconciledRow, Totals, compare, date_of_day, day_number};
use super::ours::{After, Names, mark};
use super::record::{BadLine, ReconciliationError, Record};
use super::sort::{RUN_RECORDS, Sorted, Sorter};
use crate::base::context::Context;
use crate::base::store::Sealed;
use crate::roles::issuer::ledger::Book;
use crate::roles::issuer::work::Work;
use crate::roles::issuer::{Issuer, IssuerError, account};
use crate::words::iso4217::Amount;
use std::io::{BufRead, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// No line of a statement is longer.
const LINE_BYTES: u64 = 1 << 16;
/// Rows between two words about progress.
const EVERY: u64 = 10_000;

/// How to reconcile.
#[derive(Debug, Clone)]
pub struct Terms {
    /// First and last business date, YYYYMMDD; else those of the statement.
    pub period: Option<(u32, u32)>,
    /// Seconds of the day from which a transaction may stand on the next statement.
    pub cut_off_second: u32,
    /// Whether to book what the statement corrects.
    pub correct: bool,
    /// A folder for scratch files; they hold hashes, no account and no name.
    pub scratch: PathBuf,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// `statement`, `books` or `compare`.
    pub stage: &'static str,
    /// Rows so far.
    pub rows: u64,
}

/// Who hears of what is found, as it is found.
pub struct Listener<'a> {
    /// Each transaction of either side, once.
    pub row: &'a mut dyn FnMut(ReconciledRow),
    /// Each line that cannot be read.
    pub bad: &'a mut dyn FnMut(BadLine),
    /// How far it is, every ten thousand rows and at the end of each stage.
    pub progress: &'a mut dyn FnMut(Progress),
}

/// A statement that was read: its records, its lines' reader, its first and last day.
type ReadStatement<'f> = (Sorted, Reader<'f>, Option<(u32, u32)>);

impl Issuer {
    /// Reconciles the books with a statement. Rows come by channel, trace and date, the
    /// same for the same input; memory holds two runs of 100,000 records (some 40 MB)
    /// and the lines of one key, whatever the statement's length.
    ///
    /// # Errors
    /// The statement's layout, a file, or the books; a bad line is told, not an error.
    pub fn reconcile<S: BufRead + Seek>(
        &mut self,
        mut statement: S,
        format: &StatementFormat,
        terms: &Terms,
        out: &mut Listener<'_>,
        context: &mut Context,
    ) -> Result<Totals, ReconciliationError> {
        let mut totals = Totals::default();
        let (theirs, reader, told) =
            self.read_statement(&mut statement, format, terms, out, &mut totals.bad_lines)?;
        let Some((from, to)) = terms.period.or(told) else { return Ok(totals) };
        let period = Period { from, to, cut_off_second: terms.cut_off_second };
        let ours = self.read_books(period, terms, out, context)?;
        let mut rows = 0;
        compare(ours, theirs, period, &mut |mut pair: Pair| {
            if let (Outcome::PartyDiffers { .. }, true) = (pair.row.outcome, terms.correct) {
                pair.row.correction = Some(self.correct(&mut statement, &reader, &pair, context)?);
            }
            totals.count(&pair.row);
            rows += 1;
            if rows % EVERY == 0 {
                (out.progress)(Progress { stage: "compare", rows });
            }
            (out.row)(pair.row);
            Ok(())
        })?;
        (out.progress)(Progress { stage: "compare", rows });
        Ok(totals)
    }

    fn read_statement<'f, S: BufRead + Seek>(
        &self,
        statement: &mut S,
        format: &'f StatementFormat,
        terms: &Terms,
        out: &mut Listener<'_>,
        bad_lines: &mut u64,
    ) -> Result<ReadStatement<'f>, ReconciliationError> {
        let mut sorter = Sorter::new(&terms.scratch, "theirs", RUN_RECORDS);
        let (mut offset, mut number, mut period) = (0, 0, None::<(u32, u32)>);
        let mut text = Vec::new();
        let mut reader = if format.has_header() { None } else { Some(format.reader("")?) };
        loop {
            let begin = offset;
            let length = read_line(statement, &mut text)?;
            if length == 0 {
                break;
            }
            offset += length;
            number += 1;
            let Some(reader) = &reader else {
                reader = Some(format.reader(&String::from_utf8_lossy(&text))?);
                continue;
            };
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if number % EVERY == 0 {
                (out.progress)(Progress { stage: "statement", rows: number });
            }
            let line = match reader.read(number, &text) {
                Ok(line) => line,
                Err(bad) => {
                    *bad_lines += 1;
                    (out.bad)(bad);
                    continue;
                }
            };
            // A refund's date is its original's: no day of this statement.
            if !line.refund {
                let (from, to) = period.unwrap_or((line.key.date, line.key.date));
                period = Some((from.min(line.key.date), to.max(line.key.date)));
            }
            sorter.push(Record {
                refund: line.refund,
                amount_minor: line.amount_minor,
                currency: line.currency,
                account: mark(&self.seal, "reconciliation.account", line.account.expose()),
                name: mark(&self.seal, "reconciliation.name", line.name.expose()),
                second: 0,
                line: number,
                offset: begin,
                subject: String::new(),
                key: line.key,
            })?;
        }
        (out.progress)(Progress { stage: "statement", rows: number });
        let reader = match reader {
            Some(reader) => reader,
            // An empty file has no columns.
            None => format.reader("")?,
        };
        Ok((sorter.sorted()?, reader, period))
    }

    fn read_books(
        &mut self,
        period: Period,
        terms: &Terms,
        out: &mut Listener<'_>,
        context: &mut Context,
    ) -> Result<Sorted, ReconciliationError> {
        let mut sorter = Sorter::new(&terms.scratch, "ours", RUN_RECORDS);
        let mut names = Names::default();
        let mut rows = 0;
        // The evening before may stand on the first day.
        let first = day_number(period.from).map_or(0, |day| day - 1);
        let last = day_number(period.to).unwrap_or(first);
        for day in first..=last {
            let mut after: Option<After> = Some((String::new(), String::new(), String::new(), -1, -1));
            while let Some(from) = after {
                let date = date_of_day(day);
                let (records, next) =
                    self.work(context, |work| work.reconcilable(date, &from, &mut names))?;
                rows += records.len() as u64;
                for record in records {
                    sorter.push(record)?;
                }
                (out.progress)(Progress { stage: "books", rows });
                after = next;
            }
        }
        sorter.sorted()
    }

    /// Books what the statement says of account and name; says what was done.
    fn correct<S: BufRead + Seek>(
        &mut self,
        statement: &mut S,
        reader: &Reader<'_>,
        pair: &Pair,
        context: &mut Context,
    ) -> Result<&'static str, ReconciliationError> {
        let (Some(ours), Some(theirs)) = (&pair.ours, &pair.theirs) else { return Ok("nothing to correct") };
        let reading = ReconciliationError::file("read the statement again");
        statement.seek(SeekFrom::Start(theirs.offset)).map_err(reading)?;
        let mut text = Vec::new();
        read_line(statement, &mut text)?;
        let Ok(line) = reader.read(theirs.line, &text) else { return Ok("the statement has changed") };
        let Outcome::PartyDiffers { account, name } = pair.row.outcome else { return Ok("") };
        let done = self.work(context, |work| {
            let account = account.then_some(line.account.expose().as_str());
            let name = name.then_some(line.name.expose().as_str());
            work.correct_party(ours, account, name)
        })?;
        Ok(done)
    }
}

impl Work<'_> {
    /// Moves a load, unload or purchase to the account that the statement names, with its
    /// money, and takes over the holder's name.
    fn correct_party(
        &mut self,
        ours: &Record,
        account: Option<&str>,
        name: Option<&str>,
    ) -> Result<&'static str, IssuerError> {
        let id = ours.subject.as_str();
        // What is on an account: a load takes from it as a purchase does, an unload is put there.
        let sql = "SELECT kind, counter_holder, currency, amount, state FROM load \
                   WHERE id = $1 AND counter = 'account' \
                   UNION ALL SELECT 'purchase', account, currency, amount, state FROM purchase WHERE id = $1";
        let rows = self.tx.query(sql, &[id.into()])?;
        let Some(row) = rows.first() else {
            return Ok("not booked: what is moved is a load, an unload or a purchase");
        };
        let (kind, old) = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
        let currency = crate::roles::issuer::ledger::currency(row, 2)?;
        let amount = Amount::new(crate::roles::issuer::work::minor("load", row.int(3)?)?, currency);
        let state = row.text(4)?;
        // An unload is on no account before it has landed.
        let stands =
            if kind == "unload" { state == "landed" } else { !["returned", "reversed"].contains(&state) };
        let target = account.unwrap_or(&old);
        if target != old {
            match self.account_currency(target) {
                Ok(found) if found == currency => {}
                Ok(_) => return Ok("not booked: the statement's account is of another currency"),
                Err(IssuerError::NoSuchAccount { .. }) => {
                    return Ok("not booked: the statement's account is not one of ours");
                }
                Err(error) => return Err(error),
            }
            let (old_book, new_book) = (Book::Account(&old), Book::Account(target));
            let (from, to, short) = match kind.as_str() {
                "unload" => (old_book, new_book, "not booked: the account that was credited holds less"),
                _ => (new_book, old_book, "not booked: the statement's account holds less"),
            };
            if stands && !self.transfer("correction", id, from, to, amount)? {
                return Ok(short);
            }
            let sql = match kind.as_str() {
                "purchase" => "UPDATE purchase SET account = $1 WHERE id = $2",
                _ => "UPDATE load SET counter_holder = $1 WHERE id = $2",
            };
            self.tx.execute(sql, &[target.into(), id.into()])?;
            self.note_correction(ours, "account", &old, target)?;
        }
        if let Some(name) = name {
            let rows = self.tx.query("SELECT holder FROM account WHERE id = $1", &[target.into()])?;
            let Some(row) = rows.first() else { return Ok("not booked: no such account") };
            let before = Sealed(row.bytes(0)?.to_vec()).open(self.seal, account::HOLDER)?;
            let before =
                crate::base::bytes::Secret::new(String::from_utf8_lossy(before.expose()).into_owned());
            if before.expose().trim() != name {
                let sealed = Sealed::seal(self.seal, account::HOLDER, name.as_bytes(), self.context);
                self.tx.execute(
                    "UPDATE account SET holder = $1 WHERE id = $2",
                    &[sealed.0.into(), target.into()],
                )?;
                self.note_correction(ours, "name", before.expose(), name)?;
            }
        }
        self.say_amount("Correction Booked", amount, "the statement names another account or holder");
        Ok("booked")
    }

    fn note_correction(
        &mut self,
        ours: &Record,
        what: &'static str,
        before: &str,
        after: &str,
    ) -> Result<(), IssuerError> {
        let id = self.new_id();
        let seal = |text: &str, work: &mut Self| {
            Sealed::seal(work.seal, "correction", text.as_bytes(), work.context).0
        };
        let (before, after) = (seal(before, self), seal(after, self));
        let at = self.now().micros();
        self.tx.execute(
            "INSERT INTO correction (id, subject, what, was, became, at) VALUES ($1, $2, $3, $4, $5, $6)",
            &[id.into(), ours.subject.as_str().into(), what.into(), before.into(), after.into(), at.into()],
        )?;
        Ok(())
    }
}

/// Reads a line of bounded length, what is above it passed over; its length in the file.
fn read_line(from: &mut impl BufRead, text: &mut Vec<u8>) -> Result<u64, ReconciliationError> {
    let error = ReconciliationError::file("read the statement");
    text.clear();
    let mut length = from.by_ref().take(LINE_BYTES).read_until(b'\n', text).map_err(&error)? as u64;
    while length >= LINE_BYTES && text.last() != Some(&b'\n') {
        let mut more = Vec::new();
        let read = from.by_ref().take(LINE_BYTES).read_until(b'\n', &mut more).map_err(&error)? as u64;
        length += read;
        if read == 0 || more.last() == Some(&b'\n') {
            break;
        }
    }
    while text.last().is_some_and(|byte| [b'\r', b'\n'].contains(byte)) {
        text.pop();
    }
    Ok(length)
}

//! Statement formats: columns as data, read without a panic and without trust.

use super::record::{BadLine, Key, ReconciliationError};
use crate::base::bytes::Secret;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The formats that ship: a name and its description.
pub const STATEMENTS: &[(&str, &str)] =
    &[("csv", include_str!("statement/csv.toml")), ("network", include_str!("statement/network.toml"))];

/// How a statement is laid out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementFormat {
    layout: Layout,
    amount: AmountForm,
    refund: String,
    columns: BTreeMap<Field, Column>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Layout {
    Csv,
    Fixed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AmountForm {
    Decimal,
    Minor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Field {
    Date,
    Trace,
    Channel,
    Amount,
    Currency,
    Kind,
    Account,
    Name,
    OriginalDate,
    OriginalTrace,
    OriginalChannel,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    header: Option<String>,
    start: Option<usize>,
    length: Option<usize>,
    #[serde(default)]
    optional: bool,
}

/// Where each field stands in a line: a column's number, or first byte and length.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    format: &'a StatementFormat,
    places: BTreeMap<Field, (usize, usize)>,
}

/// What a line says.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) key: Key,
    pub(super) refund: bool,
    pub(super) amount_minor: u64,
    pub(super) currency: u16,
    pub(super) account: Secret<String>,
    pub(super) name: Secret<String>,
}

impl StatementFormat {
    /// A format that ships, by name.
    pub fn by_name(name: &str) -> Result<Self, ReconciliationError> {
        let found = STATEMENTS.iter().find(|(known, _)| *known == name);
        let (name, text) = found.ok_or_else(|| ReconciliationError::Format {
            name: name.to_owned(),
            cause: "expected csv, network or a file of your own, found no such format".into(),
        })?;
        Self::parse(name, text)
    }

    /// Reads a description.
    pub fn parse(name: &str, text: &str) -> Result<Self, ReconciliationError> {
        let error = |cause: String| ReconciliationError::Format { name: name.to_owned(), cause };
        let format: Self = toml::from_str(text).map_err(|cause| error(cause.to_string()))?;
        for field in [Field::Date, Field::Trace, Field::Channel, Field::Amount, Field::Currency] {
            if !format.columns.contains_key(&field) {
                return Err(error(format!("expected a column {field:?}, found none")));
            }
        }
        for (field, column) in &format.columns {
            let fits = match format.layout {
                Layout::Csv => column.header.is_some() && column.start.is_none() && column.length.is_none(),
                Layout::Fixed => {
                    column.header.is_none()
                        && column.start.is_some_and(|start| (1..=4096).contains(&start))
                        && column.length.is_some_and(|length| (1..=4096).contains(&length))
                }
            };
            if !fits {
                return Err(error(format!("{field:?}: expected a header in csv, start and length in fixed")));
            }
        }
        Ok(format)
    }

    /// Whether the first line names the columns.
    pub(super) fn has_header(&self) -> bool {
        self.layout == Layout::Csv
    }

    /// A reader of lines, from the first line where that names the columns.
    pub(super) fn reader(&self, first: &str) -> Result<Reader<'_>, ReconciliationError> {
        let headers = split(first.trim_start_matches('\u{FEFF}')).unwrap_or_default();
        let mut places = BTreeMap::new();
        for (field, column) in &self.columns {
            if let (Some(start), Some(length)) = (column.start, column.length) {
                places.insert(*field, (start - 1, length));
                continue;
            }
            let header = column.header.clone().unwrap_or_default();
            match headers.iter().position(|found| found.trim() == header) {
                Some(index) => drop(places.insert(*field, (index, 0))),
                None if column.optional => {}
                None => {
                    let found = first.chars().take(80).collect();
                    return Err(ReconciliationError::Header { header, found });
                }
            }
        }
        Ok(Reader { format: self, places })
    }
}

impl Reader<'_> {
    /// Reads a line.
    pub(super) fn read(&self, line: u64, text: &[u8]) -> Result<Line, BadLine> {
        let bad = |expected: &str, found: &str| BadLine {
            line,
            expected: expected.to_owned(),
            found: found.to_owned(),
        };
        let whole = std::str::from_utf8(text).map_err(|_| bad("UTF-8 text", "other bytes"))?;
        let cells = match self.format.layout {
            Layout::Csv => split(whole).ok_or_else(|| bad("quotes in pairs", "an open quote"))?,
            Layout::Fixed => Vec::new(),
        };
        let cell = |field: Field| -> Result<Option<&str>, BadLine> {
            let Some(&(start, length)) = self.places.get(&field) else { return Ok(None) };
            let optional = self.format.columns.get(&field).is_some_and(|column| column.optional);
            let found = match self.format.layout {
                Layout::Csv => cells.get(start).map(String::as_str),
                Layout::Fixed if optional => {
                    whole.get(start.min(whole.len())..(start + length).min(whole.len()))
                }
                Layout::Fixed => whole.get(start..start + length),
            };
            let found = found.ok_or_else(|| bad(&format!("a column {field:?}"), "a shorter line"))?.trim();
            Ok((!found.is_empty()).then_some(found))
        };
        let number = |field: Field, most: u64| -> Result<Option<u64>, BadLine> {
            let Some(text) = cell(field)? else { return Ok(None) };
            let value = digits(text).filter(|value| *value <= most);
            value.map(Some).ok_or_else(|| bad(&format!("{field:?} of digits up to {most}"), &cut(text)))
        };
        let day = |field: Field| -> Result<Option<u32>, BadLine> {
            let Some(text) = cell(field)? else { return Ok(None) };
            date(text).map(Some).ok_or_else(|| bad(&format!("{field:?} as YYYYMMDD"), &cut(text)))
        };
        let refund = cell(Field::Kind)? == Some(self.format.refund.as_str());
        let original = (
            day(Field::OriginalDate)?,
            number(Field::OriginalTrace, 999_999)?,
            cell(Field::OriginalChannel)?.map(str::to_owned),
        );
        let own =
            (day(Field::Date)?, number(Field::Trace, 999_999)?, cell(Field::Channel)?.map(str::to_owned));
        // A refund is known by its original, whether or not it has a time of its own.
        let key = match (refund, original, own) {
            (true, (Some(date), Some(trace), original), (_, _, own)) => {
                let channel = original.or(own).ok_or_else(|| bad("a channel", "none"))?;
                Key { date, trace: trace as u32, channel }
            }
            (_, _, (Some(date), Some(trace), Some(channel))) => Key { date, trace: trace as u32, channel },
            (true, _, _) => return Err(bad("date, trace and channel of a refund or its original", "less")),
            _ => return Err(bad("date, trace and channel", "less")),
        };
        let text = cell(Field::Amount)?.ok_or_else(|| bad("an amount", "none"))?;
        let amount = match self.format.amount {
            AmountForm::Minor => digits(text),
            AmountForm::Decimal => decimal(text),
        };
        let amount_minor = amount
            .filter(|amount| *amount <= crate::words::iso4217::Amount::MAX_MINOR)
            .ok_or_else(|| bad("an amount of twelve digits at most", &cut(text)))?;
        let currency = number(Field::Currency, 999)?.ok_or_else(|| bad("a currency", "none"))? as u16;
        let secret = |field| Ok(Secret::new(cell(field)?.unwrap_or_default().to_owned()));
        Ok(Line {
            key,
            refund,
            amount_minor,
            currency,
            account: secret(Field::Account)?,
            name: secret(Field::Name)?,
        })
    }
}

/// The cells of a line, quotes taken off; `None` where a quote stays open.
fn split(line: &str) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cells.last_mut()?.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut()?.push(c),
        }
    }
    (!quoted).then_some(cells)
}

fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// `12`, `12.3` or `12.34` in minor units.
fn decimal(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
    let part = match part.len() {
        1 => digits(part)? * 10,
        2 => digits(part)?,
        _ => return None,
    };
    digits(whole)?.checked_mul(100)?.checked_add(part)
}

fn date(text: &str) -> Option<u32> {
    let plain: String = match text.len() {
        10 if text.is_ascii() && &text[4..5] == "-" && &text[7..8] == "-" => text.replace('-', ""),
        8 => text.to_owned(),
        _ => return None,
    };
    let number = u32::try_from(digits(&plain)?).ok()?;
    super::matching::day_number(number).map(|_| number)
}

/// A cell as an error shows it.
fn cut(text: &str) -> String {
    format!("{:?}", text.chars().take(20).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "trace,date,channel,amount,currency,kind,name,account,original_date,original_trace";

    fn read(name: &str, line: &str) -> Result<Line, BadLine> {
        let format = StatementFormat::by_name(name).unwrap();
        format.reader(HEADER).unwrap().read(7, line.as_bytes())
    }

    #[test]
    fn reads_both_formats() {
        let line = read("csv", "12,2026-11-21,T1,\"50.00\",156,,\"Zhang, \"\"San\"\"\",A1,,").unwrap();
        let key = Key { date: 20_261_121, trace: 12, channel: "T1".into() };
        assert_eq!((line.key, line.amount_minor, line.refund), (key.clone(), 5000, false));
        assert_eq!(line.name.expose(), "Zhang, \"San\"");
        let refund = read("csv", "99,,T1,5,156,R,,,20261121,12").unwrap();
        assert_eq!((refund.key, refund.refund, refund.amount_minor), (key.clone(), true, 500));
        let line = read("network", "20261121000012T1      S000000005000156A1                 ").unwrap();
        assert_eq!((line.key, line.amount_minor, line.account.expose().as_str()), (key, 5000, "A1"));
    }

    #[test]
    fn a_bad_line_is_named_and_shows_no_name() {
        for (line, expected) in [
            ("12,20261121,T1,5.001,156,,,,,", "amount"),
            ("12,20261131,T1,5,156,,,,,", "YYYYMMDD"),
            ("1234567,20261121,T1,5,156,,,,,", "Trace"),
            ("12,,T1,5,156,,Secret Name,,,", "date"),
            ("12,20261121,T1,5,156,R,\"x,,,", "quotes"),
            ("12", "column"),
        ] {
            let error = read("csv", line).unwrap_err();
            assert!(error.line == 7 && error.expected.contains(expected), "{error}");
            assert!(!error.to_string().contains("Secret"), "{error}");
        }
        assert!(read("network", "2026").is_err());
        let format = StatementFormat::by_name("csv").unwrap();
        assert!(matches!(format.reader("date,trace"), Err(ReconciliationError::Header { .. })));
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_named(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for (name, _) in STATEMENTS {
                let format = StatementFormat::by_name(name).unwrap();
                let _ = format.reader(HEADER).unwrap().read(1, &bytes);
            }
        }
    }
}

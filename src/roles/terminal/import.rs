//! Files of other programs as a terminal file of ours: the crate `emv`'s `terminal.toml`,
//! `aids.toml`, `capk.toml` and `crl.toml`, and proxmark's `capk.txt`. What they do not say
//! stays as shipped; what has no place here is named.

use super::config::DEFAULT;
use super::{ConfigError, TerminalConfig, Trust, TrustError};
use crate::base::bytes::Hex;
use crate::words::emv::certificate::Suite;
use crate::words::iso7816::Aid;
use toml::{Table, Value};

/// A terminal file in the making.
#[derive(Debug, Clone)]
pub struct Import {
    table: Table,
    trust: Trust,
    notes: Vec<String>,
}

/// Why a file cannot be taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// No TOML, and no `capk.txt`.
    #[error("expected TOML or capk.txt: {0}")]
    Toml(String),
    /// TOML of another program.
    #[error(
        "expected terminal.toml, aids.toml, capk.toml or crl.toml of the crate emv, or capk.txt: there is none \
         of ifd_serial_number, aids, capk_rsa, entries"
    )]
    Kind,
    /// A value of another form.
    #[error("expected {expected} for {field}")]
    Value {
        /// The field.
        field: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Keys that cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Together the files are no terminal.
    #[error("what was taken over is no terminal file: {0}")]
    Config(#[from] ConfigError),
}

/// Fields of `terminal.toml` that are ours under another name.
const TERMINAL: &[(&str, &str)] = &[
    ("ifd_serial_number", "serial"),
    ("terminal_country_code", "country"),
    ("terminal_type", "terminal_type"),
    ("terminal_capabilities", "capabilities"),
    ("additional_terminal_capabilities", "additional_capabilities"),
];
/// The same of the defaults in `aids.toml`.
const DEFAULTS: &[(&str, &str)] = &[
    ("merchant_identifier", "merchant"),
    ("merchant_name_and_location", "merchant_name"),
    ("terminal_identification", "terminal"),
    ("transaction_currency_code", "currency"),
    ("default_ddol", "default_ddol"),
    ("default_tdol", "default_tdol"),
];
/// Terminal risk management, of the defaults or of one application.
const RISK: &[(&str, &str)] = &[
    ("terminal_floor_limit", "floor_limit_minor"),
    ("rts_threshold_value", "random_threshold_minor"),
    ("rts_target_percentage", "random_target_percent"),
    ("rts_max_target_percentage", "random_maximum_percent"),
];
/// Terminal action codes, of the defaults or of one application.
const ACTION_CODES: &[(&str, &str)] =
    &[("tac_denial", "denial"), ("tac_online", "online"), ("tac_default", "default")];
/// Read with other fields.
const ELSEWHERE: &[&str] = &["aid", "application_version_number", "merchant_category_code"];

impl Import {
    /// The shipped terminal file, without the keys that it trusts.
    pub fn new() -> Result<Self, ImportError> {
        let mut table: Table = DEFAULT.parse().map_err(toml_error)?;
        table.remove("trust");
        Ok(Self { table, trust: Trust::default(), notes: Vec::new() })
    }

    /// Takes a file over; its contents say which it is.
    pub fn add(&mut self, text: &str) -> Result<(), ImportError> {
        let Ok(file) = text.parse::<Table>() else {
            self.trust.extend(Trust::parse(text)?);
            return Ok(());
        };
        let has = |names: &[&str]| names.iter().any(|name| file.contains_key(*name));
        if has(&["ifd_serial_number"]) {
            self.terminal(&file);
        } else if has(&["aids"]) {
            self.applications(&file)?;
        } else if has(&["capk_rsa", "capk_ecc", "capk_sm2", "entries", "revoked"]) {
            let ecc = file.get("capk_ecc").and_then(Value::as_array).map_or(0, Vec::len);
            if ecc > 0 {
                self.notes.push(format!(
                    "{ecc} keys of elliptic curves (capk_ecc) are left out: XDA is not performed"
                ));
            }
            self.trust.extend(Trust::parse_toml(text)?);
        } else {
            return Err(ImportError::Kind);
        }
        Ok(())
    }

    /// Fields that have no place in a terminal file of ours.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The terminal file, which [`TerminalConfig::parse`] reads.
    pub fn to_toml(&self) -> Result<String, ImportError> {
        let mut table = self.table.clone();
        table.insert("trust".into(), Value::Table(trust_table(&self.trust)));
        let text = toml::to_string(&table).map_err(|error| ImportError::Toml(error.to_string()))?;
        TerminalConfig::parse(&text)?;
        Ok(text)
    }

    fn terminal(&mut self, file: &Table) {
        take_over(file, TERMINAL, &mut self.table);
        self.note_rest(file, &[TERMINAL], "terminal.toml");
    }

    fn applications(&mut self, file: &Table) -> Result<(), ImportError> {
        let none = Table::new();
        let defaults = file.get("defaults").and_then(Value::as_table).unwrap_or(&none);
        take_over(defaults, DEFAULTS, &mut self.table);
        if let Some(code) = defaults.get("merchant_category_code") {
            let digits = code.as_integer().filter(|code| (0..=9999).contains(code));
            let digits = digits.ok_or_else(|| wrong("merchant_category_code", "a number of 4 digits"))?;
            self.table.insert("merchant_category".into(), format!("{digits:04}").into());
        }
        for (name, fields) in [("risk", RISK), ("action_codes", ACTION_CODES)] {
            let mut own = self.part(name);
            take_over(defaults, fields, &mut own);
            self.table.insert(name.into(), Value::Table(own));
        }
        self.note_rest(defaults, &[DEFAULTS, RISK, ACTION_CODES], "aids.toml");
        let rows = file.get("aids").and_then(Value::as_array);
        let rows = rows.ok_or_else(|| wrong("aids", "[[aids]] tables"))?;
        let rows = rows.iter().map(|row| self.application(row)).collect::<Result<Vec<_>, _>>()?;
        self.keep_combinations(&rows);
        self.table.insert("application".into(), Value::Array(rows));
        Ok(())
    }

    fn application(&mut self, row: &Value) -> Result<Value, ImportError> {
        let row = row.as_table().ok_or_else(|| wrong("aids", "[[aids]] tables"))?;
        let aid = row.get("aid").and_then(Value::as_str).ok_or_else(|| wrong("aid", "a hexadecimal name"))?;
        let mut out = Table::new();
        out.insert("aid".into(), aid.into());
        take_over(row, &[("application_version_number", "application_version")], &mut out);
        for (name, fields) in [("risk", RISK), ("action_codes", ACTION_CODES)] {
            if fields.iter().any(|(theirs, _)| row.contains_key(*theirs)) {
                let mut own = self.part(name);
                take_over(row, fields, &mut own);
                out.insert(name.into(), Value::Table(own));
            }
        }
        self.note_rest(row, &[RISK, ACTION_CODES], aid);
        Ok(Value::Table(out))
    }

    /// Contactless combinations of the shipped file stay for names that are still accepted.
    fn keep_combinations(&mut self, applications: &[Value]) {
        let accepted: Vec<Aid> = applications
            .iter()
            .filter_map(|row| row.get("aid")?.as_str()?.to_owned().try_into().ok())
            .collect();
        let is_accepted = |aid: &Value| {
            let aid = aid.as_str().and_then(|text| Aid::try_from(text.to_owned()).ok());
            aid.is_some_and(|aid| accepted.iter().any(|own| aid.as_bytes().starts_with(own.as_bytes())))
        };
        if let Some(rows) = self.table.get_mut("combination").and_then(Value::as_array_mut) {
            for row in rows.iter_mut() {
                if let Some(aids) = row.get_mut("aids").and_then(Value::as_array_mut) {
                    aids.retain(is_accepted);
                }
            }
            rows.retain(|row| row.get("aids").and_then(Value::as_array).is_some_and(|aids| !aids.is_empty()));
        }
    }

    fn part(&self, name: &str) -> Table {
        self.table.get(name).and_then(Value::as_table).cloned().unwrap_or_default()
    }

    fn note_rest(&mut self, theirs: &Table, taken: &[&[(&str, &str)]], place: &str) {
        for field in theirs.keys() {
            let is_taken = taken.iter().any(|fields| fields.iter().any(|(name, _)| name == field));
            // Names are taken by their beginning here in any case.
            let says_nothing = field == "partial_match_allowed" && theirs[field].as_bool() == Some(true);
            if !is_taken && !says_nothing && !ELSEWHERE.contains(&field.as_str()) {
                self.notes.push(format!("{place}: {field} has no place in a terminal file and is left out"));
            }
        }
    }
}

fn take_over(theirs: &Table, fields: &[(&str, &str)], ours: &mut Table) {
    for (name, own) in fields {
        if let Some(value) = theirs.get(*name) {
            ours.insert((*own).into(), value.clone());
        }
    }
}

fn trust_table(trust: &Trust) -> Table {
    let hex = |bytes: &[u8]| Value::from(Hex(bytes).to_string());
    let (mut rsa, mut sm2) = (Vec::new(), Vec::new());
    for key in trust.keys.iter() {
        let mut row = Table::new();
        row.insert("rid".into(), hex(&key.rid));
        row.insert("index".into(), hex(&[key.index]));
        if let Some(date) = &key.expiry {
            row.insert("expiry".into(), hex(date));
        }
        row.insert("checksum".into(), hex(&key.checksum()));
        let (rows, number) = match key.key.suite() {
            Suite::Rsa => (&mut rsa, "modulus"),
            Suite::Sm2 => (&mut sm2, "point"),
        };
        row.insert(number.into(), hex(key.key.bytes()));
        if !key.key.exponent().is_empty() {
            row.insert("exponent".into(), hex(key.key.exponent()));
        }
        rows.push(Value::Table(row));
    }
    let revoked = trust.revocations.0.iter().map(|revoked| {
        let mut row = Table::new();
        row.insert("rid".into(), hex(&revoked.rid));
        row.insert("ca_pk_index".into(), hex(&[revoked.ca_index]));
        row.insert("cert_serial".into(), hex(&revoked.serial));
        Value::Table(row)
    });
    let parts = [("capk_rsa", rsa), ("capk_sm2", sm2), ("revoked", revoked.collect())];
    parts.into_iter().filter(|(_, rows)| !rows.is_empty()).map(|(n, rows)| (n.into(), rows.into())).collect()
}

fn toml_error(error: toml::de::Error) -> ImportError {
    ImportError::Toml(error.to_string())
}

fn wrong(field: &str, expected: &'static str) -> ImportError {
    ImportError::Value { field: field.into(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_taken_over_is_the_shipped_file_without_keys() {
        let text = Import::new().unwrap().to_toml().unwrap();
        let config = TerminalConfig::parse(&text).unwrap();
        assert_eq!(config.trust, Trust::default());
        assert_eq!(config.applications, TerminalConfig::default().applications);
        assert_eq!(config.combinations, TerminalConfig::default().combinations);
    }

    #[test]
    fn what_is_no_file_of_theirs_is_refused() {
        let add = |text: &str| Import::new().unwrap().add(text);
        assert_eq!(add("colour = 1"), Err(ImportError::Kind));
        assert!(matches!(add("one two three"), Err(ImportError::Trust(_))));
        assert!(matches!(add("aids = 3"), Err(ImportError::Value { .. })));
        assert!(matches!(add("[[capk_rsa]]\nrid = 'A0'"), Err(ImportError::Trust(_))));
    }

    #[test]
    fn a_terminal_that_cannot_be_is_refused() {
        let mut import = Import::new().unwrap();
        import.add("ifd_serial_number = 'SHORT'").unwrap();
        assert!(matches!(import.to_toml(), Err(ImportError::Config(_))));
    }
}

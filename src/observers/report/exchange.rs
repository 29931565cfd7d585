//! Exchanges as plain text: each command and answer in hexadecimal, with what it
//! says below it, indented as it is nested.

use crate::base::bytes::Hex;
use crate::words::decode::{Explainer, Line, Masker};
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use crate::words::tlv::{Tag, encode};

/// The format's name.
pub(super) const NAME: &str = "exchange";

/// Bytes in one row of a long value.
const ROW_BYTES: usize = 32;

/// Tells the exchanges of one card session, in order.
#[derive(Debug, Clone)]
pub struct ExchangeReport {
    explainer: Explainer,
    masker: Option<Masker>,
    /// The last answer, masked where all is.
    last: ResponseApdu,
}

impl ExchangeReport {
    /// Card data is masked.
    pub fn masked() -> Self {
        Self { explainer: Explainer::masked(), masker: Some(Masker::new()), last: nothing() }
    }

    /// Card data is shown as it is.
    pub fn unmasked() -> Self {
        Self { explainer: Explainer::unmasked(), masker: None, last: nothing() }
    }

    /// The command, `>` before it, and what it asks for.
    pub fn command(&mut self, command: &CommandApdu) -> String {
        let lines = self.explainer.command(command);
        let bytes = match &mut self.masker {
            Some(masker) => masker.command(command).to_bytes(),
            None => command.to_bytes(),
        };
        format!("> {}\n{}", Hex(&bytes), indented(&lines, 1))
    }

    /// One data element, as the answers of this session are told.
    pub fn element(&mut self, tag: Tag, value: &[u8]) -> String {
        tree(&self.explainer.tlv(&encode(tag, value)))
    }

    /// The bytes of the answer that was told last, in hexadecimal; `with_status` adds its
    /// status word.
    pub fn answer(&self, with_status: bool) -> String {
        let bytes = if with_status { self.last.to_bytes() } else { self.last.data.clone() };
        format!("{:#}", Hex(&bytes))
    }

    /// A value that was worked out of card data, of which nobody knows which parts are whose.
    pub fn hidden(&self, text: &str) -> String {
        match self.masker {
            Some(_) => format!("a value of {} characters; --unmask shows it", text.chars().count()),
            None => text.to_owned(),
        }
    }

    /// Free text, in which card data may stand.
    pub fn words(&mut self, text: &str) -> String {
        match &mut self.masker {
            Some(masker) => masker.text(text),
            None => text.to_owned(),
        }
    }

    /// The answer to the command before, `<` before it, and what it says.
    pub fn response(&mut self, response: &ResponseApdu) -> String {
        let lines = self.explainer.response(response);
        self.last = match &mut self.masker {
            Some(masker) => masker.response(response),
            None => response.clone(),
        };
        format!("< {}\n{}", Hex(&self.last.to_bytes()), indented(&lines, 1))
    }
}

/// No answer yet.
fn nothing() -> ResponseApdu {
    ResponseApdu::ok([])
}

/// Lines as a tree, one line each, ended by a line feed; long values go on below.
pub fn tree(lines: &[Line]) -> String {
    indented(lines, 0)
}

fn indented(lines: &[Line], depth: usize) -> String {
    lines.iter().map(|line| one(line, depth)).collect()
}

fn one(line: &Line, depth: usize) -> String {
    let indent = "  ".repeat(depth + line.depth);
    let tag = line.tag.map(|tag| format!("{tag} ")).unwrap_or_default();
    let mut text = format!("{indent}{tag}{}", line.name);
    let mut rows = line.value.chunks(ROW_BYTES);
    if line.value.len() <= ROW_BYTES
        && let Some(row) = rows.next()
    {
        text.push_str(&format!(": {}", Hex(row)));
    }
    if !line.meaning.is_empty() {
        text.push_str(&format!(" = {}", line.meaning));
    }
    for row in rows {
        text.push_str(&format!("\n{indent}  {}", Hex(row)));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::bytes::parse_hex;

    fn told(report: &mut ExchangeReport, command: &str, response: &str) -> String {
        let command = CommandApdu::parse(&parse_hex(command).unwrap()).unwrap();
        let response = ResponseApdu::parse(&parse_hex(response).unwrap()).unwrap();
        report.command(&command) + &report.response(&response)
    }

    #[test]
    fn tells_a_balance() {
        let text = told(&mut ExchangeReport::masked(), "80CA9F7900", "9F7906000000005000 9000");
        let expected = "\
> 80CA9F7900
  GET DATA: 80CA9F79 = 9F79 Electronic Cash Balance
< 9F79060000000050009000
  9F79 Electronic Cash Balance: 000000005000 = 5000 in minor units
  status word: 9000 = normal processing
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_masked_report_shows_no_pan_and_no_pin() {
        let pan = "4111111111111111";
        let mut report = ExchangeReport::masked();
        let record = told(&mut report, "00B2010C00", &format!("700A 5A08 {pan} 9000"));
        assert!(!record.contains(pan) && record.contains("(a pseudonym)"), "{record}");
        let verify = told(&mut report, "0020008008241234FFFFFFFFFF", "9000");
        assert!(!verify.contains("1234"), "{verify}");
        let open = told(&mut ExchangeReport::unmasked(), "00B2010C00", &format!("700A 5A08 {pan} 9000"));
        assert!(open.contains(pan));
    }

    #[test]
    fn long_values_go_on_below() {
        let lines = [Line::new(0, 0, "certificate").value(vec![0xAB; 40]).meaning("long")];
        let expected = format!("certificate = long\n  {}\n  {}\n", "AB".repeat(32), "AB".repeat(8));
        assert_eq!(tree(&lines), expected);
    }
}

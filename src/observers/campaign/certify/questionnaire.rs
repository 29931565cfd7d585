//! The questionnaire, `ics.toml`: what the product under test is and supports, and what is
//! at the bench.

use super::catalogue::Product;
use super::question::{BENCH, QUESTIONS, Question};
use crate::observers::campaign::error::CampaignError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A questionnaire that was filled in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questionnaire {
    /// What is under test.
    pub product: Product,
    /// What is written into the evidence as it stands.
    #[serde(default)]
    pub about: About,
    #[serde(default)]
    supports: BTreeMap<String, bool>,
    #[serde(default)]
    bench: BTreeMap<String, bool>,
}

/// What is written into the evidence as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct About {
    /// The product's name.
    pub name: String,
    /// Its hardware or personalisation version.
    pub version: String,
    /// Its serial number; of a terminal F41 or what stands on it.
    pub serial: String,
    /// The software in it.
    pub software: String,
    /// CA public keys that are loaded in it, as `A000000333 E1`.
    pub ca_keys: Vec<String>,
    /// Who runs the cases.
    pub operator: String,
    /// Where: temperature, reader, field strength, whatever matters.
    pub environment: String,
}

/// A new questionnaire: every question of a product with a comment.
pub fn questionnaire_text(product: Product) -> String {
    let rows = |rows: &[Question]| -> String {
        let of_product = rows.iter().filter(|row| row.of.is_none_or(|of| of == product));
        of_product.map(|row| format!("# {}\n{} = {}\n", row.asks, row.key, row.answer)).collect()
    };
    let bench = rows(BENCH);
    format!(
        "# What the product under test is and supports. Cases that it does not apply to are left out;\n\
         # cases whose seat is not at the bench are \"not run\", and say so.\n\
         # `cardwright certify run --ics FILE --session DIR` reads it, and keeps a copy in the session.\n\
         \n\
         # \"card\" or \"terminal\".\n\
         product = \"{}\"\n\
         \n\
         # Written into the evidence as it stands; leave empty what is not known.\n\
         [about]\n\
         name = \"\"\n\
         version = \"\"\n\
         # Of a terminal its serial number.\n\
         serial = \"\"\n\
         software = \"\"\n\
         # CA public keys that are loaded in it: [\"A000000333 E1\"].\n\
         ca_keys = []\n\
         # Who runs the cases.\n\
         operator = \"\"\n\
         # Whatever else matters: room, reader, mounting.\n\
         environment = \"\"\n\
         \n\
         [supports]\n\
         {}\
         \n\
         # What is at hand here and now.\n\
         [bench]\n\
         {bench}",
        product.word(),
        rows(QUESTIONS),
    )
}

impl Questionnaire {
    /// Reads a questionnaire. A key that nobody asks for is an error: it would be passed over.
    pub fn parse(text: &str) -> Result<Self, CampaignError> {
        let wrong = |cause: String| CampaignError::Questionnaire { cause };
        let read: Self = toml::from_str(text).map_err(|cause| wrong(cause.to_string()))?;
        let asked = |rows: &[Question], key: &str| {
            rows.iter().any(|row| row.key == key && row.of.is_none_or(|of| of == read.product))
        };
        let lists = [("supports", &read.supports, QUESTIONS), ("bench", &read.bench, BENCH)];
        for (list, answers, rows) in lists {
            if let Some(key) = answers.keys().find(|key| !asked(rows, key)) {
                let product = read.product.word();
                return Err(wrong(format!(
                    "expected a key that is asked of a {product} in [{list}], found {key:?}"
                )));
            }
        }
        Ok(read)
    }

    /// Whether the product supports something; what is not answered is no.
    pub fn supports(&self, key: &str) -> bool {
        self.supports.get(key).copied().unwrap_or(false)
    }

    /// Whether something is at the bench.
    pub fn has(&self, key: &str) -> bool {
        self.bench.get(key).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_questionnaire_can_be_read() {
        for product in [Product::Card, Product::Terminal] {
            let text = questionnaire_text(product);
            let read = Questionnaire::parse(&text).unwrap();
            assert_eq!(read.product, product);
            assert!(read.supports("contact") && !read.has("person"));
            let wrong = text.replace("contactless = true", "contactles = true");
            assert!(Questionnaire::parse(&wrong).unwrap_err().to_string().contains("contactles"));
        }
        let card = questionnaire_text(Product::Card) + "host = true\n";
        assert!(Questionnaire::parse(&card).is_err(), "a card has no host");
    }
}

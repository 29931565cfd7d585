//! A refused GET PROCESSING OPTIONS, and which outcome its status word leads to. Each kernel
//! has its own answers; a combination in the terminal file may have others.

use super::outcome::{Again, end_application, select_next, try_again, try_another_interface};
use super::{Message, OnRefusal};
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::step::application_selection::Selected;
use crate::words::iso7816::StatusWord;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a status word leads to.
type Answers = [(StatusWord, OnRefusal)];

/// Kernel 3: EMV Contactless Book C-3 5.4.2. Kernel 7 does the same: its own document has
/// no table that is public.
const KERNEL_3: &Answers = &[
    (StatusWord::DATA_INVALIDATED, OnRefusal::TryAnotherInterface),
    (StatusWord::CONDITIONS_NOT_SATISFIED, OnRefusal::SelectNext),
    (StatusWord::NOT_ALLOWED, OnRefusal::SeePhone),
];

/// Kernel 2: EMV Book C-2 S3.8 and S3.9.
const KERNEL_2: &Answers = &[(StatusWord::CONDITIONS_NOT_SATISFIED, OnRefusal::SelectNext)];

/// What a combination has in place of its kernel's answers, by status word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, OnRefusal>")]
pub struct Refusals {
    answers: Vec<(StatusWord, OnRefusal)>,
    other: Option<OnRefusal>,
}

impl Refusals {
    fn of(&self, status: StatusWord, kernel: &Answers) -> OnRefusal {
        let listed = |answers: &Answers| answers.iter().find(|(of, _)| *of == status).map(|(_, then)| *then);
        let known = listed(&self.answers).or_else(|| listed(kernel));
        known.or(self.other).unwrap_or(OnRefusal::EndApplication)
    }
}

impl TryFrom<BTreeMap<String, OnRefusal>> for Refusals {
    type Error = String;

    fn try_from(table: BTreeMap<String, OnRefusal>) -> Result<Self, String> {
        let mut refusals = Self::default();
        for (word, then) in table {
            match u16::from_str_radix(&word, 16) {
                Ok(status) if word.len() == 4 => refusals.answers.push((StatusWord(status), then)),
                _ if word == "other" => refusals.other = Some(then),
                _ => {
                    return Err(format!("expected a status word of 4 digits, or \"other\", found {word:?}"));
                }
            }
        }
        Ok(refusals)
    }
}

/// What kernels 3 and 7 make of a refusal.
pub(in crate::roles::terminal) fn refused_options(
    selected: Selected,
    status: StatusWord,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    refused(selected, status, KERNEL_3, context)
}

/// What kernel 2 makes of it.
pub(in crate::roles::terminal) fn refused_options_of_kernel_2(
    selected: Selected,
    status: StatusWord,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    refused(selected, status, KERNEL_2, context)
}

fn refused(
    selected: Selected,
    status: StatusWord,
    kernel: &Answers,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    let session = selected.session;
    let reason = format!("GET PROCESSING OPTIONS answered {status}");
    let own = session.combination().map(|combination| combination.refusals.of(status, kernel));
    match own.unwrap_or_else(|| Refusals::default().of(status, kernel)) {
        OnRefusal::SelectNext => select_next(session, reason, context),
        OnRefusal::SeePhone => Ok(try_again(session, Again::SEE_PHONE, reason, context)),
        OnRefusal::TryAnotherInterface => Ok(try_another_interface(session, reason, context)),
        OnRefusal::EndApplication => Ok(end_application(session, Message::TryAnotherCard, reason, context)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, OnRefusal)]) -> Result<Refusals, String> {
        Refusals::try_from(
            rows.iter().map(|(word, then)| ((*word).to_owned(), *then)).collect::<BTreeMap<_, _>>(),
        )
    }

    #[test]
    fn a_combination_stands_above_its_kernel_and_the_rest_below() {
        let own = table(&[("6985", OnRefusal::SeePhone), ("other", OnRefusal::SelectNext)]).unwrap();
        assert_eq!(own.of(StatusWord(0x6985), KERNEL_3), OnRefusal::SeePhone);
        assert_eq!(own.of(StatusWord(0x6984), KERNEL_3), OnRefusal::TryAnotherInterface);
        assert_eq!(own.of(StatusWord(0x6A80), KERNEL_3), OnRefusal::SelectNext);
        assert_eq!(Refusals::default().of(StatusWord(0x6984), KERNEL_2), OnRefusal::EndApplication);
        assert!(table(&[("698", OnRefusal::SeePhone)]).unwrap_err().contains("698"));
    }
}

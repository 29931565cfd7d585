//! Kernel 3: EMV Contactless Book C-3, for cards that decide at GET PROCESSING OPTIONS by the
//! reader's qualifiers (qVSDC). Mag-stripe mode, issuer update processing and dynamic reader
//! limits are not done.
//!
//! Entry Point -> initiate application processing (5.2) -> read application data (5.3) ->
//! card read complete (5.4) -> processing restrictions (5.5) -> offline data authentication
//! (5.6) -> cardholder verification (5.7) -> online processing or completion (5.8, 5.9).

mod card_read_complete;
mod cardholder_verification;
mod completion;
mod offline_data_authentication;
mod processing_restrictions;

use crate::air::host::Entry;
use crate::base::context::Context;
use crate::roles::terminal::entry_point;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::CardMark;
use crate::roles::terminal::kernel_row::Kernel;
use crate::roles::terminal::outcome::Verdict;
use crate::roles::terminal::phase::Next;
use crate::roles::terminal::session::Session;
use crate::roles::terminal::step::application_selection::Selected;
use crate::roles::terminal::step::initiate_application_processing::{self as initiate, Initiation};
use crate::roles::terminal::step::read_application_data;
use crate::words::emv::certificate::StaticData;
use crate::words::emv::{Aip, CryptogramType, Ctq, Ttq};

/// Kernel 3.
pub(super) const KERNEL: Kernel =
    Kernel { name: "kernel 3", identifier: Some(3), mode: Entry::ContactlessQuick, begin };

const INITIATION: Initiation = Initiation {
    begun: |initiated, context| read_application_data::read(initiated, card_read_complete::begin, context),
    refused: entry_point::refused_options,
};

fn begin(mut selected: Selected, _context: &mut Context) -> Result<Next, TerminalError> {
    // The card's cryptogram is over zeros.
    selected.session.withholds_tvr = true;
    Ok(initiate::begin(selected, INITIATION))
}

/// A card that may leave the field: everything has been read, and nothing of it judged.
struct CardRead {
    session: Session,
    aip: Aip,
    card: CardMark,
    /// What the card decided.
    given: CryptogramType,
    /// The records that the issuer signed.
    signed: StaticData,
    /// What the reader told the card.
    reader: Ttq,
    /// What the card told the reader, where it did.
    qualifiers: Option<Ctq>,
}

/// The judgement, step by step; a step that ends the transaction says how.
fn judge(read: CardRead, context: &mut Context) -> Result<Next, TerminalError> {
    let judged = card_read_complete::perform(read, context)
        .and_then(|read| processing_restrictions::perform(read, context))
        .and_then(|read| offline_data_authentication::perform(read, context))
        .and_then(|read| cardholder_verification::perform(read, context));
    match judged {
        Ok(read) => Ok(completion::perform(read, context)),
        Err(Ended(next)) => *next,
    }
}

/// What a step of the judgement comes to.
type Step = Result<CardRead, Ended>;

/// The transaction is over, or begins again.
struct Ended(Box<Result<Next, TerminalError>>);

impl Ended {
    fn by(next: Next) -> Self {
        Self(Box::new(Ok(next)))
    }
}

impl CardRead {
    /// Whether the card has a qualifier.
    fn has(&self, qualifier: crate::base::bytes::Bit<Ctq>) -> bool {
        self.qualifiers.is_some_and(|qualifiers| qualifiers.has(qualifier))
    }

    fn decline(self, reason: impl Into<String>, context: &mut Context) -> Ended {
        Ended::by(Next::done(self.session.outcome(Verdict::Declined, reason, None, context)))
    }

    /// The card has approved and its issuer is to be asked all the same.
    fn go_online(self, reason: &str, context: &mut Context) -> Ended {
        if self.reader.has(Ttq::OFFLINE_ONLY) || self.reader.has(Ttq::ONLINE_REQUIRED) {
            return self.decline(format!("{reason}, and cannot be"), context);
        }
        if !self.session.combination().is_none_or(|combination| combination.asks_again_online) {
            return self.decline(reason, context);
        }
        Ended(Box::new(entry_point::online_instead(self.session, reason, context)))
    }

    fn switch_interface(self, reason: &str, context: &mut Context) -> Ended {
        Ended::by(entry_point::try_another_interface(self.session, reason, context))
    }
}

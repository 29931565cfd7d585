//! Combined DDA and application cryptogram generation (CDA): when the signature is asked
//! for, and its check (EMV Book 2 6.6; Book 4 6.3.2.1).

use super::offline_data_authentication::{combined_failed, combined_succeeded};
use super::read_application_data::RecordsRead;
use crate::base::context::Context;
use crate::roles::terminal::authentication::Weakness;
use crate::roles::terminal::config::CdaMode;
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType;
use crate::words::emv::certificate::{CdaDynamicData, PublicKey};
use crate::words::emv::command::{Cryptogram, GenerateAc};
use crate::words::tlv;

const PLAIN: &str = "the card gave no signature (9F4B) where one was asked for (EMV Book 2 6.6.2)";

const RELAYED: &str = "the card signed other relay resistance data than it gave (EMV Book C-2 S910)";

/// Where in a transaction a cryptogram is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// The first GENERATE AC.
    First,
    /// The second one, after the issuer's answer.
    Answered,
    /// The second one, where the issuer could not be asked.
    Unanswered,
}

/// Whether a signature is asked for with this cryptogram. A declining one has none.
pub(super) fn is_asked_for(read: &mut RecordsRead, cryptogram: CryptogramType, moment: Moment) -> bool {
    let mode = read.session().terms.config.cda_mode;
    let by_mode = match (moment, cryptogram) {
        (_, CryptogramType::Aac) => false,
        (Moment::First, CryptogramType::Arqc) => matches!(mode, CdaMode::One | CdaMode::Two),
        (Moment::Answered, _) => matches!(mode, CdaMode::One | CdaMode::Four),
        // Nobody but the card vouches for it.
        _ => true,
    };
    by_mode && read.combined.is_some()
}

/// Checks the signature in an answer and puts what it holds into the session. `true`
/// where there is nothing to check or it is good.
pub(in crate::roles::terminal) fn check(
    read: &mut RecordsRead,
    ask: &GenerateAc,
    given: &Cryptogram,
    raw: &[u8],
    context: &mut Context,
) -> bool {
    let key = read.combined.clone();
    let session = read.session();
    session.exchanged.extend(&ask.cdol_data);
    let declined = given.cid().and_then(|cid| cid.cryptogram_type()) == Some(CryptogramType::Aac);
    let Some(key) = key.filter(|_| ask.cda && !declined) else { return true };
    match recover(session, &key, given, raw) {
        Ok(data) => {
            session.store.put(tag::APPLICATION_CRYPTOGRAM, data.cryptogram);
            session.store.put(tag::ICC_DYNAMIC_NUMBER, data.number);
            combined_succeeded(session, context);
            true
        }
        Err(weakness) => {
            combined_failed(session, &weakness, context);
            false
        }
    }
}

fn recover(
    session: &Session,
    key: &PublicKey,
    given: &Cryptogram,
    raw: &[u8],
) -> Result<CdaDynamicData, Weakness> {
    let wanted = tag::SIGNED_DYNAMIC_APPLICATION_DATA;
    let signed = given.data.value(wanted).ok_or(Weakness::Conduct(PLAIN))?;
    let information = given.cid().map(|cid| cid.0).unwrap_or_default();
    let number = session.store.array(tag::UNPREDICTABLE_NUMBER).unwrap_or_default();
    let data = CdaDynamicData::recover(signed, number, information, key)?;
    data.check_transaction(&[&session.exchanged, &without_signature(raw)])?;
    match data.rest.starts_with(&session.relay) {
        true => Ok(data),
        false => Err(Weakness::Conduct(RELAYED)),
    }
}

/// The data objects of an answer as they came, but for the signature.
fn without_signature(raw: &[u8]) -> Vec<u8> {
    let children = tlv::parse_one(raw).and_then(|template| template.children()).unwrap_or_default();
    let ends = children.iter().skip(1).map(|child| child.offset).chain([raw.len()]);
    let kept = children.iter().zip(ends);
    let kept = kept.filter(|(child, _)| child.tag != tag::SIGNED_DYNAMIC_APPLICATION_DATA);
    kept.flat_map(|(child, end)| raw.get(child.offset..end).unwrap_or_default()).copied().collect()
}

//! Making issuer application data and the application cryptogram (JR/T 0025.5;
//! EMV Book 2 8.1).

use super::behaviour::Application;
use super::memory::{ApplicationMemory, Image};
use super::quick_decision::available_minor;
use super::session::Transaction;
use super::simulator::Refusal;
use crate::base::crypto::TripleDes;
use crate::words::dictionary::tag;
use crate::words::emv::CryptogramType;
use crate::words::emv::cryptogram::CryptogramVersion;
use crate::words::iso7816::StatusWord;
use crate::words::pboc::idd_mac::idd_mac;
use crate::words::pboc::{EcashSet, Iad, IddValue};

/// A cryptogram and what goes with it.
pub(super) struct Made {
    /// Tag 9F10.
    pub iad: Vec<u8>,
    /// Tag 9F26.
    pub cryptogram: [u8; 8],
}

/// Makes the cryptogram of a transaction. The memory is as it will be once the
/// transaction is done: issuer discretionary data tells the balance that results.
pub(super) fn make(
    behaviour: &dyn Application,
    image: &Image,
    application: &ApplicationMemory,
    transaction: &Transaction,
    kind: CryptogramType,
) -> Result<Made, Refusal> {
    let version = version(image)?;
    let atc = transaction.atc.to_be_bytes();
    let iad = behaviour.issuer_application_data(image, &version, application, transaction);
    let input = version
        .assemble(&|wanted| match wanted {
            tag::ATC => Some(atc.to_vec()),
            tag::AIP => Some(transaction.aip.to_vec()),
            tag::ISSUER_APPLICATION_DATA => Some(iad.clone()),
            other => transaction.data.value(other).map(<[u8]>::to_vec),
        })
        .map_err(|error| {
            Refusal::because(StatusWord::CONDITIONS_NOT_SATISFIED, format!("no {kind}: {error}"))
        })?;
    let cryptogram = version.application_cryptogram(image.keys.ac.expose(), atc, &input);
    Ok(Made { iad, cryptogram })
}

/// Issuer application data as PBOC has them.
pub(super) fn issuer_application_data(
    image: &Image,
    version: &CryptogramVersion,
    application: &ApplicationMemory,
    transaction: &Transaction,
) -> Vec<u8> {
    let atc = transaction.atc.to_be_bytes();
    let idd = image.profile.idd.map(|id| {
        let value = idd_value(id, application, transaction.set);
        let padding = image.profile.idd_mac_padding.into();
        (value, idd_mac(version, image.keys.mac.expose(), atc, &value.to_bytes(), padding))
    });
    let iad = Iad {
        dki: image.profile.dki,
        cvn: version.cvn,
        cvr: transaction.cvr,
        algorithm: Some(version.algorithm.id()),
        idd,
    };
    iad.to_bytes()
}

/// The row that the profile names; reading the profile rules out that there is none. A
/// simulated card's keys are no secrets, so tables compute its triple DES.
pub(super) fn version(image: &Image) -> Result<CryptogramVersion, Refusal> {
    image.profile.version().map(|row| row.by(TripleDes::Tables)).map_err(|_| Refusal::lost())
}

fn idd_value(id: u8, application: &ApplicationMemory, set: Option<EcashSet>) -> IddValue {
    let amount = |tag| application.amount(tag).unwrap_or(0);
    let balance_minor = amount(set.unwrap_or(EcashSet::FIRST).balance);
    let total_minor = application.state.cumulative_minor;
    match id {
        2 => IddValue::CumulativeTotal { total_minor },
        3 => IddValue::BalanceAndTotal { balance_minor, total_minor },
        4 => IddValue::TotalAndLimit { total_minor, limit_minor: amount(tag::CUMULATIVE_LIMIT) },
        5 => IddValue::AvailableSpending { available_minor: available_minor(application, set) },
        _ => IddValue::Balance { balance_minor },
    }
}

//! A bank card whose quick path is the one of EMV Contactless Book C-3 (qVSDC), with issuer
//! application data as VIS has them. What it decides by is what PBOC took over from there.

use super::{Application, debit};
use crate::roles::card::memory::{ApplicationMemory, Image};
use crate::roles::card::quick::{QuickPath, QuickSignature};
use crate::roles::card::session::{Path, Transaction};
use crate::roles::card::simulator::{Refusal, Work};
use crate::words::dictionary::tag;
use crate::words::emv::cryptogram::CryptogramVersion;
use crate::words::pboc::Iad;
use crate::words::tlv::{Tag, TlvStore};

/// A card for kernel 3.
pub(super) struct Qvsdc;

const QUICK: QuickPath = QuickPath {
    clause: "EMV Contactless Book C-3",
    tells_cryptogram: true,
    also: &[tag::FORM_FACTOR_INDICATOR],
    signature: QuickSignature::Always01,
    signs_requests_unannounced: true,
};

impl Application for Qvsdc {
    fn kind(&self) -> &'static str {
        "qvsdc"
    }

    fn path(&self, work: &Work<'_>, data: &TlvStore) -> Result<(Path, &'static str), Refusal> {
        debit::Debit.path(work, data)
    }

    fn may_put(&self, tag: Tag) -> bool {
        debit::Debit.may_put(tag)
    }

    fn quick_path(&self) -> &'static QuickPath {
        &QUICK
    }

    fn issuer_application_data(
        &self,
        image: &Image,
        version: &CryptogramVersion,
        _application: &ApplicationMemory,
        transaction: &Transaction,
    ) -> Vec<u8> {
        let (dki, cvn, cvr) = (image.profile.dki, version.cvn, transaction.cvr);
        Iad { dki, cvn, cvr, algorithm: None, idd: None }.to_bytes()
    }
}

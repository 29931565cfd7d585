//! Bit fields by which a PBOC card decides and tells: JR/T 0025.5, 0025.12.

use crate::base::bytes::bit_field;
use crate::words::emv::CryptogramType;
use crate::words::emv::cryptogram::GivenCryptograms;

bit_field! {
    /// Card Verification Results: the three bytes after their length 03 in issuer
    /// application data.
    pub struct Cvr[3] {
        ISSUER_AUTHENTICATION_FAILED = 1 / 4, "issuer authentication performed and failed";
        OFFLINE_PIN_PERFORMED = 1 / 3, "offline PIN verification performed";
        OFFLINE_PIN_FAILED = 1 / 2, "offline PIN verification failed";
        UNABLE_TO_GO_ONLINE = 1 / 1, "unable to go online";
        LAST_ONLINE_NOT_COMPLETED = 2 / 8, "last online transaction not completed";
        PIN_TRY_LIMIT_EXCEEDED = 2 / 7, "PIN try limit exceeded";
        VELOCITY_EXCEEDED = 2 / 6, "exceeded velocity checking counters";
        NEW_CARD = 2 / 5, "new card";
        LAST_ISSUER_AUTHENTICATION_FAILED = 2 / 4, "issuer authentication failure on last online transaction";
        ISSUER_AUTHENTICATION_NOT_PERFORMED = 2 / 3, "issuer authentication not performed after online authorisation";
        BLOCKED_BY_PIN = 2 / 2, "application blocked because PIN try limit exceeded";
        SDA_FAILED_LAST_TIME = 2 / 1, "offline static data authentication failed on last transaction";
        LAST_SCRIPT_FAILED = 3 / 4, "issuer script processing failed on last transaction";
        DDA_FAILED_LAST_TIME = 3 / 3, "dynamic data authentication failed on last transaction and declined";
        DDA_PERFORMED = 3 / 2, "dynamic data authentication performed";
    }
}

impl Cvr {
    /// What the first GENERATE AC, or the quick path's GPO, gave (bits 6-5 of byte 1).
    pub fn first_cryptogram(&self) -> Option<CryptogramType> {
        GivenCryptograms::from_bits(self.0[0]).first
    }

    /// Notes what the first GENERATE AC, or the quick path's GPO, gave.
    pub fn set_first_cryptogram(&mut self, given: CryptogramType) {
        self.0[0] = self.0[0] & !0x30 | given.bits() >> 2;
    }

    /// What the second GENERATE AC gave; `None` while it was not asked for
    /// (bits 8-7 of byte 1, 10 is "not requested").
    pub fn second_cryptogram(&self) -> Option<CryptogramType> {
        GivenCryptograms::from_bits(self.0[0]).second
    }

    /// Notes what the second GENERATE AC gave; `None` for "not requested".
    pub fn set_second_cryptogram(&mut self, given: Option<CryptogramType>) {
        let bits = given.map_or(0x80, CryptogramType::bits);
        self.0[0] = self.0[0] & !0xC0 | bits;
    }

    /// How many script commands the card has counted, 0 to 15.
    pub fn script_commands(&self) -> u8 {
        self.0[2] >> 4
    }

    /// Notes how many script commands the card has counted; 15 stays 15.
    pub fn set_script_commands(&mut self, count: u8) {
        self.0[2] = self.0[2] & 0x0F | count.min(15) << 4;
    }
}

bit_field! {
    /// Application Default Action, tag 9F52 (its first two bytes).
    pub struct ApplicationDefaultAction[2] {
        ONLINE_IF_AUTHENTICATION_FAILED = 1 / 8, "go online next time if issuer authentication failed";
        DECLINE_IF_AUTHENTICATION_FAILED = 1 / 7, "decline if issuer authentication performed and failed";
        DECLINE_IF_NO_ARPC = 1 / 6, "decline if issuer authentication is mandatory and no ARPC came";
        ADVICE_IF_DECLINED = 1 / 5, "advice if declined";
        ADVICE_IF_PIN_TRIES = 1 / 4, "advice if declined for PIN tries";
        ADVICE_IF_AUTHENTICATION = 1 / 3, "advice if declined for issuer authentication";
        ONLINE_IF_NEW = 1 / 2, "go online if new card";
        DECLINE_IF_NEW_AND_OFFLINE = 1 / 1, "decline if new card and unable to go online";
        BLOCK_IF_PIN_EXCEEDED = 2 / 8, "block the application if PIN try limit exceeded in this transaction";
        DECLINE_IF_PIN_EXCEEDED = 2 / 7, "decline if PIN try limit exceeded earlier";
        ONLINE_IF_PIN_EXCEEDED = 2 / 6, "go online if PIN try limit exceeded earlier";
        DECLINE_IF_OFFLINE_AND_PIN_EXCEEDED = 2 / 5, "decline if unable to go online and PIN try limit exceeded";
        ONLINE_IF_SCRIPT_FAILED = 2 / 4, "go online if a previous script failed";
        BLOCK_IF_PIN_EXCEEDED_EARLIER = 2 / 3, "decline and block if PIN try limit exceeded earlier";
    }
}

bit_field! {
    /// Card Additional Processing, tag 9F68: what the quick path does.
    pub struct CardAdditionalProcessing[4] {
        EC_CHECK = 1 / 8, "low-value (electronic cash) check supported";
        EC_AND_CTTA = 1 / 7, "electronic cash and cumulative total check";
        EC_OR_CTTA = 1 / 6, "electronic cash or cumulative total check";
        NEW_CARD_CHECK = 1 / 5, "new card check";
        PIN_TRIES_CHECK = 1 / 4, "PIN tries exceeded check";
        OFFLINE_FOR_MISMATCH = 1 / 3, "offline allowed for currency mismatch";
        PREFERS_FULL_PATH = 1 / 2, "prefers contactless PBOC (full path) for online";
        RETURN_AVAILABLE_SPENDING = 1 / 1, "available offline spending amount (9F5D) is returned";
        PREPAID = 2 / 8, "prepaid: electronic cash is debited when an ARQC is returned";
        DECLINE_MISMATCH = 2 / 7, "decline when the currency does not match";
        DECLINE_NEW_IF_OFFLINE_ONLY = 2 / 6, "decline when new card and reader is offline only";
        LOG_OFFLINE = 2 / 5, "log transactions approved offline";
        ONLINE_PIN_MATCHING = 3 / 8, "online PIN supported for matching currency";
        ONLINE_PIN_MISMATCH = 3 / 7, "online PIN supported for non-matching currency";
        CVM_FOR_MISMATCH = 3 / 6, "CVM required for non-matching currency";
        SIGNATURE = 3 / 5, "signature supported";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cvr_tells_both_cryptograms() {
        let mut cvr = Cvr::default();
        cvr.set_first_cryptogram(CryptogramType::Arqc);
        cvr.set_second_cryptogram(None);
        assert_eq!(cvr.0, [0xA0, 0, 0]);
        assert_eq!((cvr.first_cryptogram(), cvr.second_cryptogram()), (Some(CryptogramType::Arqc), None));
        cvr.set_second_cryptogram(Some(CryptogramType::Tc));
        cvr.set_script_commands(3);
        assert_eq!((cvr.0, cvr.second_cryptogram()), ([0x60, 0, 0x30], Some(CryptogramType::Tc)));
        assert_eq!(cvr.script_commands(), 3);
    }
}

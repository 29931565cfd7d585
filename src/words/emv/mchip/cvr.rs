//! Card verification results of six bytes, and what an issuer switches on
//! (openemv/emv-utils `emv_fields.h`, which cites M/Chip Requirements, appendix B).

use crate::base::bytes::bit_field;
use crate::words::emv::cryptogram::GivenCryptograms;

bit_field! {
    /// Card Verification Results, bytes 3 to 8 of issuer application data. The card
    /// issuer action codes (C3 to C5, CD to CF) are masks over its last three bytes.
    pub struct Cvr[6] {
        DATE_CHECK_FAILED = 1 / 4, "date check failed";
        OFFLINE_PIN_PERFORMED = 1 / 3, "offline PIN verification performed";
        ENCIPHERED_PIN_PERFORMED = 1 / 2, "offline encrypted PIN verification performed";
        OFFLINE_PIN_SUCCESSFUL = 1 / 1, "offline PIN verification successful";
        DDA_RETURNED = 2 / 8, "DDA returned";
        CDA_RETURNED_FIRST = 2 / 7, "CDA returned in first GENERATE AC";
        CDA_RETURNED_SECOND = 2 / 6, "CDA returned in second GENERATE AC";
        ISSUER_AUTHENTICATION_PERFORMED = 2 / 5, "issuer authentication performed";
        DEFAULT_SKIPPED_ON_CAT3 = 2 / 4, "CIAC default skipped on CAT3";
        OFFLINE_PIN_CHANGED = 2 / 3, "offline change of PIN successful";
        ISSUER_DISCRETIONARY_2 = 2 / 2, "issuer discretionary";
        ISSUER_DISCRETIONARY_1 = 2 / 1, "issuer discretionary";
        LAST_ONLINE_NOT_COMPLETED = 4 / 8, "last online transaction not completed";
        UNABLE_TO_GO_ONLINE = 4 / 7, "unable to go online";
        OFFLINE_PIN_NOT_PERFORMED = 4 / 6, "offline PIN verification not performed";
        OFFLINE_PIN_FAILED = 4 / 5, "offline PIN verification failed";
        PIN_TRY_LIMIT_EXCEEDED = 4 / 4, "PIN try limit exceeded";
        INTERNATIONAL = 4 / 3, "international transaction";
        DOMESTIC = 4 / 2, "domestic transaction";
        TERMINAL_TOOK_PIN_FOR_GOOD = 4 / 1, "terminal erroneously considers offline PIN OK";
        LOWER_CONSECUTIVE_EXCEEDED = 5 / 8, "lower consecutive offline limit exceeded";
        UPPER_CONSECUTIVE_EXCEEDED = 5 / 7, "upper consecutive offline limit exceeded";
        LOWER_CUMULATIVE_EXCEEDED = 5 / 6, "lower cumulative offline limit exceeded";
        UPPER_CUMULATIVE_EXCEEDED = 5 / 5, "upper cumulative offline limit exceeded";
        GO_ONLINE_NEXT = 5 / 4, "go online on next transaction was set";
        ISSUER_AUTHENTICATION_FAILED = 5 / 3, "issuer authentication failed";
        SCRIPT_RECEIVED = 5 / 2, "script received";
        SCRIPT_FAILED = 5 / 1, "script failed";
        LOWER_CONSECUTIVE_2_EXCEEDED = 6 / 8, "lower consecutive counter 2 limit exceeded";
        UPPER_CONSECUTIVE_2_EXCEEDED = 6 / 7, "upper consecutive counter 2 limit exceeded";
        LOWER_CUMULATIVE_2_EXCEEDED = 6 / 6, "lower cumulative accumulator 2 limit exceeded";
        UPPER_CUMULATIVE_2_EXCEEDED = 6 / 5, "upper cumulative accumulator 2 limit exceeded";
        MAXIMUM_AMOUNT_EXCEEDED = 6 / 4, "maximum transaction amount limit exceeded";
        DAYS_OFFLINE_EXCEEDED = 6 / 3, "number of days offline limit exceeded";
        CHECK_TABLE_MATCHED = 6 / 2, "match found in additional check table";
        CHECK_TABLE_NOT_MATCHED = 6 / 1, "no match found in additional check table";
    }
}

impl Cvr {
    /// Which cryptograms were given: byte 1, bits 8 to 5.
    pub fn given(&self) -> GivenCryptograms {
        GivenCryptograms::from_bits(self.0[0])
    }

    /// Notes which cryptograms were given.
    pub fn set_given(&mut self, given: GivenCryptograms) {
        self.0[0] = self.0[0] & 0x0F | given.bits();
    }

    /// Notes how many script commands came and how many PIN tries are left (byte 3).
    pub fn set_counts(&mut self, script_commands: u8, pin_tries: u8) {
        self.0[2] = script_commands.min(15) << 4 | pin_tries.min(15);
    }

    /// The bytes that card issuer action codes look at.
    pub fn decisive(&self) -> [u8; 3] {
        let [.., a, b, c] = self.0;
        [a, b, c]
    }
}

bit_field! {
    /// Application Control, tags D5 (contact) and D7 (contactless), as far as a simulated
    /// card looks at it (public tag decoder `node-tlv`).
    pub struct ApplicationControl[6] {
        ACCEPT_ONLINE_WITHOUT_ARPC = 1 / 8, "accept online transactions without ARPC";
        SKIP_DEFAULT_ON_CAT3 = 1 / 7, "skip CIAC default on CAT3";
        EMV_SESSION_KEYS = 1 / 2, "session keys: EMV common session key derivation";
        BALANCE_RETRIEVAL = 2 / 2, "allow retrieval of balance";
        COUNTERS_IN_CRYPTOGRAM = 2 / 1, "include counters in AC";
        ONLINE_WITHOUT_RELAY_CHECK = 3 / 5, "go online if RRP not performed";
        TORN_RECOVERY = 6 / 4, "torn transaction recovery";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::emv::CryptogramType;

    #[test]
    fn the_first_byte_tells_both_cryptograms() {
        let mut cvr = Cvr::default().with(Cvr::OFFLINE_PIN_PERFORMED);
        cvr.set_given(GivenCryptograms { first: Some(CryptogramType::Arqc), second: None });
        assert_eq!(cvr.0[0], 0xA4);
        cvr.set_counts(20, 3);
        assert_eq!(cvr.0[2], 0xF3);
        assert_eq!(cvr.given().first, Some(CryptogramType::Arqc));
    }
}

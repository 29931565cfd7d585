//! GET CERTIFICATION CODE: City Union, as ConardLKL/ChangSha 2c2754f has it in a public trace. The
//! code goes into MAC1 of a purchase.

use crate::words::pboc::fixed::{fixed_command, fixed_record};

fixed_record! {
    /// A card's certification code.
    CertificationCode {
        /// 85, then in the public trace the UID twice.
        code: [u8; 9] = "certification code",
    }
}

fixed_command! {
    /// Asks for the certification code: a GET DATA without a tag.
    GetCertificationCode: "GET CERTIFICATION CODE", "City Union GET CERTIFICATION CODE", Reads, [0x80, 0xCA, 0x00, 0x00]
    header {}
    data {}
    answer CertificationCode
}

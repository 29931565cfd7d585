//! What is said: bytes, TLV, APDU, data element, message. Words know nothing of
//! who says them, and nothing of what carries them.

pub mod decode;
pub mod dictionary;
pub mod emv;
pub mod globalplatform;
pub mod iso14443;
pub mod iso18092;
pub mod iso4217;
pub mod iso7816;
pub mod iso8583;
pub mod ndef;
pub mod pboc;
pub mod tlv;
pub mod transfer;

//! Two devices that touch: Logical Link Control Protocol and Simple NDEF Exchange Protocol
//! (NFC Forum), without input and output: bytes come in, bytes go out.

pub mod llcp;
pub mod snep;
pub mod transfer;

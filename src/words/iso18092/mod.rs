//! NFC-DEP, the data exchange protocol of ISO/IEC 18092 (NFCIP-1): its requests and
//! responses, both directions. Who sends them, and when again, does not enter.

mod attribute;
mod error;
mod exchange;
mod frame;
mod parameter;

pub use attribute::{AttributeRequest, AttributeResponse, LengthReduction};
pub use error::NfcDepError;
pub use exchange::{Pfb, PfbKind};
pub use frame::{NfcDepFrame, Side};
pub use parameter::{BitRate, ParameterRequest, waiting_time};

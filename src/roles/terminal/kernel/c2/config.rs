//! What a terminal file says of kernel 2: EMV Book C-2 Annex A. Amounts in minor units,
//! times in units of 100 microseconds.

use crate::roles::terminal::config::Bytes;
use serde::Deserialize;

/// Kernel 2's own data; limits and codes of an application stand with it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct C2 {
    /// Tag DF811B.
    pub kernel_configuration: Bytes<1>,
    /// Byte 2 of tag 9F33 above the CVM limit: tag DF8118.
    pub cvm_required: Bytes<1>,
    /// The same up to the limit: tag DF8119.
    pub cvm_not_required: Bytes<1>,
    /// Byte 3 of tag 9F33: tag DF811F.
    pub security: Bytes<1>,
    /// Tag 9F1D.
    pub risk_management_data: Bytes<8>,
    /// Above it a transaction is not excepted from the issuer: tag DF8123.
    pub floor_limit_minor: u64,
    /// Most that a card may pay: tag DF8124.
    pub transaction_limit_minor: u64,
    /// Most that a device may pay that verifies its holder itself: tag DF8125.
    pub on_device_limit_minor: u64,
    /// Above it a cardholder is verified: tag DF8126.
    pub cvm_limit_minor: u64,
    /// Whether the balance is read before the cryptogram (DF8104) and after it (DF8105).
    pub read_balances: bool,
    /// Torn transactions that are remembered: tag DF811D.
    pub torn_records: u8,
    /// For how long: tag DF811C.
    pub torn_seconds: u16,
    /// Limits of relay resistance.
    pub relay: RelayLimits,
}

/// What the time of an exchange against relaying is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayLimits {
    /// Tag DF8132.
    pub minimum_grace: u16,
    /// Tag DF8133.
    pub maximum_grace: u16,
    /// How long the command is in the air: tag DF8134.
    pub command_transmission: u16,
    /// How long the answer is: tag DF8135.
    pub answer_transmission: u16,
    /// Tag DF8136.
    pub accuracy: u16,
    /// Percent: tag DF8137.
    pub mismatch_percent: u8,
}

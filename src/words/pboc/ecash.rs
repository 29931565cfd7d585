//! The two electronic cash sets of a card: JR/T 0025.13 (first currency) and
//! 0025.15 (second). A set is chosen by the transaction currency.

use crate::words::dictionary::tag;
use crate::words::tlv::Tag;

/// The data objects of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EcashSet {
    /// Currency code.
    pub currency: Tag,
    /// Balance.
    pub balance: Tag,
    /// Upper bound of the balance.
    pub balance_limit: Tag,
    /// Most that one offline transaction may take.
    pub single_limit: Tag,
    /// Below `amount + threshold` an online-capable reader goes online.
    pub reset_threshold: Tag,
    /// Above it a CVM is asked for.
    pub cvm_limit: Tag,
}

impl EcashSet {
    /// The first currency.
    pub const FIRST: Self = Self {
        currency: tag::APPLICATION_CURRENCY_CODE_EC,
        balance: tag::EC_BALANCE,
        balance_limit: tag::EC_BALANCE_LIMIT,
        single_limit: tag::EC_SINGLE_TRANSACTION_LIMIT,
        reset_threshold: tag::EC_RESET_THRESHOLD,
        cvm_limit: tag::CARD_CVM_LIMIT,
    };

    /// The second currency.
    pub const SECOND: Self = Self {
        currency: tag::SECOND_CURRENCY_CODE,
        balance: tag::SECOND_BALANCE,
        balance_limit: tag::SECOND_BALANCE_LIMIT,
        single_limit: tag::SECOND_SINGLE_TRANSACTION_LIMIT,
        reset_threshold: tag::SECOND_RESET_THRESHOLD,
        cvm_limit: tag::SECOND_CVM_LIMIT,
    };

    /// Both, first one first.
    pub const ALL: [Self; 2] = [Self::FIRST, Self::SECOND];

    /// The set whose balance is this data object.
    pub fn of_balance(balance: Tag) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.balance == balance)
    }
}

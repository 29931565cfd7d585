//! The commands that PBOC adds: those of electronic cash, of the purse (ED, EP), and of the
//! security module that a terminal takes purses with.

mod append_record;
mod change_pin;
mod credit_for_load;
mod credit_sam_for_purchase;
mod debit_for_purchase;
mod debit_for_unload;
mod external_authenticate;
mod get_balance;
mod get_capp_prove;
mod get_certification_code;
mod get_transaction_prove;
mod initialize_for_capp_purchase;
mod initialize_for_cash_withdraw;
mod initialize_for_load;
mod initialize_for_purchase;
mod initialize_for_unload;
mod initialize_for_update;
mod initialize_sam_for_purchase;
mod internal_authenticate;
mod put_data;
mod read_capp_data;
mod reload_pin;
mod update_binary;
mod update_capp_data;
mod update_capp_data_cache;
mod update_overdraft_limit;
mod update_record;
mod verify_pin;

pub use append_record::AppendRecord;
pub use change_pin::ChangePin;
pub use credit_for_load::{CreditForLoad, TransactionCertificate};
pub use credit_sam_for_purchase::CreditSamForPurchase;
pub use debit_for_purchase::{DebitForPurchase, PurchaseProof};
pub use debit_for_unload::{DebitForUnload, UnloadProof};
pub use external_authenticate::ExternalAuthenticate;
pub use get_balance::{Balance, GetBalance};
pub use get_capp_prove::{CappProof, GetCappProve};
pub use get_certification_code::GetCertificationCode;
pub use get_transaction_prove::{GetTransactionProve, TransactionProof};
pub use initialize_for_capp_purchase::InitializeForCappPurchase;
pub use initialize_for_cash_withdraw::InitializeForCashWithdraw;
pub use initialize_for_load::{InitializeForLoad, OnlineInitialization};
pub use initialize_for_purchase::{InitializeForPurchase, OfflineInitialization};
pub use initialize_for_unload::InitializeForUnload;
pub use initialize_for_update::{InitializeForUpdate, OverdraftInitialization};
pub use initialize_sam_for_purchase::{InitializeSamForPurchase, SamInitialization};
pub use internal_authenticate::{InternalAuthenticate, KeyProof};
pub use put_data::PutData;
pub use read_capp_data::{CappRecord, ReadCappData};
pub use reload_pin::ReloadPin;
pub use update_binary::UpdateBinary;
pub use update_capp_data::UpdateCappData;
pub use update_capp_data_cache::UpdateCappDataCache;
pub use update_overdraft_limit::UpdateOverdraftLimit;
pub use update_record::UpdateRecord;
pub use verify_pin::{VerifyPin, pin_bytes};

use crate::words::iso7816::CommandRow;

/// The commands of this room.
pub const COMMANDS: &[CommandRow] = &[
    CommandRow::of::<PutData>(),
    CommandRow::of::<UpdateRecord>(),
    CommandRow::of::<UpdateBinary>(),
    CommandRow::of::<VerifyPin>(),
    CommandRow::of::<ChangePin>(),
    CommandRow::of::<ReloadPin>(),
    CommandRow::of::<ExternalAuthenticate>(),
    CommandRow::of::<InternalAuthenticate>(),
    CommandRow::of::<GetBalance>(),
    CommandRow::of::<InitializeForLoad>(),
    CommandRow::of::<CreditForLoad>(),
    CommandRow::of::<InitializeForPurchase>(),
    CommandRow::of::<InitializeForCashWithdraw>(),
    CommandRow::of::<InitializeForCappPurchase>(),
    CommandRow::of::<UpdateCappDataCache>(),
    CommandRow::of::<DebitForPurchase>(),
    CommandRow::of::<InitializeForUnload>(),
    CommandRow::of::<DebitForUnload>(),
    CommandRow::of::<InitializeForUpdate>(),
    CommandRow::of::<UpdateOverdraftLimit>(),
    CommandRow::of::<GetTransactionProve>(),
    CommandRow::of::<GetCertificationCode>(),
    CommandRow::of::<InitializeSamForPurchase>(),
    CommandRow::of::<CreditSamForPurchase>(),
    CommandRow::of::<ReadCappData>(),
    CommandRow::of::<UpdateCappData>(),
    CommandRow::of::<AppendRecord>(),
    CommandRow::of::<GetCappProve>(),
];

//! The steps of a transaction, each named by its section title.

pub(super) mod advice;
pub(super) mod application_selection;
pub(super) mod balance_proof;
pub(super) mod balance_reading;
pub(super) mod candidate_list;
pub(super) mod card_action_analysis;
pub(super) mod cardholder_verification;
pub(super) mod combined_signature;
pub(super) mod completion;
pub(super) mod deferred_request;
pub(super) mod initiate_application_processing;
pub(super) mod issuer_authentication;
pub(super) mod load_completion;
pub(super) mod offline_data_authentication;
pub(super) mod offline_pin;
pub(super) mod online_processing;
pub(super) mod online_request;
pub(super) mod payer_identification;
pub(super) mod processing_restrictions;
pub(super) mod quick_decision;
pub(super) mod read_application_data;
pub(super) mod reversal;
pub(super) mod script_processing;
pub(super) mod terminal_action_analysis;
pub(super) mod terminal_risk_management;

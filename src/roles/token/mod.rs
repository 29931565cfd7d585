//! The token service: the vault of tokens, their life cycle, and the host that stands
//! before an issuer and swaps tokens for card numbers. It meets wallets, issuer and
//! bureau through `air::host` alone; nothing of a card or a ledger may enter.

mod binding;
mod decision;
mod domain;
mod error;
mod funding;
mod history;
mod host;
mod keys;
mod life;
mod limited_use;
mod notice;
mod provisioning;
mod record;
mod rotation;
mod rules;
mod schema;
mod seals;
mod service;
mod states;
mod swap;
mod tap;
mod vault;
mod work;

pub use decision::{DecisionRule, DecisionRules, RulesError, Signal};
pub use domain::Domain;
pub use error::VaultError;
pub use history::HistoryRow;
pub use host::TokenHost;
pub use keys::TokenKeys;
pub use limited_use::LimitedUse;
pub use rotation::Rotation;
pub use rules::TokenRules;
pub use seals::SealKeys;
pub use service::Tokens;
pub use states::{
    BINDING_STATES, BINDING_TABLE, BindingEvent, BindingState, PROVISIONING_STATES, PROVISIONING_TABLE,
    ProvisioningEvent, Step, TOKEN_STATES, TOKEN_TABLE, TokenEvent, step,
};
pub use vault::{Vault, Violation};

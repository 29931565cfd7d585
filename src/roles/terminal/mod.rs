//! The terminal: kernels and their steps, the journal, recovery, and reading what
//! a card is. It knows a card and a host by their traits alone.

mod authentication;
mod batch;
mod cardholder;
mod certificate_cache;
mod config;
mod data;
mod drive;
mod entry_point;
mod error;
mod flow;
mod import;
pub mod journal;
mod kernel;
mod kernel_row;
mod message;
mod outcome;
mod phase;
mod proof;
pub mod purse;
mod purse_recovery;
mod read;
mod recovery;
mod recovery_rule;
mod refund;
mod selection;
mod session;
mod step;
mod trust;

pub use batch::{BatchSettled, EndOfDay, end_day};
pub use cardholder::{ApplicationName, Cardholder, NoCardholder, PinCheck, PinPrompt};
pub use certificate_cache::CertificateCache;
pub use config::{
    AcceptedApplication, ActionCodes, AnyBytes, Bytes, CdaMode, ConfigError, Risk, TerminalConfig,
};
pub use data::{Purpose, terminal_data};
pub use drive::{Seat, drive};
pub use entry_point::{
    AlternateInterface, Combination, ContactlessPath, Message, OnRefusal, OutcomeCvm, Parameters, Refusals,
};
pub use error::TerminalError;
pub use flow::Flow;
pub use import::{Import, ImportError};
pub use kernel::KERNELS;
pub use kernel_row::Kernel;
use outcome::purse_outcome;
pub use outcome::{Outcome, Verdict};
pub use read::{
    ApplicationFacts, CardFacts, CardKind, Depth, EcashFacts, Fact, LoadFact, PaymentFact, SegmentFacts,
    quick_balance, read,
};
pub use recovery::{Recovered, Settled, settle};
pub use recovery_rule::{RecoveryRule, RecoveryRules};
pub use refund::refund;
pub use session::Terms;
pub use trust::{Trust, TrustError};

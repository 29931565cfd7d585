//! What a terminal says to a host and what it hears back, as a trait that every
//! host implements, in process or remote; and the line between: messages, keys,
//! client and server.

mod answer_message;
mod batch;
mod batch_message;
mod client;
mod desk;
mod error;
mod forward;
mod identity;
mod inbox;
mod key_file;
mod kinds;
mod link_key;
mod message;
mod metrics;
mod place;
mod preparation;
mod request_message;
mod rules;
mod security;
mod sender;
mod server;
mod terminal_key;
mod terminals;
mod token;

pub use answer_message::{answer_from_message, answer_to_message};
pub use batch::{BatchStep, BatchSums, BatchTotals, Side};
pub use batch_message::{totals_from_message, totals_to_message};
pub use client::{TcpHost, Timeouts};
pub use desk::{Desk, MasterKeys, Reply};
pub use error::WireError;
pub use forward::Forwarder;
pub use identity::{
    BindingChange, CodeCheck, CodeSent, ElementCheck, FundingCard, Holder, Identity, Standing,
};
pub use inbox::{Attended, Inbox, send};
pub use kinds::{KINDS, KindRow, Verb, verb};
pub use link_key::LinkKey;
pub use message::{
    Answer, Delivery, Entry, Host, HostError, Kind, MessageClass, MessageKey, Original, Request,
    ResponseCode, Settlement,
};
pub use metrics::Metrics;
pub use preparation::{Preparation, PreparationError, PreparationOrder, PreparedCard};
pub use request_message::{from_message, to_message};
pub use rules::{AnswerRule, AnswerRules, RuledHost, RulesError, Silence};
pub use security::{MasterKey, WorkingKeys, echo, sign_on, sign_on_answer, signed_on};
pub use sender::Sender;
pub use server::{EndSignal, Limits, Server, Setup, WorkerMaker};
pub use terminal_key::{TerminalKey, TerminalKeyError};
pub use terminals::{LinkRow, TerminalRow, Terminals};
pub use token::{
    Colour, Decision, Eligibility, EligibilityRequest, FundingHost, KeyKind, LimitedUseKey, Party,
    Personalisation, ProvisioningId, ProvisioningState, RequestorId, TokenError, TokenReference,
    TokenService, TokenState, TokenVerb, TokenView,
};

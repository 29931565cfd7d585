//! Entry Point: EMV Contactless Books A and B. It finds the combination of AID and kernel
//! that card and reader have in common, activates the kernel, and acts on its outcome;
//! what a kernel does with the card may not enter.
//!
//! Start A: pre-processing (3.1) -> Start B: protocol activation (3.2, which is the link's
//! business) -> combination selection (3.3.2) -> Start C: final combination selection
//! (3.3.3) -> Start D: kernel activation (3.4) -> the kernel -> outcome processing (3.5).

mod combination;
mod combination_selection;
mod final_selection;
mod outcome;
mod parameters;
mod pre_processing;
mod progress;
mod refusal;

pub use combination::{Combination, ContactlessPath, OnRefusal};
pub(super) use combination_selection::rank;
pub(super) use outcome::{
    end_application, link_lost, online_instead, select_next, try_another_interface, unusable,
};
pub use parameters::{AlternateInterface, OutcomeCvm, Parameters};
pub(super) use pre_processing::begin;
pub(super) use progress::Progress;
pub use refusal::Refusals;
pub(super) use refusal::{refused_options, refused_options_of_kernel_2};

pub use super::message::Message;

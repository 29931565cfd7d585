//! The card: the simulator, its applications, profiles and memory, and `serve`.
//! It knows commands and keys, never a terminal or an issuer.

mod application;
mod application_profile;
mod authentication;
mod behaviour;
mod capp;
mod certificates;
mod cryptogram;
mod data;
mod decision;
mod device;
mod domain;
mod dynamic_signature;
mod error;
mod generate_ac;
mod held;
mod mchip_profile;
mod memory;
mod order;
mod personalisation;
mod pin;
mod processing_options;
mod profile;
mod quick;
mod record;
mod recovery;
mod relay;
mod replay;
mod script;
mod selection;
mod serve;
mod session;
mod simulator;
mod storage;

use application::APPLICATIONS;
pub use certificates::CertificateRequest;
pub use device::{Device, DeviceLine};
pub use error::CardError;
pub use held::{CardHand, HeldCard};
pub use memory::CardMemory;
pub use order::Order;
pub use profile::{PROFILES, Profile, ProfileRow};
pub use replay::Replay;
pub use serve::serve;
pub use simulator::{Simulated, Simulator};
pub use storage::{CardFile, CardStorage, InMemory};

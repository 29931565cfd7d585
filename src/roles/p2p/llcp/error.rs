//! Why a link cannot go on.

use crate::base::bytes::Truncated;

/// Why a link cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LlcpError {
    /// Bytes end too early.
    #[error(transparent)]
    Truncated(#[from] Truncated),
    /// The other device speaks another protocol over NFC-DEP, or none.
    #[error("expected general bytes that begin with 46666D (LLCP), found {found}")]
    NoLlcp {
        /// What they are, in hexadecimal.
        found: String,
    },
    /// The other device speaks another major version.
    #[error("expected LLCP version 1, found {major}.{minor}")]
    Version {
        /// Its major version.
        major: u8,
        /// Its minor version.
        minor: u8,
    },
    /// More was to be sent at once than the other device takes.
    #[error("expected at most {most} bytes (the other device's MIU), found {found}")]
    TooLong {
        /// What it takes.
        most: usize,
        /// What was to be sent.
        found: usize,
    },
    /// The connection is not there, or not any more.
    #[error("the connection is not established: {state}")]
    NotEstablished {
        /// How it stands.
        state: String,
    },
    /// Somebody is at the service access point that was named.
    #[error("the service access point {sap} is taken: name another one, or none")]
    SapTaken {
        /// Which.
        sap: u8,
    },
    /// No service access point is left.
    #[error("every service access point from {from} to {to} is taken")]
    NoSapLeft {
        /// First of those that were tried.
        from: u8,
        /// Last of them.
        to: u8,
    },
}

//! What goes into the store of shared jobs and comes out of it.

use super::state::JobState;

/// A campaign that is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCampaign {
    /// Its name, which no other has.
    pub id: String,
    /// Who submits it.
    pub submitter: String,
    /// For how long the submitter may give no sign before nobody wants its jobs.
    pub patience_ms: i64,
    /// The program's version, and that of agents that may play it.
    pub version: String,
    /// What all its jobs need.
    pub payload: String,
    /// Its jobs, numbered from 0.
    pub jobs: Vec<NewJob>,
}

/// A job that is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// The seat that it needs, which only some agents have.
    pub seat: String,
    /// What is to be played.
    pub payload: String,
}

/// The right to a job: which one, and under which lease.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// Its campaign.
    pub campaign: String,
    /// Its number there.
    pub number: i64,
    /// Which claim it was, from 1.
    pub lease: i64,
}

/// A job that is claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The right to it.
    pub ticket: Ticket,
    /// What is to be played.
    pub payload: String,
}

/// A job that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its number in its campaign.
    pub number: i64,
    /// How.
    pub state: JobState,
    /// How often it was claimed.
    pub lease: i64,
    /// Its result, where it was played.
    pub result: Option<String>,
    /// Why it was not played; of one that was played, how an earlier claim was lost.
    pub reason: Option<String>,
}

/// How many jobs of a campaign stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Waiting for an agent.
    pub ready: usize,
    /// Being played.
    pub held: usize,
    /// At their end.
    pub ended: usize,
}

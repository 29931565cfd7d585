//! The gate: who passes, what is kept before it opens, and how rides are paid.

mod aggregation;
mod kit;
mod purse;
mod run;
mod simulation;
mod upload;

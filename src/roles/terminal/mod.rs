//! The terminal: kernels and their steps, the journal, recovery.

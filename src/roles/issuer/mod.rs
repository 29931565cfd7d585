//! The issuer: keys, decision, ledger, recovery of what is in flight.

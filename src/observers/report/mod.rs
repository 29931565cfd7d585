//! Reports: one file per format. Nothing here decides.

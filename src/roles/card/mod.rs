//! The card: the simulator, its applications, profiles and memory, and `serve`.

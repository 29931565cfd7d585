//! Clock and entropy: nobody asks the world. Wall clock and operating-system
//! randomness may enter in `os.rs` alone.

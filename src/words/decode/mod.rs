//! Walks all commands and elements: names AIDs, explains to the bit, and masks
//! whole exchanges. Prints nothing itself.

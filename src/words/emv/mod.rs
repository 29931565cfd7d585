//! EMV Books 1 to 3: data elements, commands, cryptogram versions, a card's data
//! before keys. What only PBOC has is in `words::pboc`.

pub mod cryptogram;

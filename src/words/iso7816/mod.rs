//! ISO/IEC 7816-4: APDUs, status words, application identifiers, ATR, and the
//! trait that one command implements for both ends. No payment command may enter.

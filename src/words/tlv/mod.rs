//! BER-TLV, data object lists and tag lists, with offsets in every error. No
//! tag has a meaning here: meanings are in the dictionary.

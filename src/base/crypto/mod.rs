//! DES, AES, SM4, MACs and key derivation as plain functions over bytes. No tag,
//! no command and no cryptogram version may enter: those are words.

//! DES, AES, SM4, MACs and key derivation as plain functions over bytes. No tag,
//! no command and no cryptogram version may enter: those are words.

mod aes;
mod derivation;
mod des;
mod error;
mod mac;
mod sm4;

pub use self::aes::{aes_decrypt_block, aes_encrypt_block};
pub use self::derivation::{
    derive_pair, emv_common_session_key, emv_common_session_key_atc, option_a, option_a_input, option_b,
    option_b_input, pboc_session_key, purse_card_key, purse_tac_key, vis_session_key_xor,
};
pub use self::des::{
    des_decrypt_block, des_encrypt_block, kcv, odd_parity, tdes_cbc_decrypt, tdes_cbc_encrypt,
    tdes_decrypt_block, tdes_ecb_decrypt, tdes_ecb_encrypt, tdes_encrypt_block,
};
pub use self::error::CryptoError;
pub use self::mac::{Padding, aes_cmac, mac_algorithm_1, mac_algorithm_3, pad, sm4_cbc_mac};
pub use self::sm4::{
    sm4_card_key, sm4_decrypt_block, sm4_ecb_decrypt, sm4_ecb_encrypt, sm4_encrypt_block, sm4_kcv,
    sm4_session_key,
};

//! DES, AES, SM4, MACs, key derivation, RSA, SM2 and hashes over bytes. No tag, no
//! command, no certificate and no cryptogram version may enter: those are words.

mod aes;
mod block_cipher;
mod card_verification_value;
mod derivation;
mod des;
mod error;
mod hash;
mod mac;
mod pin_block;
mod rsa;
mod sm2;
mod sm4;
pub mod table_des;
mod triple_des;

pub use self::aes::{aes_decrypt_block, aes_encrypt_block};
pub use self::block_cipher::{BlockCipher, CipherKind};
pub use self::card_verification_value::card_verification_value;
pub use self::derivation::{
    derive_pair, emv_2000_session_key, emv_common_session_key, emv_common_session_key_atc,
    mastercard_session_key, option_a, option_a_input, option_b, option_b_input, pboc_session_key,
    purse_card_key, purse_tac_key, vis_session_key_xor,
};
pub use self::des::{
    des_decrypt_block, des_encrypt_block, kcv, odd_parity, tdes_cbc_decrypt, tdes_cbc_encrypt,
    tdes_decrypt_block, tdes_ecb_decrypt, tdes_ecb_encrypt, tdes_encrypt_block,
};
pub use self::error::CryptoError;
pub use self::hash::{sha1, sha256, sm3};
pub use self::mac::{
    Padding, aes_cmac, mac_algorithm_1, mac_algorithm_3, mac_algorithm_3_from, pad, sm4_cbc_mac,
};
pub use self::pin_block::{PinBlock4, PinBlockFormat};
pub use self::rsa::{RsaExponent, RsaPrivateKey, RsaPublicKey};
pub use self::sm2::{SM2_DEFAULT_IDENTITY, Sm2PrivateKey, Sm2PublicKey};
pub use self::sm4::{
    sm4_card_key, sm4_decrypt_block, sm4_ecb_decrypt, sm4_ecb_encrypt, sm4_encrypt_block, sm4_kcv,
    sm4_session_key,
};
pub use self::triple_des::TripleDes;

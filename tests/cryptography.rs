//! Properties of `base::crypto` over random keys and messages.

use cardwright::base::crypto::*;
use des::Des;
use proptest::collection::vec;
use proptest::prelude::*;
use retail_mac::{KeyInit, Mac, RetailMac};

fn padding() -> impl Strategy<Value = Padding> {
    prop_oneof![Just(Padding::Method1), Just(Padding::Method2)]
}

/// A message and one of its bits.
fn message_and_bit() -> impl Strategy<Value = (Vec<u8>, usize)> {
    vec(any::<u8>(), 1..80).prop_flat_map(|data| {
        let bits = data.len() * 8;
        (Just(data), 0..bits)
    })
}

fn flipped(data: &[u8], bit: usize) -> Vec<u8> {
    let mut out = data.to_vec();
    out[bit / 8] ^= 0x80 >> (bit % 8);
    out
}

proptest! {
    #[test]
    fn what_is_encrypted_decrypts(key: [u8; 32], block: [u8; 16], blocks in vec(any::<[u8; 16]>(), 0..6)) {
        let key16: [u8; 16] = *key.first_chunk().unwrap();
        let key8: [u8; 8] = *key.first_chunk().unwrap();
        let block8: [u8; 8] = *block.first_chunk().unwrap();
        prop_assert_eq!(des_decrypt_block(&key8, des_encrypt_block(&key8, block8)), block8);
        prop_assert_eq!(tdes_decrypt_block(&key16, tdes_encrypt_block(&key16, block8)), block8);
        prop_assert_eq!(sm4_decrypt_block(&key16, sm4_encrypt_block(&key16, block)), block);
        for length in [16, 24, 32] {
            let out = aes_encrypt_block(&key[..length], block).unwrap();
            prop_assert_eq!(aes_decrypt_block(&key[..length], out).unwrap(), block);
        }
        let data = blocks.as_flattened();
        prop_assert_eq!(tdes_ecb_decrypt(&key16, &tdes_ecb_encrypt(&key16, data).unwrap()).unwrap(), data);
        prop_assert_eq!(sm4_ecb_decrypt(&key16, &sm4_ecb_encrypt(&key16, data).unwrap()).unwrap(), data);
    }

    #[test]
    fn ecb_takes_whole_blocks_alone(key: [u8; 16], data in vec(any::<u8>(), 0..70)) {
        prop_assert_eq!(tdes_ecb_encrypt(&key, &data).is_ok(), data.len() % 8 == 0);
        prop_assert_eq!(sm4_ecb_decrypt(&key, &data).is_ok(), data.len() % 16 == 0);
    }

    #[test]
    fn options_a_and_b_agree_up_to_16_digits(master: [u8; 16], pan in "[0-9]{1,19}", psn in 0u8..100) {
        let psn = ((psn / 10) << 4) | (psn % 10);
        let a = option_a(&master, &pan, psn).unwrap();
        let b = option_b(&master, &pan, psn).unwrap();
        prop_assert_eq!(a == b, pan.len() <= 16);
    }

    #[test]
    fn derivation_takes_any_text(master: [u8; 16], pan in ".{0,24}", psn: u8) {
        let digits = (1..=19).contains(&pan.len()) && pan.bytes().all(|byte| byte.is_ascii_digit());
        let right = digits && psn >> 4 < 10 && psn & 15 < 10;
        prop_assert_eq!(option_a(&master, &pan, psn).is_ok(), right);
        prop_assert_eq!(option_b(&master, &pan, psn).is_ok(), right);
    }

    #[test]
    fn a_flipped_bit_changes_every_mac(key: [u8; 16], (data, bit) in message_and_bit(), padding in padding()) {
        let other = flipped(&data, bit);
        let single: [u8; 8] = *key.first_chunk().unwrap();
        let iv = [0; 8];
        prop_assert_ne!(mac_algorithm_3(&key, &data, padding), mac_algorithm_3(&key, &other, padding));
        prop_assert_ne!(
            mac_algorithm_1(&single, iv, &data, padding),
            mac_algorithm_1(&single, iv, &other, padding)
        );
        prop_assert_ne!(sm4_cbc_mac(&key, &data, padding), sm4_cbc_mac(&key, &other, padding));
        prop_assert_ne!(aes_cmac(&key, &data).unwrap(), aes_cmac(&key, &other).unwrap());
    }

    #[test]
    fn the_retail_mac_is_another_implementations(key: [u8; 16], data in vec(any::<u8>(), 1..80)) {
        for padding in [Padding::Method1, Padding::Method2] {
            // The other one pads with zeros; padding by method 2 comes first.
            let mut theirs = RetailMac::<Des>::new_from_slice(&key).unwrap();
            match padding {
                Padding::Method1 => theirs.update(&data),
                Padding::Method2 => theirs.update(&pad(&data, 8, Padding::Method2)),
            }
            let theirs: [u8; 8] = theirs.finalize().into_bytes().into();
            prop_assert_eq!(mac_algorithm_3(&key, &data, padding), theirs);
        }
    }

    #[test]
    fn session_keys_differ_by_counter(key: [u8; 16], one: [u8; 2], two: [u8; 2]) {
        for derive in
            [pboc_session_key, emv_common_session_key_atc, vis_session_key_xor, sm4_session_key]
        {
            prop_assert_eq!(derive(&key, one) == derive(&key, two), one == two);
        }
    }

    #[test]
    fn parity_is_odd_and_invisible_to_des(key: [u8; 16], block: [u8; 8]) {
        let mut odd = key;
        odd_parity(&mut odd);
        prop_assert!(odd.iter().all(|byte| byte.count_ones() % 2 == 1));
        prop_assert_eq!(tdes_encrypt_block(&odd, block), tdes_encrypt_block(&key, block));
        let mut again = odd;
        odd_parity(&mut again);
        prop_assert_eq!(again, odd);
    }
}

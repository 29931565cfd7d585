//! What we sign, recovered by an implementation that nobody here wrote: the crate `emv`.

use super::*;
use emv::core::oda;
use proptest::prelude::*;

const TODAY_MMYY: [u8; 2] = [0x11, 0x26];

/// The same data, recovered by the crate: the modulus of issuer and card.
fn recovered(chain: &Chain, pan: &Pan) -> Option<(Vec<u8>, Vec<u8>)> {
    let issuer = issuer_of(chain, pan)?;
    let remainder = Some(chain.card.remainder.as_slice()).filter(|bytes| !bytes.is_empty());
    let (certificate, exponent) = (&chain.card.certificate, &chain.card.exponent);
    let data = chain.static_data.as_bytes();
    let pan = pan.to_bcd();
    let card = oda::recover_icc_public_key(&issuer, certificate, remainder, exponent, data, &pan, TODAY_MMYY)
        .ok()?;
    oda::verify_sda(&issuer, &chain.static_signature, data).ok()?;
    Some((issuer.modulus, card.modulus))
}

fn issuer_of(chain: &Chain, pan: &Pan) -> Option<oda::IssuerPublicKey> {
    let ca = oda::CaPublicKey {
        rid: chain.ca.rid,
        index: chain.ca.index,
        modulus: chain.ca.key.bytes().to_vec(),
        exponent: chain.ca.key.exponent().to_vec(),
    };
    let remainder = Some(chain.issuer.remainder.as_slice()).filter(|bytes| !bytes.is_empty());
    let (certificate, exponent) = (&chain.issuer.certificate, &chain.issuer.exponent);
    oda::recover_issuer_public_key(&ca, certificate, remainder, exponent, &pan.to_bcd(), TODAY_MMYY).ok()
}

#[test]
fn chains_and_signatures_are_accepted() {
    for (bits, exponent) in [
        ([1984, 1976, 1640], RsaExponent::Three),
        ([1408, 1408, 1408], RsaExponent::F4),
        ([1024, 960, 704], RsaExponent::Three),
    ] {
        let key = |bits, place| PrivateKey::Rsa(rsa(bits, exponent, place));
        let chain = Chain::new(key(bits[0], 1), key(bits[1], 2), key(bits[2], 3));
        let expected = (chain.issuer_key.public().bytes().to_vec(), chain.card_key.public().bytes().to_vec());
        assert_eq!(recovered(&chain, &pan()), Some(expected), "{bits:?}");

        let issuer = issuer_of(&chain, &pan()).unwrap();
        let remainder = Some(chain.card.remainder.as_slice()).filter(|bytes| !bytes.is_empty());
        let (certificate, exponent) = (&chain.card.certificate, &chain.card.exponent);
        let (data, bcd) = (chain.static_data.as_bytes(), pan().to_bcd());
        let card =
            oda::recover_icc_public_key(&issuer, certificate, remainder, exponent, data, &bcd, TODAY_MMYY)
                .unwrap();
        let number = vec![1, 2, 3, 4, 5, 6, 7, 8];
        let dda = IccDynamicData { number: number.clone(), rest: Vec::new() };
        let signed = dda.sign(&[&[9; 4]], &chain.card_key).unwrap();
        assert_eq!(oda::verify_dda(&card, &signed, &[9; 4]).unwrap(), number);
        assert!(oda::verify_dda(&card, &signed, &[8; 4]).is_err());
        let exchanged = b"pdol, cdol and the answer".as_slice();
        let cda = CdaDynamicData {
            number,
            cryptogram_information: 0x80,
            cryptogram: [5; 8],
            transaction_data_hash: CdaDynamicData::transaction_data_hash(&[exchanged], Suite::Rsa),
            rest: Vec::new(),
        };
        let signed = cda.sign([9; 4], &chain.card_key).unwrap();
        let verified = oda::verify_cda(&card, &signed, [9; 4], exchanged, 0x80).unwrap();
        assert_eq!(verified.application_cryptogram, [5; 8]);
        assert!(oda::verify_cda(&card, &signed, [9; 4], b"something else", 0x80).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever bit is wrong, both refuse.
    #[test]
    fn both_refuse_every_wrong_bit(place in 0usize..6, bit: prop::sample::Index) {
        let mut chain = Chain::small();
        prop_assert!(recovered(&chain, &pan()).is_some());
        let bytes = match place {
            0 => &mut chain.issuer.certificate,
            1 => &mut chain.issuer.remainder,
            2 => &mut chain.issuer.exponent,
            3 => &mut chain.card.certificate,
            4 => &mut chain.card.remainder,
            _ => &mut chain.static_signature,
        };
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 0x80 >> (bit % 8);
        let ours = chain.recover_issuer().and_then(|issuer| {
            recover_static_signature(&chain.static_signature, &chain.static_data, &issuer.key)?;
            chain.recover_card()
        });
        prop_assert!(ours.is_err());
        prop_assert!(recovered(&chain, &pan()).is_none());
    }
}

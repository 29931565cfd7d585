//! Whatever a card bears as certificates and signatures, under a key whose operation
//! anybody can undo, each is recovered or refused, and nothing panics.

use cardwright::base::bytes::Secret;
use cardwright::base::crypto::{RsaExponent, RsaPrivateKey, Sm2PrivateKey, sha1};
use cardwright::words::emv::Pan;
use cardwright::words::emv::certificate::*;
use std::sync::LazyLock;

static RSA: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| RsaPrivateKey::generate(704, RsaExponent::Three, &Secret::new([1; 32])).expect("a key"));
static SM2: LazyLock<Sm2PrivateKey> =
    LazyLock::new(|| Sm2PrivateKey::generate(&Secret::new([1; 32])).expect("a key"));
static PAN: LazyLock<Pan> = LazyLock::new(|| Pan::with_check_digit("629999000000001").expect("a PAN"));

/// One try.
pub fn run(data: &[u8]) {
    let [choice, split, data @ ..] = data else { return };
    let (head, tail) = data.split_at(usize::from(*split).min(data.len()));
    let key = match choice & 1 {
        0 => PublicKey::Rsa(RSA.public().clone()),
        _ => PublicKey::Sm2(SM2.public().clone()),
    };
    // Signed here, so that what is inside the frame is the fuzzer's, too.
    let signed = match choice & 2 {
        0 => head.to_vec(),
        _ => {
            let mut message = head.to_vec();
            message.resize(88, 0xBB);
            message[0] = 0x6A;
            message[87] = 0xBC;
            // And with the right hash nothing stops it before the fields.
            let hash = sha1(&[&message[1..67], tail, &[3]]);
            message[67..87].copy_from_slice(&hash);
            RSA.apply(&message).unwrap_or_default()
        }
    };
    let certificate = CertificateRef { certificate: &signed, remainder: tail, exponent: &[3] };
    let revocations = RevocationList::default();
    let against = Against { pan: &PAN, today: [0x26, 0x11, 0x21], revocations: &revocations };
    let ca = CaPublicKey { rid: [0; 5], index: 0, key: key.clone(), expiry: None };
    let _ = IssuerCertificate::recover(certificate, &ca, against);
    let static_data = StaticData::from(tail.to_vec());
    let _ = IccCertificate::recover(certificate, IccKeyUse::Authentication(&static_data), &key, against);
    let _ = IccCertificate::recover(certificate, IccKeyUse::PinEncipherment, &key, against);
    let _ = recover_static_signature(&signed, &static_data, &key);
    let _ = IccDynamicData::recover(&signed, &[tail], &key);
    if let Ok(data) = CdaDynamicData::recover(&signed, [0; 4], 0x80, &key) {
        let _ = data.check_transaction(&[tail]);
    }
    let _ = StaticData::new().add_record(1, 1, head);
    let _ = PublicKey::rsa(head, &[3], Object::CaPublicKey);
    let _ = PublicKey::sm2(head, Object::CaPublicKey);
}

//! `counterpart::openssl`: random RSA keys of EMV's lengths, our two operations beside
//! openssl's, and SM2 signatures each way.

use std::path::Path;
use std::process::Command;

use cardwright::base::bytes::{Secret, parse_hex};
use cardwright::base::crypto::{RsaExponent, RsaPrivateKey, Sm2PrivateKey};
use libtest_mimic::{Failed, Trial};
use num_bigint::BigUint;

use super::support::{process, program, require_or_skip};

/// The comparisons, or why they cannot run here.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, test: fn(&Path) -> Result<(), Failed>| {
        Trial::ignorable_test(format!("counterpart::openssl::{name}"), move || {
            require_or_skip(program("openssl", "openssl"), |openssl| test(&openssl))
        })
    };
    vec![trial("rsa_of_every_length", rsa), trial("sm2_signatures", sm2)]
}

/// Both operations on a message that fills the key; openssl pads nothing.
fn rsa(openssl: &Path) -> Result<(), Failed> {
    for (bits, exponent) in [
        (704, RsaExponent::Three),
        (1024, RsaExponent::F4),
        (1408, RsaExponent::Three),
        (1640, RsaExponent::F4),
        (1984, RsaExponent::Three),
    ] {
        let folder = tempfile::tempdir()?;
        let key = RsaPrivateKey::generate(bits, exponent, &Secret::new([bits as u8; 32]))?;
        let made = key_file(folder.path(), &key)?;
        let mut message = vec![0xA5; key.public().length_bytes()];
        message[0] = 0x6A;
        std::fs::write(folder.path().join("message"), &message)?;
        let theirs = |verb: &str, input: &str| -> Result<Vec<u8>, Failed> {
            let mut command = Command::new(openssl);
            command.current_dir(folder.path());
            command.args(["pkeyutl", verb, "-inkey", &made, "-keyform", "DER", "-in", input, "-out", "out"]);
            command.args(["-pkeyopt", "rsa_padding_mode:none"]);
            let answer = process::run(&mut command, "", process::PATIENCE)?;
            if !answer.success() {
                return Err(answer.stderr.into());
            }
            Ok(std::fs::read(folder.path().join("out"))?)
        };
        let ours = key.apply(&message)?;
        if theirs("-decrypt", "message")? != ours {
            return Err(format!("{bits} bits: our private operation differs from openssl's").into());
        }
        if theirs("-encrypt", "message")? != key.public().apply(&message)? {
            return Err(format!("{bits} bits: our public operation differs from openssl's").into());
        }
    }
    Ok(())
}

/// A key file in PKCS #1 (RFC 8017 annex A.1.2), its numbers worked out by num-bigint.
fn key_file(folder: &Path, key: &RsaPrivateKey) -> Result<String, Failed> {
    let [p, q] = key.primes().map(|prime| BigUint::from_bytes_be(prime.expose()));
    let e = BigUint::from_bytes_be(key.public().exponent().as_bytes());
    let one = BigUint::from(1u32);
    let (p_1, q_1) = (&p - &one, &q - &one);
    let inverse = |of: &BigUint, modulus: &BigUint| of.modinv(modulus).ok_or("no inverse");
    let d = inverse(&e, &(&p_1 * &q_1))?;
    let (d_p, d_q, q_inverse) = (&d % &p_1, &d % &q_1, inverse(&q, &p)?);
    let numbers = [BigUint::ZERO, &p * &q, e, d, p, q, d_p, d_q, q_inverse];
    let body: Vec<u8> = numbers.iter().flat_map(|number| integer(&number.to_bytes_be())).collect();
    std::fs::write(folder.join("key.der"), der(0x30, &body))?;
    Ok("key.der".into())
}

/// A number is signed: a first bit of one needs a zero before it.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let lead: &[u8] = if bytes.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    der(0x02, &[lead, bytes].concat())
}

fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = match value.len() {
        short @ 0..=0x7F => vec![short as u8],
        middle @ 0x80..=0xFF => vec![0x81, middle as u8],
        long => vec![0x82, (long >> 8) as u8, long as u8],
    };
    [&[tag], length.as_slice(), value].concat()
}

/// Ours is verified by openssl, and refused when a bit of the message changes.
fn sm2(openssl: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let key = Sm2PrivateKey::generate(&Secret::new([5; 32]))?;
    let signature = key.sign(&[b"message of a card"])?;
    let (r, s) = signature.split_at(32);
    std::fs::write(folder.path().join("signature"), der(0x30, &[integer(r), integer(s)].concat()))?;
    // SubjectPublicKeyInfo (RFC 5480) with id-ecPublicKey and the curve 1.2.156.10197.1.301.
    let algorithm = parse_hex("301306072A8648CE3D020106082A811CCF5501822D").map_err(|e| e.to_string())?;
    let point = [&[0x00, 0x04], key.public().coordinates().as_slice()].concat();
    let public = der(0x30, &[algorithm, der(0x03, &point)].concat());
    std::fs::write(folder.path().join("public.der"), public)?;
    for (message, right) in [("message of a card", true), ("message of a carD", false)] {
        std::fs::write(folder.path().join("message"), message)?;
        let mut command = Command::new(openssl);
        command.current_dir(folder.path());
        command.args(["pkeyutl", "-verify", "-pubin", "-inkey", "public.der", "-keyform", "DER"]);
        command.args(["-in", "message", "-sigfile", "signature", "-rawin", "-digest", "sm3"]);
        command.args(["-pkeyopt", "distid:1234567812345678"]);
        let answer = process::run(&mut command, "", process::PATIENCE)?;
        if answer.success() != right {
            return Err(format!("openssl on {message:?}: {}{}", answer.stdout, answer.stderr).into());
        }
    }
    Ok(())
}

//! What each `kind` of vector computes. One arm a kind; the keys it reads are
//! the inputs.

use cardwright::base::bytes::Secret;
use cardwright::base::crypto::{self, Padding};
use cardwright::words::emv::Pan;
use cardwright::words::emv::certificate::{
    Against, CaPublicKey, CdaDynamicData, CertificateRef, IssuerCertificate, Object, PublicKey,
    RevocationList,
};
use cardwright::words::emv::cryptogram::{CardKeys, CryptogramVersion, MasterKeys, SessionKey};
use cardwright::words::pboc::idd_mac::{IddMacPadding, idd_mac};
use cardwright::words::pboc::purse::{self, PurseTerms, PurseTransactionType};
use cardwright::words::tlv::{self, Tag};

use super::vectors::Vector;

/// The bytes that our code computes for a vector.
pub(crate) fn run_kind(kind: &str, v: &Vector) -> Result<Vec<u8>, String> {
    Ok(match kind {
        // Primitives
        "sm4_block" => crypto::sm4_encrypt_block(&v.array("key")?, v.array("data")?).to_vec(),
        "key_check_value" => prefix(v, &crypto::kcv(&v.array("key")?))?,
        "odd_parity" => {
            let mut key: [u8; 16] = v.array("key")?;
            crypto::odd_parity(&mut key);
            key.to_vec()
        }
        "mac_algorithm_3" => crypto::mac_algorithm_3(&v.array("key")?, &v.hex("data")?, padding(v)?).to_vec(),
        "option_a_input" => crypto::option_a_input(&v.text("pan")?, psn(v)?).map_err(text)?.to_vec(),

        // Public keys and certificates
        "sm3" => crypto::sm3(&[&v.hex("data")?]).to_vec(),
        "sm2_public_key" => sm2_private(v)?.public().coordinates().to_vec(),
        "sm2_signature_verifies" => {
            let key = crypto::Sm2PublicKey::new(&v.array("public")?).map_err(text)?;
            key.verify(&[&v.hex("message")?], &v.array("signature")?).map_err(text)?;
            vec![1]
        }
        "rsa_public" => match public_key(v, "modulus")? {
            PublicKey::Rsa(key) => key.apply(&v.hex("data")?).map_err(text)?,
            PublicKey::Sm2(_) => return Err("expected an RSA key".into()),
        },
        "ca_key_checksum" => {
            let [index] = v.array("index")?;
            let key = public_key(v, "modulus")?;
            CaPublicKey { rid: v.array("rid")?, index, key, expiry: None }.checksum()
        }
        "issuer_certificate" => issuer_key(v)?,
        "combined_signature" => {
            let [answered] = v.array("cryptogram_information")?;
            let number = v.array("unpredictable_number")?;
            let key = public_key(v, "modulus")?;
            let data = CdaDynamicData::recover(&v.hex("signed")?, number, answered, &key).map_err(text)?;
            let head = [&[data.number.len() as u8], data.number.as_slice(), &[data.cryptogram_information]];
            [&head.concat(), &data.cryptogram[..], &data.transaction_data_hash].concat()
        }

        // Card keys
        "option_a" => crypto::option_a(&v.array("master")?, &v.text("pan")?, psn(v)?).map_err(text)?.to_vec(),
        "option_a_check_value" => prefix(
            v,
            &crypto::kcv(&crypto::option_a(&v.array("master")?, &v.text("pan")?, psn(v)?).map_err(text)?),
        )?,
        "option_b_check_value" => prefix(
            v,
            &crypto::kcv(&crypto::option_b(&v.array("master")?, &v.text("pan")?, psn(v)?).map_err(text)?),
        )?,
        "card_key" => {
            version(v)?.udk(&v.array("master")?, &v.text("pan")?, psn(v)?).map_err(text)?.expose().to_vec()
        }
        "card_key_check_value" => {
            let version = version(v)?;
            let key = version.udk(&v.array("master")?, &v.text("pan")?, psn(v)?).map_err(text)?;
            prefix(v, &version.key_check_value(key.expose()))?
        }

        // Session keys
        "session_key" => {
            version(v)?.session_key(ac(v)?.expose(), v.array("atc")?, number(v)?).expose().to_vec()
        }
        "session_key_check_value" => {
            let key = version(v)?.session_key(ac(v)?.expose(), v.array("atc")?, number(v)?);
            prefix(v, &crypto::kcv(key.expose()))?
        }
        "script_session_key" => script_key(v)?.expose().to_vec(),
        "script_session_key_check_value" => prefix(v, &crypto::kcv(script_key(v)?.expose()))?,
        "common_session_key_check_value" => prefix(v, &crypto::kcv(&common_key(v)?))?,

        // Cryptograms under the EMV common session key of a given R
        "common_ac" => crypto::mac_algorithm_3(&common_key(v)?, &v.hex("data")?, padding(v)?).to_vec(),
        "common_arpc_1" => {
            let row = bare(SessionKey::CardKey)?;
            row.arpc_method_1(&common_key(v)?, [0; 2], v.array("arqc")?, v.array("arc")?).to_vec()
        }
        "card_key_arpc_1" => {
            let row = bare(SessionKey::CardKey)?;
            row.arpc_method_1(&derived_card_key(v)?, [0; 2], v.array("arqc")?, v.array("arc")?).to_vec()
        }
        "common_arpc_2" => {
            let row = bare(SessionKey::CardKey)?;
            let proprietary = match v.text_if_any("proprietary")? {
                Some(_) => v.hex("proprietary")?,
                None => Vec::new(),
            };
            row.arpc_method_2(&common_key(v)?, [0; 2], v.array("arqc")?, v.array("csu")?, &proprietary)
                .map_err(text)?
                .to_vec()
        }

        // Cryptograms of a version
        "ac_input" => ac_input(v)?,
        "ac" => {
            let data = match v.text_if_any("data")? {
                Some(_) => v.hex("data")?,
                None => ac_input(v)?,
            };
            version(v)?.application_cryptogram(ac(v)?.expose(), v.array("atc")?, &data).to_vec()
        }
        "arpc_1" => version(v)?
            .arpc_method_1(ac(v)?.expose(), v.array("atc")?, v.array("arqc")?, v.array("arc")?)
            .to_vec(),
        "arpc_2" => version(v)?
            .arpc_method_2(ac(v)?.expose(), v.array("atc")?, v.array("arqc")?, v.array("csu")?, &[])
            .map_err(text)?
            .to_vec(),
        "issuer_authentication_data" => {
            let arc = v.array("arc")?;
            let arpc = version(v)?.arpc_method_1(ac(v)?.expose(), v.array("atc")?, v.array("arqc")?, arc);
            [&arpc[..], &arc].concat()
        }
        "script_mac" => script_mac(v)?,
        "script_command" => [v.hex("header")?, v.hex("data")?, script_mac(v)?].concat(),
        "script_template_72" => {
            let command = [v.hex("header")?, v.hex("data")?, script_mac(v)?].concat();
            let inside =
                [tlv::encode(Tag(0x9F18), &v.hex("script_id")?), tlv::encode(Tag(0x86), &command)].concat();
            tlv::encode(Tag(0x72), &inside)
        }
        "pin_change" => pin_change(v)?,
        "idd_mac" => {
            let padding = match v.text("padding")?.as_str() {
                "2" => IddMacPadding::Method2,
                "plain" => IddMacPadding::Plain,
                other => return Err(format!("padding: expected 2 or plain, found {other}")),
            };
            idd_mac(&version(v)?, keys(v)?.mac.expose(), v.array("atc")?, &v.hex("value")?, padding).to_vec()
        }

        // Purse
        "purse_card_key" => crypto::purse_card_key(&v.array("master")?, v.array("serial")?).to_vec(),
        "purse_tac_key" => purse::tac_key(&v.array("key")?).expose().to_vec(),
        "purse_online_session_key" => {
            purse::online_session_key(&v.array("key")?, v.array("random")?, sequence(v)?).expose().to_vec()
        }
        "purse_purchase_session_key" => {
            let terminal = u32::from_be_bytes(v.array("terminal_sequence")?);
            purse::purchase_session_key(&v.array("key")?, v.array("random")?, sequence(v)?, terminal)
                .expose()
                .to_vec()
        }
        "purse_load_mac1" => {
            terms(v)?.load_mac1(&des_key(v)?, u32::from_be_bytes(v.array("old_balance")?)).to_vec()
        }
        "purse_load_mac2" => terms(v)?.load_mac2(&des_key(v)?).to_vec(),
        "purse_load_tac" => {
            let balance = u32::from_be_bytes(v.array("new_balance")?);
            terms(v)?.load_tac(&des_key(v)?, balance, sequence(v)?).to_vec()
        }
        "purse_purchase_mac1" => {
            let code = match v.text_if_any("certification_code")? {
                Some(_) => Some(v.array("certification_code")?),
                None => None,
            };
            terms(v)?.purchase_mac1(&des_key(v)?, code.as_ref()).to_vec()
        }
        "purse_purchase_mac2" => terms(v)?.purchase_mac2(&des_key(v)?).to_vec(),
        "purse_purchase_tac" => {
            let terminal = u32::from_be_bytes(v.array("terminal_sequence")?);
            terms(v)?.purchase_tac(&des_key(v)?, terminal).to_vec()
        }
        _ => return Err(format!("unknown kind {kind}")),
    })
}

/// The version's row, with the session key or padding replaced where a vector
/// checks what a mistake in them would give.
fn version(v: &Vector) -> Result<CryptogramVersion, String> {
    let name = v.text("version")?;
    let row = *CryptogramVersion::by_name(&name).ok_or_else(|| format!("no cryptogram version {name}"))?;
    let Some(session) = v.text_if_any("session_key")? else { return Ok(row) };
    let ac_session_key = match session.as_str() {
        "card key" => SessionKey::CardKey,
        other => return Err(format!("session_key: expected card key, found {other}")),
    };
    Ok(CryptogramVersion { ac_session_key, ..row })
}

/// A row that takes the key as it is, for formulas with a given session key.
fn bare(ac_session_key: SessionKey) -> Result<CryptogramVersion, String> {
    let row = CryptogramVersion::by_name("EMV CSK").ok_or("no row EMV CSK")?;
    Ok(CryptogramVersion { ac_session_key, ..*row })
}

/// The card's keys, from the master keys given.
fn keys(v: &Vector) -> Result<CardKeys, String> {
    let master = MasterKeys {
        ac: v.array("master_ac")?.into(),
        mac: v.array("master_mac")?.into(),
        enc: v.array("master_enc")?.into(),
    };
    CardKeys::diversify(&version(v)?, &master, &v.text("pan")?, psn(v)?).map_err(text)
}

fn ac(v: &Vector) -> Result<Secret<[u8; 16]>, String> {
    version(v)?.udk(&v.array("master_ac")?, &v.text("pan")?, psn(v)?).map_err(text)
}

fn script_key(v: &Vector) -> Result<Secret<[u8; 16]>, String> {
    let keys = keys(v)?;
    let key = match v.text("which")?.as_str() {
        "mac" => keys.mac,
        "enc" => keys.enc,
        other => return Err(format!("which: expected mac or enc, found {other}")),
    };
    Ok(version(v)?.script_session_key(key.expose(), v.array("atc")?, v.array("arqc")?))
}

fn derived_card_key(v: &Vector) -> Result<[u8; 16], String> {
    let (master, pan, psn) = (v.array("master")?, v.text("pan")?, psn(v)?);
    match v.text("option")?.as_str() {
        "A" => crypto::option_a(&master, &pan, psn),
        "B" => crypto::option_b(&master, &pan, psn),
        other => return Err(format!("option: expected A or B, found {other}")),
    }
    .map_err(text)
}

/// The unpredictable number, where a session key needs it.
fn number(v: &Vector) -> Result<[u8; 4], String> {
    match v.text_if_any("unpredictable_number")? {
        Some(_) => v.array("unpredictable_number"),
        None => Ok([0; 4]),
    }
}

fn common_key(v: &Vector) -> Result<[u8; 16], String> {
    Ok(crypto::emv_common_session_key(&derived_card_key(v)?, v.array("r")?))
}

fn ac_input(v: &Vector) -> Result<Vec<u8>, String> {
    let version = version(v)?;
    let mut values = Vec::new();
    for tag in version.input_tags() {
        if let Some(value) = v.entry("elements", &tag.to_string())? {
            values.push((tag, value));
        }
    }
    version
        .assemble(&|tag| values.iter().find(|(found, _)| *found == tag).map(|(_, value)| value.clone()))
        .map_err(text)
}

fn script_mac(v: &Vector) -> Result<Vec<u8>, String> {
    let (version, keys) = (version(v)?, keys(v)?);
    version
        .script_mac(
            keys.mac.expose(),
            v.array("atc")?,
            v.array("arqc")?,
            v.array("header")?,
            &v.hex("data")?,
            version.script_mac_bytes,
        )
        .map_err(text)
}

/// The whole PIN CHANGE command: header, enciphered PIN block, MAC.
fn pin_change(v: &Vector) -> Result<Vec<u8>, String> {
    let (version, keys, atc, arqc) = (version(v)?, keys(v)?, v.array("atc")?, v.array("arqc")?);
    let current = v.text_if_any("current_pin")?;
    let header = v.array("header")?;
    let block =
        version.encipher_pin_block(&keys, atc, arqc, &v.text("pin")?, current.as_deref()).map_err(text)?;
    let mac = version
        .script_mac(keys.mac.expose(), atc, arqc, header, &block, version.script_mac_bytes)
        .map_err(text)?;
    Ok([&header[..], &block, &mac].concat())
}

fn terms(v: &Vector) -> Result<PurseTerms, String> {
    let [kind] = v.array("type")?;
    Ok(PurseTerms {
        amount_minor: u32::from_be_bytes(v.array("amount")?),
        kind: PurseTransactionType(kind),
        terminal: v.array("terminal")?,
        date: v.array("date")?,
        time: v.array("time")?,
    })
}

fn des_key(v: &Vector) -> Result<Secret<[u8; 8]>, String> {
    Ok(v.array("des_key")?.into())
}

fn sequence(v: &Vector) -> Result<u16, String> {
    Ok(u16::from_be_bytes(v.array("sequence")?))
}

fn psn(v: &Vector) -> Result<u8, String> {
    let [psn] = v.array("psn")?;
    Ok(psn)
}

fn padding(v: &Vector) -> Result<Padding, String> {
    match v.text("padding")?.as_str() {
        "1" => Ok(Padding::Method1),
        "2" => Ok(Padding::Method2),
        other => Err(format!("padding: expected 1 or 2, found {other}")),
    }
}

/// Published check values have two or three bytes: as many as are expected.
fn prefix(v: &Vector, value: &[u8; 3]) -> Result<Vec<u8>, String> {
    let length = v.hex("expect")?.len();
    match length {
        2 | 3 => Ok(value[..length].to_vec()),
        _ => Err(format!("expect: a check value has 2 or 3 bytes, found {length}")),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn sm2_private(v: &Vector) -> Result<crypto::Sm2PrivateKey, String> {
    crypto::Sm2PrivateKey::new(&Secret::new(v.array("private")?)).map_err(text)
}

fn public_key(v: &Vector, modulus: &str) -> Result<PublicKey, String> {
    PublicKey::rsa(&v.hex(modulus)?, &v.hex("exponent")?, Object::CaPublicKey).map_err(text)
}

/// Recovers an issuer certificate, all checks included, and gives the modulus in it.
/// CA keys of test cards have the exponent 3, as the certificates that they sign.
fn issuer_key(v: &Vector) -> Result<Vec<u8>, String> {
    let ca = CaPublicKey { rid: [0; 5], index: 0, key: public_key(v, "ca_modulus")?, expiry: None };
    let pan = Pan::checked(&v.text("pan")?).map_err(text)?;
    let revocations = RevocationList::default();
    let against = Against { pan: &pan, today: v.array("today")?, revocations: &revocations };
    let (certificate, remainder, exponent) = (v.hex("certificate")?, v.hex("remainder")?, v.hex("exponent")?);
    let certificate =
        CertificateRef { certificate: &certificate, remainder: &remainder, exponent: &exponent };
    let issuer = IssuerCertificate::recover(certificate, &ca, against).map_err(text)?;
    Ok(issuer.key.bytes().to_vec())
}

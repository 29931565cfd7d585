//! What a terminal trusts: CA public keys and revoked certificates (EMV Book 2 5.1.2 and
//! 11.2.2), from TOML or from proxmark's `capk.txt`. Nothing is shipped here.

use crate::base::bytes::parse_hex;
use crate::words::emv::certificate::{
    CaPublicKey, CaPublicKeys, CertificateError, Object, PublicKey, RevocationList, Revoked,
};
use serde::Deserialize;

/// CA public keys and the revocation list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "TrustText")]
pub struct Trust {
    /// The keys with which issuer certificates are recovered.
    pub keys: CaPublicKeys,
    /// Issuer certificates that are no longer valid.
    pub revocations: RevocationList,
}

/// Why a text holds no keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// No TOML, or other fields than keys and revocations have.
    #[error("CA public keys: {0}")]
    Toml(String),
    /// A value of another form.
    #[error("CA public keys, {entry}: expected {expected} in {field}")]
    Value {
        /// Which entry, or line.
        entry: String,
        /// The field.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A key that cannot be used, or whose checksum is another.
    #[error("CA public keys, {entry}: {cause}")]
    Key {
        /// Which entry, or line.
        entry: String,
        /// What is wrong with it.
        cause: CertificateError,
    },
}

impl Trust {
    /// Reads either form: TOML (ours, and what the crate `emv` reads) or `capk.txt`.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        // Only TOML has a table or an assignment on a line that is no comment.
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        match lines.next() {
            Some(line) if !line.contains(['[', '=']) => Self::parse_capk(text),
            _ => Self::parse_toml(text),
        }
    }

    /// Reads TOML: `[[capk_rsa]]`, `[[capk_sm2]]` and `[[revoked]]` (or `[[entries]]`).
    /// Tables `[[capk_ecc]]` of the crate `emv` are passed over: they are for XDA.
    pub fn parse_toml(text: &str) -> Result<Self, TrustError> {
        let text: TrustText = toml::from_str(text).map_err(|error| TrustError::Toml(error.to_string()))?;
        text.try_into()
    }

    /// Reads proxmark's `capk.txt`: for each key provider, index, expiry, `rsa`,
    /// exponent, modulus, `sha1`, checksum; bytes are joined by colons.
    pub fn parse_capk(text: &str) -> Result<Self, TrustError> {
        let mut out = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                out.keys.put(capk_line(line, format!("line {}", number + 1))?);
            }
        }
        Ok(out)
    }

    /// Adds what another source holds; its keys take the place of those with their
    /// provider and index.
    pub fn extend(&mut self, other: Self) {
        other.keys.iter().for_each(|key| self.keys.put(key.clone()));
        self.revocations.0.extend(other.revocations.0);
    }
}

/// The TOML text.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustText {
    #[serde(default)]
    capk_rsa: Vec<RsaText>,
    #[serde(default)]
    capk_sm2: Vec<Sm2Text>,
    #[serde(default)]
    capk_ecc: Vec<toml::Value>,
    #[serde(default, alias = "entries")]
    revoked: Vec<RevokedText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RsaText {
    rid: String,
    index: String,
    modulus: String,
    exponent: String,
    #[serde(default)]
    expiry: Option<String>,
    #[serde(default)]
    checksum: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sm2Text {
    rid: String,
    index: String,
    point: String,
    #[serde(default)]
    expiry: Option<String>,
    #[serde(default)]
    checksum: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RevokedText {
    rid: String,
    ca_pk_index: String,
    cert_serial: String,
}

impl TryFrom<TrustText> for Trust {
    type Error = TrustError;

    fn try_from(text: TrustText) -> Result<Self, TrustError> {
        let mut out = Self::default();
        for (number, row) in text.capk_rsa.iter().enumerate() {
            let entry = Entry(format!("capk_rsa {}", number + 1));
            let (modulus, exponent) =
                (entry.all("modulus", &row.modulus)?, entry.all("exponent", &row.exponent)?);
            let key = entry.key(PublicKey::rsa(&modulus, &exponent, Object::CaPublicKey))?;
            out.keys.put(entry.ca([&row.rid, &row.index], key, &row.expiry, &row.checksum)?);
        }
        for (number, row) in text.capk_sm2.iter().enumerate() {
            let entry = Entry(format!("capk_sm2 {}", number + 1));
            let point = entry.all("point", &row.point)?;
            let key = entry.key(PublicKey::sm2(&point, Object::CaPublicKey))?;
            out.keys.put(entry.ca([&row.rid, &row.index], key, &row.expiry, &row.checksum)?);
        }
        // For XDA, which is not performed; the file is taken for the rest of it.
        drop(text.capk_ecc);
        for (number, row) in text.revoked.iter().enumerate() {
            let entry = Entry(format!("revoked {}", number + 1));
            let [ca_index] = entry.array("ca_pk_index", &row.ca_pk_index)?;
            let (rid, serial) =
                (entry.array("rid", &row.rid)?, entry.array("cert_serial", &row.cert_serial)?);
            out.revocations.0.push(Revoked { rid, ca_index, serial });
        }
        Ok(out)
    }
}

/// One entry, which errors name.
struct Entry(String);

impl Entry {
    fn wrong(&self, field: &'static str, expected: &'static str) -> TrustError {
        TrustError::Value { entry: self.0.clone(), field, expected }
    }

    fn all(&self, field: &'static str, text: &str) -> Result<Vec<u8>, TrustError> {
        parse_hex(text).map_err(|_| self.wrong(field, "hexadecimal bytes"))
    }

    fn array<const N: usize>(&self, field: &'static str, text: &str) -> Result<[u8; N], TrustError> {
        let expected = match N {
            1 => "1 hexadecimal byte",
            3 => "3 hexadecimal bytes",
            _ => "5 hexadecimal bytes",
        };
        self.all(field, text)?.try_into().map_err(|_| self.wrong(field, expected))
    }

    fn key<T>(&self, result: Result<T, CertificateError>) -> Result<T, TrustError> {
        result.map_err(|cause| TrustError::Key { entry: self.0.clone(), cause })
    }

    /// The whole key; a checksum that came along is compared.
    fn ca(
        &self,
        [rid, index]: [&str; 2],
        key: PublicKey,
        expiry: &Option<String>,
        checksum: &Option<String>,
    ) -> Result<CaPublicKey, TrustError> {
        let [index] = self.array("index", index)?;
        let expiry = expiry.as_deref().map(|date| self.array("expiry", date)).transpose()?;
        let key = CaPublicKey { rid: self.array("rid", rid)?, index, key, expiry };
        if let Some(checksum) = checksum {
            self.key(key.check(&self.all("checksum", checksum)?))?;
        }
        Ok(key)
    }
}

fn capk_line(line: &str, name: String) -> Result<CaPublicKey, TrustError> {
    let entry = Entry(name);
    let words: Vec<String> = line.split_whitespace().map(|word| word.replace(':', "")).collect();
    let [rid, index, expiry, algorithm, exponent, modulus, hash, checksum] = words.as_slice() else {
        let expected = "provider, index, expiry, rsa, exponent, modulus, sha1, checksum";
        return Err(entry.wrong("the line", expected));
    };
    if algorithm != "rsa" {
        return Err(entry.wrong("the algorithm", "rsa"));
    }
    if hash != "sha1" {
        return Err(entry.wrong("the hash", "sha1"));
    }
    let (modulus, exponent) = (entry.all("modulus", modulus)?, entry.all("exponent", exponent)?);
    let key = entry.key(PublicKey::rsa(&modulus, &exponent, Object::CaPublicKey))?;
    let expiry = (expiry != "000000").then(|| expiry.clone());
    entry.ca([rid, index], key, &expiry, &Some(checksum.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "a0:00:00:00:04 f8 000000 rsa 03 a1:f5:e1:c9:bd:86:50:bd:43:ab:6e:e5:6b:89:1e:f7:45:9c:0a:24:fa:84:f9:12:7d:1a:6c:79:d4:93:0f:6d:b1:85:2e:25:10:f1:8b:61:cd:35:4d:b8:3a:35:6b:d1:90:b8:8a:b8:df:04:28:4d:02:a4:20:4a:7b:6c:b7:c5:55:19:77:a9:b3:63:79:ca:3d:e1:a0:8e:69:f3:01:c9:5c:c1:c2:05:06:95:92:75:f4:17:23:dd:5d:29:25:29:05:79:e5:a9:5b:0d:f6:32:3f:c8:e9:27:3d:6f:84:91:98:c4:99:62:09:16:6d:9b:fc:97:3c:36:1c:c8:26:e1 sha1 f0:6e:cc:6d:2a:ae:bf:25:9b:7e:75:5a:38:d9:a9:b2:4e:2f:f3:dd";

    #[test]
    fn a_line_of_capk_txt_is_read() {
        // A test key, published in proxmark3's client/resources/capk.txt.
        let trust = Trust::parse(&format!("# test keys\n\n{LINE}\n")).unwrap();
        let named: Vec<_> = trust.keys.iter().map(|key| (key.rid, key.index, key.expiry)).collect();
        assert_eq!(named, [([0xA0, 0, 0, 0, 4], 0xF8, None)]);
        let dated = Trust::parse(&LINE.replace(" 000000 ", " 301231 ")).unwrap();
        assert_eq!(dated.keys.iter().next().unwrap().expiry, Some([0x30, 0x12, 0x31]));
        let says = |text: &str| Trust::parse(text).unwrap_err().to_string();
        assert!(
            says(&LINE.replace("f0:6e", "f0:6f")).contains("line 1: CA public key: expected the checksum")
        );
        assert!(says(&LINE.replace(" rsa ", " ecc ")).contains("expected rsa"));
        assert!(says("a0 f8").contains("expected provider, index"));
        assert!(says(&LINE.replace("a0:00:00:00:04", "a0:00")).contains("5 hexadecimal bytes in rid"));
    }

    #[test]
    fn toml_of_the_crate_emv_is_read() {
        let modulus = LINE.split(' ').nth(5).unwrap().replace(':', "");
        let text = format!(
            "[[capk_rsa]]\nrid = \"A000000004\"\nindex = \"F8\"\nmodulus = \"{modulus}\"\nexponent = \"03\"\n\n\
             [[capk_ecc]]\nrid = \"A000000004\"\nindex = \"01\"\nalgorithm_suite = \"10\"\nx_coord = \"00\"\n\n\
             [[entries]]\nrid = \"A000000004\"\nca_pk_index = \"F8\"\ncert_serial = \"9E11FA\"\n"
        );
        let trust = Trust::parse(&text).unwrap();
        assert_eq!(trust.keys, Trust::parse(LINE).unwrap().keys);
        let row = Revoked { rid: [0xA0, 0, 0, 0, 4], ca_index: 0xF8, serial: [0x9E, 0x11, 0xFA] };
        assert_eq!(trust.revocations.0, [row]);
        assert!(Trust::parse(&text.replace("\"03\"", "\"05\"")).is_err());
        assert!(Trust::parse(&text.replace("exponent", "colour")).is_err());
        assert!(Trust::parse("").unwrap().keys.is_empty());
    }

    #[test]
    fn keys_of_another_source_take_their_places() {
        let mut trust = Trust::parse(LINE).unwrap();
        trust.extend(Trust::parse(&LINE.replace(" 000000 ", " 301231 ")).unwrap());
        assert_eq!(trust.keys.len(), 1);
        assert!(trust.keys.iter().all(|key| key.expiry.is_some()));
    }
}

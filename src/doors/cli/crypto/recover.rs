//! `cardwright crypto recover`: what a card's certificates and signatures hold, opened
//! with CA public keys from the issuer's certificate to the dynamic signature.

use super::shared::given::{self, hex_argument};
use super::shared::steps::Steps;
use super::shared::{elements, exchange};
use crate::base::bytes::Hex;
use crate::doors::cli::shared::command::{Call, Command, Run};
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::recording::Recording;
use crate::roles::terminal::Trust;
use crate::words::dictionary::tag;
use crate::words::emv::Pan;
use crate::words::emv::certificate::{
    APPLICATION_PAN, Against, CaPublicKey, CertificateError, CertificateRef, Dissection, IccCertificate,
    IccDynamicData, IccKeyUse, IssuerCertificate, Object, PublicKey, StaticData, Suite,
    recover_static_signature,
};
use crate::words::tlv::{Tag, TlvStore};
use crate::world::read_text;
use clap::{Arg, value_parser};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The row of this command.
pub(super) const COMMAND: Command = Command {
    name: "recover",
    about: "Opens a card's certificates and signatures (90, 9F46, 9F2D, 93, 9F4B), field by field",
    effect: None,
    arguments,
    run: Run::Alone(run),
};

fn arguments(line: clap::Command) -> clap::Command {
    exchange::arguments(elements::arguments(line))
        .arg(
            Arg::new("ca")
                .long("ca")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("CA public keys: TOML or capk.txt, as `ca export` writes them"),
        )
        .arg(hex_argument("rid", "HEX", "The provider, where several have the index of 8F"))
        .arg(hex_argument(
            "static",
            "HEX",
            "The static data to be authenticated, for the checks of 9F46 and 93: signed records without \
             their template 70, and the AIP where 9F4A lists it; a conversation has them",
        ))
        .arg(hex_argument(
            "signed",
            "HEX",
            "The terminal's data under 9F4B, as DDOL asks for them; else 9F37",
        ))
}

/// One object: its tag, what belongs to it, and whose key opens it.
struct Signed {
    object: Object,
    certificate: Tag,
    remainder: Tag,
    exponent: Tag,
}

const ISSUER: Signed = Signed {
    object: Object::IssuerCertificate,
    certificate: tag::ISSUER_PUBLIC_KEY_CERTIFICATE,
    remainder: tag::ISSUER_PUBLIC_KEY_REMAINDER,
    exponent: tag::ISSUER_PUBLIC_KEY_EXPONENT,
};
const ICC: Signed = Signed {
    object: Object::IccCertificate,
    certificate: tag::ICC_PUBLIC_KEY_CERTIFICATE,
    remainder: tag::ICC_PUBLIC_KEY_REMAINDER,
    exponent: tag::ICC_PUBLIC_KEY_EXPONENT,
};
const PIN: Signed = Signed {
    object: Object::PinCertificate,
    certificate: tag::ICC_PIN_ENCIPHERMENT_CERTIFICATE,
    remainder: tag::ICC_PIN_ENCIPHERMENT_REMAINDER,
    exponent: tag::ICC_PIN_ENCIPHERMENT_EXPONENT,
};
const STATIC: Signed =
    Signed { object: Object::StaticSignature, certificate: tag::SIGNED_STATIC_APPLICATION_DATA, ..ISSUER };
const DYNAMIC: Signed =
    Signed { object: Object::DynamicSignature, certificate: tag::SIGNED_DYNAMIC_APPLICATION_DATA, ..ICC };

impl Signed {
    fn in_data<'a>(&self, data: &'a TlvStore) -> Option<CertificateRef<'a>> {
        let value = |tag| data.value(tag).unwrap_or_default();
        let (remainder, exponent) = (value(self.remainder), value(self.exponent));
        Some(CertificateRef { certificate: data.value(self.certificate)?, remainder, exponent })
    }
}

/// What a check came to.
enum Check {
    Passed,
    Failed(String),
    /// Something that it needs was not given.
    NotMade(&'static str),
}

/// What is opened so far.
struct Bench<'a> {
    data: &'a TlvStore,
    text: String,
    objects: Vec<Value>,
    unmask: bool,
    all_passed: bool,
}

fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let exchange = exchange::exchange(call)?.map(|(exchange, _)| exchange).unwrap_or_default();
    let mut data = exchange.data.clone();
    for (tag, value) in elements::elements(call)?.iter() {
        data.put(tag, value);
    }
    let trust = trust(call)?;
    let pan = elements::pan_of(&data);
    let today = call.switches.context(Recording::default()).now().yymmdd();
    let static_data = given::bytes(call, "static")?.map(StaticData::from).or_else(|| exchange.static_data());
    let number = data.value(tag::UNPREDICTABLE_NUMBER).map(<[u8]>::to_vec);
    let terminal_data = given::bytes(call, "signed")?.or(number);
    let mut bench = Bench {
        data: &data,
        text: String::new(),
        objects: Vec::new(),
        unmask: call.switches.unmask,
        all_passed: true,
    };
    let ca = ca_key(call, &trust, &data)?;
    let against = pan.as_ref().map(|pan| Against { pan, today, revocations: &trust.revocations });

    let issuer = bench.open(&ISSUER, &ca.key, &|certificate| match against {
        Some(against) => check(IssuerCertificate::recover(certificate, ca, against)),
        None => Check::NotMade(NO_PAN),
    });
    let Some(issuer) = issuer else {
        return Ok(bench.end(call, ca));
    };
    bench.open(&STATIC, &issuer, &|signed| match &static_data {
        Some(data) => check(recover_static_signature(signed.certificate, data, &issuer)),
        None => Check::NotMade(NO_STATIC_DATA),
    });
    let icc = bench.open(&ICC, &issuer, &|certificate| match (against, &static_data) {
        (Some(against), Some(data)) => {
            check(IccCertificate::recover(certificate, IccKeyUse::Authentication(data), &issuer, against))
        }
        (None, _) => Check::NotMade(NO_PAN),
        (_, None) => Check::NotMade(NO_STATIC_DATA),
    });
    bench.open(&PIN, &issuer, &|certificate| match against {
        Some(against) => {
            check(IccCertificate::recover(certificate, IccKeyUse::PinEncipherment, &issuer, against))
        }
        None => Check::NotMade(NO_PAN),
    });
    if let Some(icc) = icc {
        bench.open(&DYNAMIC, &icc, &|signed| match &terminal_data {
            Some(data) => check(IccDynamicData::recover(signed.certificate, &[data], &icc)),
            None => Check::NotMade("--signed, the terminal's data, was not given"),
        });
    }
    Ok(bench.end(call, ca))
}

const NO_PAN: &str = "no PAN (5A or 57) was given";
const NO_STATIC_DATA: &str = "--static, the signed records, was not given";

fn check<T>(result: Result<T, CertificateError>) -> Check {
    match result {
        Ok(_) => Check::Passed,
        Err(cause) => Check::Failed(cause.to_string()),
    }
}

impl Bench<'_> {
    /// Opens an object, if it is there, tells its fields and what its check says, and
    /// gives the key in it.
    fn open(
        &mut self,
        signed: &Signed,
        key: &PublicKey,
        check: &dyn Fn(CertificateRef<'_>) -> Check,
    ) -> Option<PublicKey> {
        let certificate = signed.in_data(self.data)?;
        let mut steps = Steps::default();
        let dissection = Dissection::of(signed.object, certificate, key);
        let (is_opened, found) = match &dissection {
            Err(cause) => {
                steps.text("cannot be opened", cause);
                (false, None)
            }
            Ok(dissection) => {
                for field in &dissection.fields {
                    match field.name == APPLICATION_PAN && !self.unmask {
                        true => steps.text(field.name, masked(&field.value)),
                        false => steps.hex(field.name, &field.value),
                    }
                }
                (dissection.is_opened, dissection.key.clone())
            }
        };
        if let Some(found) = &found {
            steps.text("public key", format!("{} bytes", found.bytes().len()));
        }
        let says = match check(certificate) {
            Check::Passed => "passed".to_owned(),
            Check::NotMade(why) => format!("not made: {why}"),
            Check::Failed(why) => {
                self.all_passed = false;
                format!("failed: {why}")
            }
        };
        self.all_passed &= is_opened;
        if !is_opened {
            steps.text(
                "note",
                "header, trailer or format is another: another key signed it, or it is damaged",
            );
        }
        steps.text("check", &says);
        self.text.push_str(&format!("{}\n{}\n", signed.object, steps.columns(2)));
        self.objects.push(json!({
            "tag": signed.certificate.to_string(),
            "object": signed.object.to_string(),
            "opened": is_opened,
            "fields": steps.json(),
            "check": says,
        }));
        found
    }

    fn end(self, call: &mut Call<'_>, ca: &CaPublicKey) -> Exit {
        let provider = format!("{} index {:02X}", Hex(&ca.rid), ca.index);
        call.output.say(&format!("CA public key {provider}\n\n{}", self.text.trim_end_matches('\n')));
        call.output.say("\n");
        call.output.tell("ca_public_key", json!(provider));
        call.output.tell("objects", Value::Array(self.objects));
        if self.all_passed { Exit::Done } else { Exit::Declined }
    }
}

fn trust(call: &Call<'_>) -> Result<Trust, Failure> {
    let path = call.arguments.get_one::<PathBuf>("ca").cloned().unwrap_or_default();
    let text = read_text(&path).map_err(|cause| Failure::file("read", &path, cause))?;
    Trust::parse(&text).map_err(|cause| Failure::Trust { path, cause })
}

/// The CA key of provider, index and length; of several, the first that opens the certificate.
fn ca_key<'a>(call: &Call<'_>, trust: &'a Trust, data: &TlvStore) -> Result<&'a CaPublicKey, Failure> {
    let Some(certificate) = ISSUER.in_data(data) else {
        return Err(Failure::Usage(
            "expected an issuer public key certificate: --element 90=... or in --tlv".into(),
        ));
    };
    let of_card = |tag| data.value(tag).and_then(|aid: &[u8]| aid.first_chunk().copied());
    let rid: Option<[u8; 5]> =
        given::array(call, "rid")?.or_else(|| of_card(tag::DF_NAME)).or_else(|| of_card(tag::AID));
    let index: Option<[u8; 1]> = data.array(tag::CA_PUBLIC_KEY_INDEX_CARD);
    let fits = |key: &&CaPublicKey| {
        rid.is_none_or(|rid| rid == key.rid) && index.is_none_or(|[index]| index == key.index)
    };
    let opens = |key: &&CaPublicKey| {
        Dissection::of(Object::IssuerCertificate, certificate, &key.key).is_ok_and(|found| found.is_opened)
    };
    let same_length = |key: &&CaPublicKey| {
        key.key.suite() == Suite::Rsa && key.key.bytes().len() == certificate.certificate.len()
    };
    let keys = || trust.keys.iter().filter(fits);
    let key = keys().find(opens).or_else(|| keys().find(same_length)).or_else(|| keys().next());
    key.ok_or_else(|| {
        let asked = |name: &str, bytes: Option<&[u8]>| bytes.map(|bytes| format!(" {name} {}", Hex(bytes)));
        let rid = asked("provider", rid.as_ref().map(<[u8; 5]>::as_slice)).unwrap_or_default();
        let index = asked("index", index.as_ref().map(<[u8; 1]>::as_slice)).unwrap_or_default();
        Failure::Usage(format!("--ca: none of its {} keys has{rid}{index}", trust.keys.len()))
    })
}

fn masked(filled: &[u8]) -> String {
    Pan::from_bcd(filled).map_or_else(|_| "no PAN".to_owned(), |pan| pan.to_string())
}

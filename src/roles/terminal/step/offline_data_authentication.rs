//! Offline data authentication: EMV Book 3 10.3, Book 2 5 and 6; Book 4 6.3.2. The best
//! method that card and terminal share; a combined signature comes with GENERATE AC.

use super::read_application_data::{self, RecordsRead};
use crate::base::bytes::Bit;
use crate::base::context::Context;
use crate::base::event::Event;
use crate::roles::terminal::authentication::{Weakness, card_key, static_signature};
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::phase::{Next, Phase, Reply, step};
use crate::roles::terminal::session::Session;
use crate::words::dictionary::tag;
use crate::words::emv::certificate::{IccDynamicData, PublicKey};
use crate::words::emv::command::InternalAuthenticate;
use crate::words::emv::{Aip, TerminalCapabilities, Tsi, Tvr};
use crate::words::iso7816::ApduCommand;
use crate::words::tlv::Dol;

const STEP: &str = "Offline data authentication";
const CLAUSE: &str = "EMV Book 3 10.3";

/// Who signs what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Static,
    Dynamic,
    Combined,
}

/// A way to authenticate a card.
struct Method {
    kind: Kind,
    name: &'static str,
    offered: Bit<Aip>,
    supported: Bit<TerminalCapabilities>,
    failed: Bit<Tvr>,
}

const SDA: Method = Method {
    kind: Kind::Static,
    name: "SDA",
    offered: Aip::SDA_SUPPORTED,
    supported: TerminalCapabilities::SDA,
    failed: Tvr::SDA_FAILED,
};
const DDA: Method = Method {
    kind: Kind::Dynamic,
    name: "DDA",
    offered: Aip::DDA_SUPPORTED,
    supported: TerminalCapabilities::DDA,
    failed: Tvr::DDA_FAILED,
};
const CDA: Method = Method {
    kind: Kind::Combined,
    name: "CDA",
    offered: Aip::CDA_SUPPORTED,
    supported: TerminalCapabilities::CDA,
    failed: Tvr::CDA_FAILED,
};
/// The best first.
const METHODS: [Method; 3] = [CDA, DDA, SDA];

/// Authenticates the card as well as card and terminal can.
pub(in crate::roles::terminal) fn begin(
    mut read: RecordsRead,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    step(STEP, context);
    let aip = read.initiated.aip;
    let session = read.session();
    let chosen = METHODS.into_iter().find(|method| aip.has(method.offered) && session.can(method.supported));
    let Some(method) = chosen else {
        let causes = [tag::AIP, tag::TERMINAL_CAPABILITIES];
        let reason = "card (82) and terminal (9F33) have no method in common";
        session.find(Tvr::ODA_NOT_PERFORMED, CLAUSE, reason, &causes, context);
        return read_application_data::authenticated(read, context);
    };
    let reason = format!("{} is the best that card and terminal share", method.name);
    let causes = [tag::AIP, tag::TERMINAL_CAPABILITIES];
    session.tell("offline data authentication", CLAUSE, reason, &causes, context);
    match method.kind {
        Kind::Static => sda(read, context),
        kind => match card_key(&read.initiated.selected.session, &read.pan, &read.signed) {
            Err(weakness) => {
                fail(read.session(), &method, &weakness, context);
                read_application_data::authenticated(read, context)
            }
            Ok(key) if kind == Kind::Combined => {
                let reason = "the card's key is authentic; the cryptogram is to be signed with it";
                context.emit(Event::new("terminal", "CDA is asked for").clause(CLAUSE).because(reason));
                read.combined = Some(key);
                read_application_data::authenticated(read, context)
            }
            Ok(key) => dda(read, key, context),
        },
    }
}

fn sda(mut read: RecordsRead, context: &mut Context) -> Result<Next, TerminalError> {
    let reason = "SDA is the best that card and terminal share";
    read.session().find(Tvr::SDA_SELECTED, CLAUSE, reason, &[tag::AIP], context);
    match static_signature(&read.initiated.selected.session, &read.pan, &read.signed) {
        Ok(code) => {
            let session = read.session();
            session.store.put(tag::DATA_AUTHENTICATION_CODE, code);
            succeed(session, &SDA, "the issuer signed the static data", context);
        }
        Err(weakness) => fail(read.session(), &SDA, &weakness, context),
    }
    read_application_data::authenticated(read, context)
}

/// Asks the card to sign what the DDOL names: the card's, else the terminal's.
fn dda(mut read: RecordsRead, key: PublicKey, context: &mut Context) -> Result<Next, TerminalError> {
    let session = read.session();
    let own = session.store.value(tag::DDOL).map(<[u8]>::to_vec);
    let list = own.unwrap_or_else(|| session.terms.config.default_ddol.0.clone());
    let list = Dol::parse(&list).ok().filter(|list| list.asks_for(tag::UNPREDICTABLE_NUMBER));
    let Some(list) = list.filter(|list| list.data_length() <= 255) else {
        let weakness = Weakness::Conduct(
            "the DDOL (9F49) does not ask for the unpredictable number (9F37), or for more than a command \
             carries (EMV Book 2 6.5.1)",
        );
        fail(session, &DDA, &weakness, context);
        return read_application_data::authenticated(read, context);
    };
    let ask = InternalAuthenticate { ddol_data: session.assemble(&list) };
    Ok(Next::transmit(ask.to_apdu(), Authenticating { read, ask, key }))
}

/// Waits for the card's signature.
struct Authenticating {
    read: RecordsRead,
    ask: InternalAuthenticate,
    key: PublicKey,
}

impl Phase for Authenticating {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let Self { mut read, ask, key } = *self;
        // EMV Book 3 6.5.9.4: a refusal, or an answer without 9F4B, ends the transaction.
        let given = ask.answer(&reply.response(STEP)?)?;
        let session = read.session();
        match IccDynamicData::recover(given.signed(), &[&ask.ddol_data], &key) {
            Ok(dynamic) => {
                session.store.put(tag::ICC_DYNAMIC_NUMBER, dynamic.number);
                succeed(session, &DDA, "the card signed this terminal's data with its own key", context);
            }
            Err(error) => fail(session, &DDA, &error.into(), context),
        }
        read_application_data::authenticated(read, context)
    }
}

fn succeed(session: &mut Session, method: &Method, reason: &'static str, context: &mut Context) {
    session.performed(Tsi::ODA_PERFORMED, CLAUSE, method.name, context);
    session.signed_dynamically |= method.kind != Kind::Static;
    let what = format!("{} succeeded", method.name);
    context.emit(Event::new("terminal", what).clause(CLAUSE).because(reason));
}

fn fail(session: &mut Session, method: &Method, weakness: &Weakness, context: &mut Context) {
    session.performed(Tsi::ODA_PERFORMED, CLAUSE, method.name, context);
    if weakness.is_missing() {
        session.find(Tvr::ICC_DATA_MISSING, "EMV Book 3 7.5", weakness, &[], context);
    }
    session.find(method.failed, CLAUSE, weakness, &[tag::CA_PUBLIC_KEY_INDEX_CARD], context);
}

/// A combined signature was good.
pub(super) fn combined_succeeded(session: &mut Session, context: &mut Context) {
    succeed(session, &CDA, "the card signed its cryptogram and what was exchanged", context);
}

/// A combined signature was not good.
pub(in crate::roles::terminal) fn combined_failed(
    session: &mut Session,
    weakness: &Weakness,
    context: &mut Context,
) {
    fail(session, &CDA, weakness, context);
}

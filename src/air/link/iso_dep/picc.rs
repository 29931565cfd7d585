//! The card's side of ISO-DEP: activation of types A and B, and the block rules of ISO/IEC
//! 14443-4, 7.5.4. It takes frames and gives frames; who carries them is others' business.

use super::selection::{Selection, SelectionStep};
use crate::air::link::{Heard, Modulation, RfFrame};
use crate::base::context::Context;
use crate::words::iso14443::{
    ALL_REQ, Ats, Attrib, Block, Pps, Rats, SENS_REQ, SelRes, SensbReq, SensbRes, Uid, frame_size,
};

/// FSCI: frames of 256 bytes.
const FSCI: u8 = 8;
/// FWI: 0.6 s. EMV Contactless Book D lets a card have 38 ms (FWI 7), which a program on a
/// busy machine cannot keep.
const FWI: u8 = 11;
/// TA: 106 kbit/s only.
const ONLY_106: u8 = 0x80;
/// TC: CID is understood, NAD is not.
const TAKES_CID: u8 = 0x02;
/// Bit 1 of type B's second byte of protocol information: ISO/IEC 14443-4 is spoken.
const SPEAKS_ISO_DEP: u8 = 0x01;
/// FO: CID is understood.
const TAKES_CID_B: u8 = 0x01;
/// PCB and CRC, which go off a frame's length.
const OVERHEAD: usize = 3;
/// The longest command: an extended header, 65,535 bytes, and Le.
const LONGEST: usize = 65_544;
/// HLTB, which puts a card of type B to sleep, and its answer.
const SLPB_REQ: u8 = 0x50;
const SLPB_RES: u8 = 0x00;

/// Which type a card is, and its identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardKind {
    /// Type A.
    A(Uid),
    /// Type B, with its PUPI.
    B([u8; 4]),
}

impl CardKind {
    /// Type A with an identifier that is drawn.
    pub fn drawn_a(context: &mut Context) -> Self {
        Self::A(Uid::drawn(context.random()))
    }

    /// Type B with an identifier that is drawn.
    pub fn drawn_b(context: &mut Context) -> Self {
        Self::B(context.random())
    }
}

/// What a card tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PiccIdentity {
    /// Type and identifier.
    pub kind: CardKind,
    /// Historical bytes of type A; of type B the first four are its application data.
    pub historical: Vec<u8>,
}

/// What a frame comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PiccStep {
    /// Nothing is said.
    Silence,
    /// This is answered.
    Answer(RfFrame),
    /// This is answered, and the card has become active.
    Active(RfFrame),
    /// A whole command has come: [`Picc::answer`] wants the card's response.
    Command(Vec<u8>),
    /// This is answered, and the card is active no longer.
    Deselected(RfFrame),
    /// The card is active no longer: the field went off, or another activation has begun,
    /// which this answers.
    Lost(Option<RfFrame>),
}

/// A card on air.
#[derive(Debug)]
pub struct Picc {
    activation: Activation,
    talk: Option<Talk>,
}

/// How a card becomes active, by its type.
#[derive(Debug)]
enum Activation {
    A { selection: Selection, ats: Vec<u8> },
    B { response: SensbRes, is_asleep: bool },
}

/// A conversation with an active card.
#[derive(Debug)]
struct Talk {
    number: u8,
    cid: u8,
    /// The most bytes of data in a block.
    most: usize,
    /// The command's parts so far.
    received: Vec<u8>,
    /// What of the response is still to be sent.
    left: Vec<u8>,
    /// Whether the card is at work.
    is_asked: bool,
    /// What was said last, for a reader that did not hear it.
    last: Option<Block>,
}

impl Picc {
    /// A card that no field has reached yet.
    pub fn new(identity: &PiccIdentity) -> Self {
        match &identity.kind {
            CardKind::A(uid) => {
                let selection = Selection::new(uid.sens_res(), uid.levels(), SelRes::ISO_DEP);
                Self::with_selection(selection, identity.historical.clone())
            }
            CardKind::B(id) => {
                let mut application = [0; 4];
                application.iter_mut().zip(&identity.historical).for_each(|(to, from)| *to = *from);
                let protocol = [0x00, FSCI << 4 | SPEAKS_ISO_DEP, FWI << 4 | TAKES_CID_B];
                let response = SensbRes { id: *id, application, protocol };
                Self { activation: Activation::B { response, is_asleep: false }, talk: None }
            }
        }
    }

    /// A card of type A that is selected so, and has these historical bytes.
    pub fn with_selection(selection: Selection, historical: Vec<u8>) -> Self {
        let ats = Ats {
            fsci: Some(FSCI),
            rates: Some(ONLY_106),
            times: Some(FWI << 4),
            options: Some(TAKES_CID),
            historical,
        };
        Self { activation: Activation::A { selection, ats: ats.to_bytes() }, talk: None }
    }

    /// What is heard, and what it comes to.
    pub fn hear(&mut self, heard: &Heard) -> PiccStep {
        let frame = match heard {
            Heard::FieldOff => {
                self.activation.reset();
                return match self.talk.take() {
                    Some(_) => PiccStep::Lost(None),
                    None => PiccStep::Silence,
                };
            }
            Heard::Frame(frame) => frame,
        };
        if frame.modulation != self.activation.modulation() {
            return PiccStep::Silence;
        }
        let begins_anew =
            frame.modulation == Modulation::A106 && matches!(frame.bytes[..], [SENS_REQ | ALL_REQ]);
        match self.talk {
            // It comes to a card that a reader has left without a word.
            Some(_) if begins_anew => {
                self.talk = None;
                PiccStep::Lost(match self.activation.hear(&frame.bytes, &mut self.talk) {
                    PiccStep::Answer(answer) => Some(answer),
                    _ => None,
                })
            }
            Some(_) => self.talk(&frame.bytes),
            None => self.activation.hear(&frame.bytes, &mut self.talk),
        }
    }

    /// Answers the command that has come.
    pub fn answer(&mut self, response: &[u8]) -> Option<RfFrame> {
        let talk = self.talk.as_mut().filter(|talk| talk.is_asked)?;
        talk.is_asked = false;
        talk.left = response.to_vec();
        let block = talk.next_part();
        Some(self.say(block))
    }

    /// Asks the reader for more time, so often the waiting time (1 to 59), while the card is
    /// at work.
    pub fn ask_for_time(&mut self, multiplier: u8) -> Option<RfFrame> {
        self.talk.as_ref().filter(|talk| talk.is_asked)?;
        Some(self.say(Block::WaitingTimeExtension { cid: None, multiplier }))
    }

    /// Whether a reader has activated it.
    pub fn is_active(&self) -> bool {
        self.talk.is_some()
    }

    /// The rules by their letters are those of 7.5.4.
    fn talk(&mut self, frame: &[u8]) -> PiccStep {
        let Some(talk) = &mut self.talk else { return PiccStep::Silence };
        if let Ok(pps) = Pps::parse(frame)
            && talk.last.is_none()
        {
            return PiccStep::Answer(self.activation.frame(pps.answer()));
        }
        // What is no block is not answered: the reader asks again.
        let Ok(block) = Block::parse(frame) else { return PiccStep::Silence };
        if block.cid().unwrap_or(0) != talk.cid {
            return PiccStep::Silence;
        }
        match block {
            Block::Information { more, data, .. } => {
                // D: whatever its number is.
                talk.number ^= 1;
                talk.received.extend(data);
                // What never ends is no command.
                if talk.received.len() > LONGEST {
                    talk.received.clear();
                    return PiccStep::Silence;
                }
                if more {
                    let answer = Block::ack(talk.number);
                    return PiccStep::Answer(self.say(answer));
                }
                talk.is_asked = true;
                PiccStep::Command(std::mem::take(&mut talk.received))
            }
            Block::Acknowledge { number, .. } if number == talk.number => match talk.last.clone() {
                // 11: it did not hear the last one. A card at work has said nothing yet.
                Some(last) if !talk.is_asked => PiccStep::Answer(self.say(last)),
                _ => PiccStep::Silence,
            },
            // 12.
            Block::Acknowledge { is_positive: false, .. } => {
                let answer = Block::ack(talk.number);
                PiccStep::Answer(self.frame_of(&answer))
            }
            // E and 13.
            Block::Acknowledge { .. } if !talk.left.is_empty() => {
                talk.number ^= 1;
                let block = talk.next_part();
                PiccStep::Answer(self.say(block))
            }
            Block::Acknowledge { .. } | Block::WaitingTimeExtension { .. } => PiccStep::Silence,
            Block::Deselect { .. } => {
                let answer = self.frame_of(&Block::Deselect { cid: None });
                self.talk = None;
                self.activation.sleep();
                PiccStep::Deselected(answer)
            }
        }
    }

    fn say(&mut self, block: Block) -> RfFrame {
        let frame = self.frame_of(&block);
        if let Some(talk) = &mut self.talk {
            talk.last = Some(block);
        }
        frame
    }

    fn frame_of(&self, block: &Block) -> RfFrame {
        let cid = self.talk.as_ref().map(|talk| talk.cid).filter(|cid| *cid != 0);
        self.activation.frame(block.clone().with_cid(cid).to_bytes())
    }
}

impl Activation {
    fn modulation(&self) -> Modulation {
        match self {
            Self::A { .. } => Modulation::A106,
            Self::B { .. } => Modulation::B106,
        }
    }

    /// The field went off.
    fn reset(&mut self) {
        match self {
            Self::A { selection, .. } => selection.reset(),
            Self::B { is_asleep, .. } => *is_asleep = false,
        }
    }

    /// The card was deselected.
    fn sleep(&mut self) {
        match self {
            Self::A { selection, .. } => selection.sleep(),
            Self::B { is_asleep, .. } => *is_asleep = true,
        }
    }

    /// What a frame comes to; `talk` is there once the card is active.
    fn hear(&mut self, frame: &[u8], talk: &mut Option<Talk>) -> PiccStep {
        match self {
            Self::A { selection, ats } => match selection.hear(frame) {
                SelectionStep::Silence => PiccStep::Silence,
                SelectionStep::Answer(answer) => PiccStep::Answer(self.frame(answer)),
                SelectionStep::Beyond => match Rats::parse(frame) {
                    Ok(rats) => {
                        *talk = Some(Talk::new(frame_size(rats.fsdi), rats.cid));
                        let ats = ats.clone();
                        PiccStep::Active(self.frame(ats))
                    }
                    Err(_) => PiccStep::Silence,
                },
            },
            Self::B { response, is_asleep } => {
                if let Ok(request) = SensbReq::parse(frame) {
                    if *is_asleep && !request.wakes() {
                        return PiccStep::Silence;
                    }
                    *is_asleep = false;
                    let response = response.to_bytes().to_vec();
                    return PiccStep::Answer(self.frame(response));
                }
                if frame.strip_prefix(&[SLPB_REQ]) == Some(&response.id) {
                    *is_asleep = true;
                    return PiccStep::Answer(self.frame(vec![SLPB_RES]));
                }
                match Attrib::parse(frame) {
                    Ok(attrib) if attrib.id == response.id && !*is_asleep => {
                        *talk = Some(Talk::new(frame_size(attrib.fsdi), attrib.cid));
                        PiccStep::Active(self.frame(vec![attrib.cid]))
                    }
                    _ => PiccStep::Silence,
                }
            }
        }
    }

    fn frame(&self, bytes: Vec<u8>) -> RfFrame {
        RfFrame { modulation: self.modulation(), bytes }
    }
}

impl Talk {
    fn new(reader_takes: usize, cid: u8) -> Self {
        let most = reader_takes - OVERHEAD - usize::from(cid != 0);
        // C: the number is 1 at first.
        Self { number: 1, cid, most, received: Vec::new(), left: Vec::new(), is_asked: false, last: None }
    }

    fn next_part(&mut self) -> Block {
        let rest = self.left.split_off(self.left.len().min(self.most));
        let part = std::mem::replace(&mut self.left, rest);
        Block::information(self.number, !self.left.is_empty(), part)
    }
}

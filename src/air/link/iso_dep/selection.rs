//! A card or target of type A from its sleep to its selection (ISO/IEC 14443-3, 6.3): what
//! it answers, and when it is silent. What comes after the selection is others' business.

use crate::air::link::{Modulation, RfFrame, Technology};
use crate::words::iso14443::{ALL_REQ, NVB_ALL, NVB_NONE, SEL, SENS_REQ, SLP_REQ, SelRes};

/// SENSF_REQ (JIS X 6319-4, polling): its length byte and its code.
const SENSF_REQ_BYTES: u8 = 6;
const SENSF_REQ: u8 = 0x00;

/// What a frame comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectionStep {
    /// Nothing is said.
    Silence,
    /// This is answered.
    Answer(Vec<u8>),
    /// The card is selected, and the frame is none of the selection's.
    Beyond,
}

/// The state of a card of type A.
#[derive(Debug, Clone)]
pub struct Selection {
    sens_res: [u8; 2],
    levels: Vec<[u8; 5]>,
    sel_res: SelRes,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The field has just come on, or the selection went wrong.
    Idle,
    /// It was put to sleep: SENS_REQ does not wake it.
    Asleep,
    /// This level of its identifier is asked for.
    Ready(usize),
    Selected,
}

impl Selection {
    /// A card of these answers: SENS_RES least significant byte first, the levels of its
    /// identifier, SEL_RES of the last level.
    pub fn new(sens_res: [u8; 2], levels: Vec<[u8; 5]>, sel_res: SelRes) -> Self {
        Self { sens_res, levels, sel_res, state: State::Idle }
    }

    /// The field went off, or the card lost its selection.
    pub fn reset(&mut self) {
        self.state = State::Idle;
    }

    /// The card was deselected.
    pub fn sleep(&mut self) {
        self.state = State::Asleep;
    }

    /// What a frame comes to.
    pub fn hear(&mut self, frame: &[u8]) -> SelectionStep {
        match (self.state, frame) {
            (_, [ALL_REQ]) => self.wake(),
            (State::Asleep, _) => SelectionStep::Silence,
            (_, [SENS_REQ]) => self.wake(),
            (State::Ready(_) | State::Selected, frame) if frame == SLP_REQ => {
                self.sleep();
                SelectionStep::Silence
            }
            (State::Ready(level), [command, NVB_NONE]) if SEL.get(level) == Some(command) => {
                SelectionStep::Answer(self.levels[level].to_vec())
            }
            (State::Ready(level), [command, NVB_ALL, id @ ..])
                if SEL.get(level) == Some(command) && *id == self.levels[level] =>
            {
                let goes_on = level + 1 < self.levels.len();
                self.state = if goes_on { State::Ready(level + 1) } else { State::Selected };
                let answer = if goes_on { SelRes::CASCADE } else { self.sel_res };
                SelectionStep::Answer(vec![answer.0])
            }
            (State::Selected, _) => SelectionStep::Beyond,
            (State::Idle, _) => SelectionStep::Silence,
            (State::Ready(_), _) => {
                self.reset();
                SelectionStep::Silence
            }
        }
    }

    /// What a frame comes to for a device that may be found in type F too, by this SENSF_RES
    /// (behind its length byte). Other frames of type F are beyond any selection.
    pub fn hear_in(&mut self, frame: &RfFrame, sensf_res: Option<&[u8]>) -> SelectionStep {
        match (frame.modulation.technology, &frame.bytes[..]) {
            _ if frame.modulation == Modulation::A106 => self.hear(&frame.bytes),
            (Technology::F, [SENSF_REQ_BYTES, SENSF_REQ, ..]) => match sensf_res {
                Some(response) => SelectionStep::Answer([&[response.len() as u8 + 1], response].concat()),
                None => SelectionStep::Silence,
            },
            (Technology::F, _) => SelectionStep::Beyond,
            _ => SelectionStep::Silence,
        }
    }

    fn wake(&mut self) -> SelectionStep {
        self.state = State::Ready(0);
        SelectionStep::Answer(self.sens_res.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::SelectionStep::{Answer, Beyond, Silence};
    use super::*;
    use crate::words::iso14443::Uid;

    #[test]
    fn a_card_with_seven_bytes_is_selected_in_two_levels_and_sleeps() {
        let uid = Uid::new([1, 2, 3, 4, 5, 6, 7]).unwrap();
        let mut card = Selection::new(uid.sens_res(), uid.levels(), SelRes::ISO_DEP);
        assert_eq!(card.hear(&[0xE0, 0x80]), Silence);
        assert_eq!(card.hear(&[0x26]), Answer(vec![0x44, 0x00]));
        assert_eq!(card.hear(&[0x93, 0x20]), Answer(vec![0x88, 1, 2, 3, 0x88]));
        assert_eq!(card.hear(&[0x93, 0x70, 0x88, 1, 2, 3, 0x88]), Answer(vec![0x04]));
        assert_eq!(card.hear(&[0x95, 0x20]), Answer(vec![4, 5, 6, 7, 0]));
        assert_eq!(card.hear(&[0x95, 0x70, 4, 5, 6, 7, 0]), Answer(vec![0x20]));
        assert_eq!(card.hear(&[0xE0, 0x80]), Beyond);
        assert_eq!(card.hear(&[0x50, 0x00]), Silence);
        assert_eq!(card.hear(&[0x26]), Silence, "it sleeps");
        assert_eq!(card.hear(&[0x52]), Answer(vec![0x44, 0x00]));
        assert_eq!(card.hear(&[0x93, 0x70, 9, 9, 9, 9, 0]), Silence, "another card is meant");
        assert_eq!(card.hear(&[0x93, 0x20]), Silence);
    }
}

//! A simulated card as one end of an air: a reader's frames go in, the card's come back. It is
//! in this process, so that the answer is there as soon as the question is asked.

use super::Simulated;
use super::serve::refuse_recording;
use crate::air::link::iso_dep::{CardKind, Picc, PiccIdentity, PiccStep};
use crate::air::link::{Air, Heard, Interface, LinkError, RfFrame};
use crate::base::context::Context;
use crate::base::env::Timestamp;
use crate::base::event::Event;
use crate::words::iso7816::Atr;
use std::time::Duration;

/// A card before a reader, as the reader's air.
pub struct CardInField {
    card: Box<dyn Simulated>,
    picc: Picc,
    place: String,
    heard: Option<Heard>,
    stay: Option<Duration>,
    /// When it was found first.
    found: Option<Timestamp>,
}

impl CardInField {
    /// Puts a card before a reader. `kind` is its type and identifier; its historical bytes are
    /// those of its answer to reset.
    ///
    /// # Errors
    /// It is a recording, which is not served on radio.
    pub fn new(
        mut card: Box<dyn Simulated>,
        kind: CardKind,
        context: &mut Context,
    ) -> Result<Self, LinkError> {
        refuse_recording(card.as_ref())?;
        let atr = card.power_on(Interface::Contactless, context);
        card.power_off();
        let historical = Atr::parse(&atr).map(|atr| atr.historical().to_vec()).unwrap_or_default();
        let picc = Picc::new(&PiccIdentity { kind, historical });
        let place = card.place();
        Ok(Self { card, picc, place, heard: None, stay: None, found: None })
    }

    /// The same card, taken away so long after it was found first.
    #[must_use]
    pub fn staying(self, stay: Duration) -> Self {
        Self { stay: Some(stay), ..self }
    }

    fn is_away(&self, context: &Context) -> bool {
        match (self.found, self.stay) {
            (Some(found), Some(stay)) => context.now() > found.plus(stay),
            _ => false,
        }
    }

    fn hear(&mut self, heard: &Heard, context: &mut Context) -> Option<RfFrame> {
        match self.picc.hear(heard) {
            PiccStep::Silence => None,
            PiccStep::Answer(frame) => Some(frame),
            PiccStep::Active(frame) => {
                self.found.get_or_insert_with(|| context.now());
                self.card.power_on(Interface::Contactless, context);
                Some(frame)
            }
            PiccStep::Command(command) => match self.card.process(&command, context) {
                Ok(answer) => self.picc.answer(&answer),
                Err(error) => {
                    // A card whose memory fails falls silent.
                    context.emit(Event::new("card", "silent").because(error.to_string()));
                    None
                }
            },
            PiccStep::Deselected(frame) => {
                self.card.power_off();
                Some(frame)
            }
            PiccStep::Lost(frame) => {
                self.card.power_off();
                frame
            }
        }
    }
}

impl Air for CardInField {
    fn place(&self) -> &str {
        &self.place
    }

    fn send(&mut self, frame: &RfFrame, context: &mut Context) -> Result<(), LinkError> {
        self.heard = None;
        if self.is_away(context) {
            return self.field_off(context);
        }
        self.heard = self.hear(&Heard::Frame(frame.clone()), context).map(Heard::Frame);
        Ok(())
    }

    fn receive(&mut self, _: Duration, _: &mut Context) -> Result<Option<Heard>, LinkError> {
        Ok(self.heard.take())
    }

    fn field_off(&mut self, context: &mut Context) -> Result<(), LinkError> {
        self.heard = self.hear(&Heard::FieldOff, context).map(Heard::Frame);
        Ok(())
    }
}

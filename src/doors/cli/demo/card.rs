//! A card, an issuer, a load and a payment.

use super::shared::ledger::{Ledger, succeeded};
use super::shared::teller::Teller;
use crate::air::link::{Interface, ReaderOptions};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::folder::make_folder;
use crate::doors::cli::shared::recording::Recording;
use crate::observers::report::{
    card_facts_json, card_facts_text, outcome_json, outcome_text, recovery_json, recovery_text,
};
use crate::roles::card::CardFile;
use crate::roles::issuer::Issuer;
use crate::roles::terminal::journal::Journal;
use crate::roles::terminal::{Depth, Flow, TerminalConfig};
use crate::words::iso4217::{Amount, Currency};
use crate::words::iso7816::Effect;
use crate::world::{
    CardName, DEFAULT_PIN, NewCard, Permit, ReaderAddress, Stage, StoreAddress, issue_card, load_profile,
    open_books, open_card, open_journal, seal_key,
};
use serde_json::json;
use std::path::{Path, PathBuf};

const CNY: Currency = Currency::CNY;
const ACCOUNT: Amount = Amount::new(50_000, CNY);
const LOAD: Amount = Amount::new(5_000, CNY);
const PAYMENT: Amount = Amount::new(1_250, CNY);

/// Tells it.
pub(super) fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let config = call.switches.config()?;
    let folder = make_folder("demo")?;
    let trace = call.switches.save.clone().unwrap_or_else(|| folder.join("demo.cwt"));
    let recording = Recording::at(trace.clone())?;
    let context = call.switches.context(recording.clone());
    let mut demo =
        Demo { teller: Teller::new(call), folder, config, context, recording, ledger: Ledger::default() };
    demo.tell(&trace)?;
    demo.recording.check()?;
    Ok(Exit::Done)
}

/// Everything that lasts from chapter to chapter; the card goes in and out of the reader.
struct Demo<'a, 'b> {
    teller: Teller<'a, 'b>,
    folder: PathBuf,
    config: TerminalConfig,
    context: Context,
    recording: Recording,
    ledger: Ledger,
}

impl Demo<'_, '_> {
    fn tell(&mut self, trace: &Path) -> Result<(), Failure> {
        let store = StoreAddress::Sqlite(self.folder.join("cardwright.db"));
        let mut issuer = open_books(&store, None, &mut self.context)?;
        let journal = open_journal(Some(&self.folder.join("terminal")), &mut self.context)?;
        let account = issuer.open_account(None, ACCOUNT, "Test Holder", &mut self.context)?;
        self.make_card(&mut issuer, vec![(CNY, account)])?;

        self.teller.paragraph(
            "A bank, a card and a shop, all simulated; the cryptography, the ledger and the files are real.",
        );
        self.teller.chapter("The card");
        self.teller.paragraph(
            "The bank has opened an account and issued an electronic cash card for it. The card lies on a \
             contactless reader, which asks what it is and spends nothing by asking.",
        );
        let mut stage = self.seat(issuer, journal, Interface::Contactless)?;
        let facts = stage.read(Depth::Quick, &mut self.context)?;
        self.teller.evidence(&card_facts_text(&facts, self.teller.call.switches.unmask));
        self.teller.tell("card_before", card_facts_json(&facts, self.teller.call.switches.unmask));
        self.note_position("before", &mut stage)?;

        self.teller.chapter(&format!("A circle load (圈存) of {LOAD}"));
        self.teller.paragraph(
            "The card goes into a contact reader and its holder enters the PIN. The card makes a request \
             cryptogram; the bank checks it, takes the money from the account, and answers with proof of \
             itself and a script that only this card accepts. The card takes the new balance, and the \
             terminal tells the bank that it did.",
        );
        let mut stage = self.change_reader(stage, Interface::Contact)?;
        self.transact("load", Flow::Load, LOAD, &mut stage)?;
        self.note_position("after the load", &mut stage)?;

        self.teller.chapter(&format!("A payment of {PAYMENT} by tap"));
        self.teller.paragraph(
            "In the shop the card touches a reader that is not connected to anything. It decides by \
             itself, pays, and leaves a certificate: the money is now in flight.",
        );
        let mut stage = self.change_reader(stage, Interface::Contactless)?;
        self.transact("payment", Flow::Pay, PAYMENT, &mut stage)?;
        self.note_position("after the payment", &mut stage)?;

        self.teller.chapter("The upload");
        self.teller.paragraph(
            "In the evening the shop uploads the sale. The bank checks the card's certificate and pays the \
             merchant.",
        );
        let recovered = stage.recover(&mut self.context)?;
        self.teller.evidence(&recovery_text(&recovered));
        self.teller.tell("upload", recovery_json(&recovered));
        if recovered.rows.is_empty() || recovered.due().next().is_some() {
            return Err(Failure::Invariant("the sale was not settled by its upload".into()));
        }
        self.note_position("after the upload", &mut stage)?;

        self.teller.chapter("The card now");
        let facts = stage.read(Depth::Quick, &mut self.context)?;
        self.teller.evidence(&card_facts_text(&facts, self.teller.call.switches.unmask));
        self.teller.tell("card_after", card_facts_json(&facts, self.teller.call.switches.unmask));
        stage.check(&mut self.context)?;

        self.teller.chapter("Where the money was");
        self.ledger.tell(&mut self.teller);
        self.teller.paragraph("The sum never changed: no money was made, and none was lost.");
        self.tell_files(trace);
        Ok(())
    }

    fn make_card(
        &mut self,
        issuer: &mut Issuer,
        accounts: Vec<(Currency, crate::roles::issuer::AccountId)>,
    ) -> Result<(), Failure> {
        let profile = load_profile(&CardName::Profile("ecash".into()))?;
        let new = NewCard { profile, pin: Secret::new(DEFAULT_PIN.into()), balance_minor: 0, accounts };
        let memory = issue_card(issuer, &new, &mut self.context)?;
        let path = self.card_path();
        let seal = seal_key(None, Some(&path), &mut self.context)?;
        CardFile::create(&path, seal, &memory, &mut self.context)?;
        Ok(())
    }

    /// Puts the card on a reader.
    fn seat(&mut self, mut issuer: Issuer, journal: Journal, over: Interface) -> Result<Stage, Failure> {
        let path = self.card_path();
        let opened = open_card(
            &ReaderAddress::Simulated(CardName::File(path.clone())),
            None,
            over,
            Permit { wants: Effect::Changes, allowed: Effect::Reads },
            ReaderOptions::default(),
            |context: &mut Context| seal_key(None, Some(&path), context),
            &mut issuer,
            &self.config,
            &mut self.context,
        )?;
        self.recording.begin(Some(opened.card.activation()), &self.teller.call.switches, &self.context)?;
        Ok(Stage::new(opened.card, issuer, journal, self.config.clone())?)
    }

    /// Takes the card from one reader to another.
    fn change_reader(&mut self, stage: Stage, over: Interface) -> Result<Stage, Failure> {
        let Stage { card, issuer, journal, .. } = stage;
        drop(card);
        self.seat(issuer, journal, over)
    }

    fn transact(&mut self, name: &str, flow: Flow, amount: Amount, stage: &mut Stage) -> Result<(), Failure> {
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let (_, outcome) = stage.transact(flow, amount, &mut pin, &mut self.context)?;
        self.teller.evidence(&outcome_text(&outcome, self.teller.call.switches.unmask));
        self.teller.tell(name, outcome_json(&outcome, self.teller.call.switches.unmask));
        succeeded(name, &outcome)
    }

    /// Looks where the money is; a sum that has changed ends the story.
    fn note_position(&mut self, when: &'static str, stage: &mut Stage) -> Result<(), Failure> {
        let position = stage.position(CNY, &mut self.context)?;
        self.ledger.note(when, position, &mut self.teller)
    }

    fn tell_files(&mut self, trace: &Path) {
        let card = self.card_path().display().to_string();
        let store = self.folder.join("cardwright.db").display().to_string();
        let masked = if self.teller.call.switches.unmask { "" } else { ", masked" };
        self.teller.say(&format!("\nThe conversation is saved{masked}: {}\n", trace.display()));
        self.teller.say(&format!("The card and the books are kept:  {}\n", self.folder.display()));
        self.teller.say("Go on with them:\n");
        self.teller.say(&format!("  cardwright read --reader sim:{card}\n"));
        self.teller.say(&format!("  cardwright pay 3.00 --reader sim:{card} --store sqlite:{store}\n"));
        self.teller.tell("trace", json!(trace.display().to_string()));
        self.teller.tell("folder", json!(self.folder.display().to_string()));
    }

    fn card_path(&self) -> PathBuf {
        self.folder.join("demo.card")
    }
}

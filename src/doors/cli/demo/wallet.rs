//! A phone: a card becomes a token in it, a tap, the life of the token, an e-cash account.

use super::shared::ledger::{Ledger, succeeded};
use super::shared::teller::Teller;
use crate::air::host::{CodeCheck, CodeSent, Eligibility, Holder, KeyKind, Party, TokenVerb};
use crate::air::link::{InProcess, Interface, Record, T0};
use crate::base::bytes::Secret;
use crate::base::context::Context;
use crate::devices::wallet::{Added, Applicant, DirectWire, NewToken, Provisioning, TokenCard, Wallet, life};
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::{Exit, Failure};
use crate::doors::cli::shared::folder::make_folder;
use crate::doors::cli::shared::recording::Recording;
use crate::observers::report::{outcome_json, outcome_text};
use crate::roles::card::CardMemory;
use crate::roles::issuer::{AccountId, Issuer};
use crate::roles::terminal::journal::Journal;
use crate::roles::terminal::{Flow, Outcome, TerminalConfig};
use crate::roles::token::{TokenRules, Tokens};
use crate::words::iso4217::{Amount, Currency};
use crate::words::pboc::EcashSet;
use crate::world::wallet::{
    NewEcash, begin_closing, close_ecash, make_wallet_folder, new_wallet, open_ecash, wallet_file,
};
use crate::world::{
    CardName, DEFAULT_PIN, FormerCard, NewCard, Position, Stage, StoreAddress, issue_card, load_profile,
    open_books, open_journal, open_tokens, replace_card, seal_key, token_host,
};
use serde_json::json;
use std::path::PathBuf;

const CNY: Currency = Currency::CNY;
const ACCOUNT: Amount = Amount::new(50_000, CNY);
const TAP: Amount = Amount::new(3_000, CNY);
const LOAD: Amount = Amount::new(5_000, CNY);
const BUS: Amount = Amount::new(1_250, CNY);

/// Tells it.
pub(super) fn run(call: &mut Call<'_>) -> Result<Exit, Failure> {
    let folder = make_folder("demo")?;
    let trace = call.switches.save.clone().unwrap_or_else(|| folder.join("demo.cwt"));
    let recording = Recording::at(trace.clone())?;
    let mut context = call.switches.context(recording.clone());
    let store = StoreAddress::Sqlite(folder.join("cardwright.db"));
    let mut issuer = open_books(&store, None, &mut context)?;
    let account = issuer.open_account(Some("A1"), ACCOUNT, "Test Holder", &mut context)?;
    let profile = load_profile(&CardName::Profile("debit".into()))?;
    let accounts = vec![(CNY, account.clone())];
    let pin = Secret::new(DEFAULT_PIN.to_owned());
    let card = NewCard { profile, pin, balance_minor: 0, accounts };
    let memory = issue_card(&mut issuer, &card, &mut context)?;
    issuer.set_account_holder(&account, &holder(), &mut context)?;
    let phone = folder.join("phone");
    make_wallet_folder(&phone)?;
    let seal = seal_key(None, Some(&wallet_file(&phone)), &mut context)?;
    let demo = Demo {
        wallet: new_wallet(&phone, seal, &mut context)?,
        service: open_tokens(&store, None, None, TokenRules::default(), &mut context)?,
        journal: Some(open_journal(Some(&folder.join("terminal")), &mut context)?),
        config: call.switches.config()?,
        ledger: Ledger::default(),
        teller: Teller::new(call),
        folder,
        store,
        issuer,
        account,
        card,
        physical: physical(&memory)?,
        context,
        recording,
    };
    demo.tell()
}

/// Everyone and everything that lasts from chapter to chapter.
struct Demo<'a, 'b> {
    teller: Teller<'a, 'b>,
    folder: PathBuf,
    store: StoreAddress,
    issuer: Issuer,
    account: AccountId,
    card: NewCard,
    physical: FormerCard,
    wallet: Wallet,
    service: Tokens,
    journal: Option<Journal>,
    config: TerminalConfig,
    context: Context,
    recording: Recording,
    ledger: Ledger,
}

/// The person whose phone it is.
struct Person {
    code: Option<Secret<String>>,
}

impl Applicant for Person {
    fn accepts(&mut self, _: &Eligibility) -> bool {
        true
    }

    fn holder(&mut self) -> Option<Holder> {
        Some(holder())
    }

    fn code(&mut self, _: Option<&CodeSent>) -> Option<Secret<String>> {
        self.code.take()
    }

    fn hears(&mut self, _: CodeCheck) {}
}

fn holder() -> Holder {
    let text = |text: &str| Secret::new(text.to_owned());
    Holder { name: text("Test Holder"), identity_number: text("TEST-000001"), phone: text("13900000001") }
}

impl Demo<'_, '_> {
    fn tell(mut self) -> Result<Exit, Failure> {
        self.teller.paragraph(
            "A bank, its customer's phone and a shop, all simulated; the cryptography, the ledger and the \
             files are real.",
        );
        self.note("before")?;
        let token = self.add()?;
        self.pay_by_token(&token)?;
        self.suspend(&token)?;
        self.ecash()?;
        self.replace()?;
        self.lose()?;
        self.teller.chapter("Where the money was");
        self.ledger.tell(&mut self.teller);
        self.teller.paragraph("The sum never changed: no money was made, and none was lost.");
        let violations = self.issuer.check(&mut self.context)?;
        if let Some(violation) = violations.first() {
            return Err(Failure::Invariant(violation.to_string()));
        }
        let folder = self.folder.display().to_string();
        self.teller.say(&format!("\nThe phone, the books and the conversation are kept: {folder}\n"));
        self.teller.tell("folder", json!(folder));
        self.recording.check()?;
        Ok(Exit::Done)
    }

    fn add(&mut self) -> Result<TokenCard, Failure> {
        self.teller.chapter("A card goes into the phone");
        self.teller.paragraph(
            "The phone asks the token service whether the card may go in. The holder accepts the terms and \
             says who they are; the bank compares name, identity number, card and phone. The card is bound \
             to nobody yet, so the decision is yellow: the bank sends a code to the phone that it knows.",
        );
        let waits = self.add_with(None)?;
        let Added::Waits { what, .. } = waits else { return Err(unexpected("adding the card", &waits)) };
        self.teller.evidence(&format!("the phone waits for {what}"));
        self.teller.say("\n");
        self.teller.paragraph(
            "The code comes back right. The service makes a token, a number of its own that stands for the \
             card; the bureau prepares the token's card, and the phone's secure element takes it over a \
             secure channel, all of it or nothing. Only then is the token active.",
        );
        let code = self.issuer.code_on_phone(&self.physical.pan, &mut self.context)?;
        let added = self.add_with(code)?;
        let Added::Active(token) = added else { return Err(unexpected("adding the card", &added)) };
        self.teller.evidence(&format!(
            "{}: token ***{} stands for the card ***{}",
            token.name, token.token_last_four, token.last_four
        ));
        Ok(token)
    }

    fn add_with(&mut self, code: Option<Secret<String>>) -> Result<Added, Failure> {
        let new = NewToken { name: None, pan: self.physical.pan.clone(), keys: KeyKind::SecureElement };
        let mut provisioning = Provisioning {
            wallet: &mut self.wallet,
            service: &mut self.service,
            applicant: &mut Person { code },
            wire: &mut DirectWire,
        };
        Ok(provisioning.add(&new, &mut self.context)?)
    }

    fn pay_by_token(&mut self, token: &TokenCard) -> Result<(), Failure> {
        self.teller.chapter(&format!("A tap of {TAP}"));
        self.teller.paragraph(
            "The shop's terminal meets an ordinary card. The token service in front of the bank checks the \
             cryptogram and where the token may pay, puts the card's number in its place, and the bank \
             takes the money from the account. The shop never sees the card's number.",
        );
        let outcome = self.transact("tap", &token.name, Flow::Pay, TAP, Interface::Contactless)?;
        succeeded("tap", &outcome)?;
        self.note("after the tap")
    }

    fn suspend(&mut self, token: &TokenCard) -> Result<(), Failure> {
        self.teller.chapter("The token is suspended, and resumed");
        let by = Party::Wallet(Wallet::requestor());
        self.change(token, TokenVerb::Suspend, &by)?;
        self.teller.say("\n");
        self.teller.paragraph("Suspended, it does not answer; and were it to, the service would decline it.");
        self.change(token, TokenVerb::Resume, &by)?;
        let outcome = self.transact("tap_again", &token.name, Flow::Pay, BUS, Interface::Contactless)?;
        succeeded("tap after the token was resumed", &outcome)?;
        self.note("after the second tap")
    }

    fn ecash(&mut self) -> Result<(), Failure> {
        self.teller.chapter("A small e-cash account");
        self.teller.paragraph(&format!(
            "The phone opens an e-cash account behind the same account, loads {LOAD}, pays {BUS} on a bus \
             that is not connected to anything, and closes it: the rest goes back, and nothing is left."
        ));
        let pin = Secret::new(DEFAULT_PIN.to_owned());
        let new = NewEcash { name: None, account: self.account.clone(), pin };
        let name = open_ecash(&mut self.wallet, &mut self.issuer, &new, &mut self.context)?;
        let outcome = self.transact("load", &name, Flow::Load, LOAD, Interface::Contact)?;
        succeeded("load", &outcome)?;
        self.note("after the load")?;
        let outcome = self.transact("bus", &name, Flow::Pay, BUS, Interface::Contactless)?;
        succeeded("bus", &outcome)?;
        self.note("after the bus")?;
        begin_closing(&mut self.wallet, None, Some(&name), &mut self.context)?;
        let mut stage = self.seat(&name, Interface::Contact)?;
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let closed = close_ecash(&mut self.wallet, &name, &mut stage, &mut pin, &mut self.context);
        self.journal = Some(stage.journal);
        if let Some(reason) = closed?.waits_for {
            return Err(Failure::Invariant(format!(
                "the e-cash account of the demo does not close: {reason}"
            )));
        }
        self.teller.evidence(&format!("{name} is closed: nothing of it is left in the phone"));
        self.note("after the closing")
    }

    fn replace(&mut self) -> Result<(), Failure> {
        self.teller.chapter("The card is replaced");
        self.teller.paragraph(
            "The bank gives out another card with another number. The token stays, and now stands for the \
             new card; the phone takes the new card's last digits, which receipts show.",
        );
        let memory = replace_card(None, &mut self.issuer, &self.physical, &self.card, &mut self.context)?;
        life::card_changed(
            &mut self.wallet,
            &mut self.service,
            &self.physical.pan,
            &Party::Issuer,
            &mut DirectWire,
            &mut self.context,
        )?;
        self.physical = physical(&memory)?;
        let name = self.wallet.card(None)?.name;
        let token = self.wallet.token(Some(&name))?;
        self.teller.evidence(&format!(
            "{name}: token ***{} stands for the card ***{}",
            token.token_last_four, token.last_four
        ));
        let outcome = self.transact("tap_by_moved_token", &name, Flow::Pay, BUS, Interface::Contactless)?;
        succeeded("tap by the token that moved", &outcome)?;
        self.note("after the third tap")
    }

    fn lose(&mut self) -> Result<(), Failure> {
        self.teller.chapter("The phone is lost");
        let views = life::lost_device(
            &mut self.wallet,
            &mut self.service,
            &Party::Wallet(Wallet::requestor()),
            &mut self.context,
        )?;
        let told: Vec<String> =
            views.iter().map(|view| format!("token ***{}: {}", view.token_last_four, view.state)).collect();
        self.teller.evidence(&told.join("\n"));
        self.teller.say("\n");
        self.teller.paragraph("Only the bank lets it pay again.");
        Ok(())
    }

    fn change(&mut self, token: &TokenCard, verb: TokenVerb, by: &Party) -> Result<(), Failure> {
        let name = Some(token.name.as_str());
        let view = life::change(&mut self.wallet, &mut self.service, name, verb, by, &mut self.context)?;
        if let Some(view) = view {
            self.teller.evidence(&format!("token ***{}: {}", view.token_last_four, view.state));
        }
        Ok(())
    }

    /// Holds a card of the phone to the shop's terminal.
    fn seat(&mut self, name: &str, over: Interface) -> Result<Stage<Option<Issuer>>, Failure> {
        let simulator = self.wallet.simulator(Some(name))?;
        let card = Record(T0(InProcess::connect(simulator, over, &mut self.context)));
        self.recording.begin(None, &self.teller.call.switches, &self.context)?;
        let journal = self.journal.take();
        let journal = journal.ok_or_else(|| Failure::Invariant("the terminal is busy".into()))?;
        let mut stage = Stage::new(Box::new(card), self.issuer.handle()?, journal, self.config.clone())?;
        stage.host = token_host(&self.store, None, None, &mut self.context)?;
        Ok(stage.with_books())
    }

    fn transact(
        &mut self,
        key: &str,
        name: &str,
        flow: Flow,
        amount: Amount,
        over: Interface,
    ) -> Result<Outcome, Failure> {
        let mut stage = self.seat(name, over)?;
        let mut pin = Secret::new(DEFAULT_PIN.to_owned());
        let result = stage.transact(flow, amount, &mut pin, &mut self.context);
        self.journal = Some(stage.journal);
        let (_, outcome) = result?;
        let unmask = self.teller.call.switches.unmask;
        self.teller.evidence(&outcome_text(&outcome, unmask));
        self.teller.tell(key, outcome_json(&outcome, unmask));
        Ok(outcome)
    }

    fn note(&mut self, when: &'static str) -> Result<(), Failure> {
        let mut held = 0;
        for card in self.wallet.cards()? {
            held += self.wallet.bare(&card.name)?.memory().balance(EcashSet::FIRST).unwrap_or(0);
        }
        let Some(journal) = &mut self.journal else { return Ok(()) };
        let terminal = self.config.terminal.clone();
        let position =
            Position::of(CNY, &mut self.issuer, journal, &terminal, held as i64, &mut self.context)
                .map_err(|error| Failure::Invariant(error.to_string()))?;
        self.ledger.note(when, position, &mut self.teller)
    }
}

fn unexpected(what: &str, came: &Added) -> Failure {
    Failure::Invariant(format!("{what} of the demo came to {came:?}"))
}

fn physical(memory: &CardMemory) -> Result<FormerCard, Failure> {
    FormerCard::of(memory).ok_or_else(|| Failure::Invariant("the card of the demo has no number".into()))
}

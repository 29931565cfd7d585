//! Who holds a card: name, identity number and phone, sealed, at the card or at its
//! account. The four elements are compared here and told to nobody.

use super::IssuerError;
use super::work::Work;
use crate::air::host::{BindingChange, ElementCheck, FundingCard, Holder, Standing};
use crate::base::store::{Row, Sealed};
use crate::words::emv::Pan;
use crate::words::pboc::equal;

const NAME: &str = "holder.name";
const IDENTITY_NUMBER: &str = "holder.identity_number";
const PHONE: &str = "holder.phone";
/// How many replacements of one card are followed.
const SUCCESSORS: usize = 32;

/// What a holder holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Held<'a> {
    Account(&'a str),
    Card(&'a str),
}

/// A card as identity asks for it.
#[derive(Debug, Clone)]
pub(super) struct KnownCard {
    pub(super) id: String,
    psn: u8,
    expiry: i64,
    status: String,
    successor: Option<String>,
}

const COLUMNS: &str = "SELECT id, psn, expiry, status, replaced_by FROM card";

impl Work<'_> {
    /// Says who holds an account or a card; what was said before is replaced.
    pub(super) fn set_holder(&mut self, held: Held<'_>, holder: &Holder) -> Result<(), IssuerError> {
        let mut seal =
            |purpose, text: &str| Sealed::seal(self.seal, purpose, text.as_bytes(), self.context).0;
        let name = seal(NAME, holder.name.expose());
        let number = seal(IDENTITY_NUMBER, holder.identity_number.expose());
        let phone = seal(PHONE, holder.phone.expose());
        self.tx.execute(
            "INSERT INTO holder (subject, name, identity_number, phone) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (subject) DO UPDATE SET name = $2, identity_number = $3, phone = $4",
            &[held.subject().into(), name.into(), number.into(), phone.into()],
        )?;
        self.say("Holder Noted", "name, identity number and phone are sealed");
        Ok(())
    }

    /// Whether the elements are those of the card's holder.
    pub(super) fn check_elements(&mut self, pan: &Pan, told: &Holder) -> Result<ElementCheck, IssuerError> {
        let Some(card) = self.known_card(pan)? else { return Ok(ElementCheck::Mismatch) };
        let Some(row) = self.holder_of(&card.id)? else {
            self.say("Elements Differ", "no holder is noted for the card or its account");
            return Ok(ElementCheck::Mismatch);
        };
        let fits = |column, purpose, text: &str| -> Result<bool, IssuerError> {
            let kept = Sealed(row.bytes(column)?.to_vec()).open(self.seal, purpose)?;
            Ok(equal(kept.expose(), text.as_bytes()))
        };
        let all = [
            fits(0, NAME, told.name.expose())?,
            fits(1, IDENTITY_NUMBER, told.identity_number.expose())?,
            fits(2, PHONE, told.phone.expose())?,
        ];
        let matches = all == [true; 3];
        self.say("Elements Checked", if matches { "all four fit" } else { "at least one does not fit" });
        Ok(if matches { ElementCheck::Match } else { ElementCheck::Mismatch })
    }

    /// How a card stands.
    pub(super) fn standing(&mut self, pan: &Pan) -> Result<Option<Standing>, IssuerError> {
        let Some(mut card) = self.known_card(pan)? else { return Ok(None) };
        let mut replaced = false;
        for _ in 0..SUCCESSORS {
            let Some(next) = card.successor.clone() else { break };
            let rows = self.tx.query(&format!("{COLUMNS} WHERE id = $1"), &[next.into()])?;
            let Some(row) = rows.first() else { break };
            (card, replaced) = (known_card(row)?, true);
        }
        if card.status == "cancelled" {
            return Ok(Some(Standing::Cancelled));
        }
        let told = FundingCard { pan: self.card_pan(&card.id)?, psn: card.psn, expiry: card.expiry };
        Ok(Some(match card.status.as_str() {
            _ if replaced => Standing::ReplacedBy(told),
            "active" => Standing::Good(told),
            _ => Standing::Blocked(told),
        }))
    }

    /// The card of this number: that with the highest sequence number that is in use.
    pub(super) fn known_card(&mut self, pan: &Pan) -> Result<Option<KnownCard>, IssuerError> {
        let lookup = self.pan_lookup(pan.expose());
        let rows = self.tx.query(
            &format!(
                "{COLUMNS} WHERE pan_lookup = $1 \
                 ORDER BY CASE WHEN status IN ('active', 'blocked') THEN 0 ELSE 1 END, psn DESC"
            ),
            &[lookup.into()],
        )?;
        rows.first().map(known_card).transpose()
    }

    /// Another card takes the place of one: it is put on file, and the holder goes with it.
    pub(super) fn replace_card(
        &mut self,
        pan: &Pan,
        psn: u8,
        order: &super::CardOrder,
    ) -> Result<(), IssuerError> {
        let old = self.find_card(pan.expose(), psn)?.ok_or(IssuerError::NoSuchCard { psn })?.id;
        let known = self.find_card(order.pan.expose(), order.psn)?;
        let rows = self.tx.query("SELECT replaced_by FROM card WHERE id = $1", &[old.as_str().into()])?;
        let successor = rows.first().filter(|row| !row.is_null(0)).map(|row| row.text(0)).transpose()?;
        match (&known, successor) {
            // Told twice.
            (Some(new), Some(successor)) if new.id == successor => return Ok(()),
            (_, Some(_)) => {
                let found = "a card that has been replaced".to_owned();
                return Err(IssuerError::Order { expected: "a card that is in use", found });
            }
            (_, None) => {}
        }
        self.order_card(order)?;
        let new = self
            .find_card(order.pan.expose(), order.psn)?
            .ok_or(IssuerError::NoSuchCard { psn: order.psn })?
            .id;
        self.tx.execute(
            "UPDATE card SET status = 'replaced', replaced_by = $1 WHERE id = $2",
            &[new.as_str().into(), old.as_str().into()],
        )?;
        let (old, new) = (Held::Card(&old).subject(), Held::Card(&new).subject());
        self.tx.execute("UPDATE holder SET subject = $1 WHERE subject = $2", &[new.into(), old.into()])?;
        self.say("Card Replaced", "another card of the account has taken its place");
        Ok(())
    }

    /// Takes a card out of use for good; `false` where there is no such card.
    pub(super) fn cancel_card(&mut self, pan: &Pan, psn: u8) -> Result<bool, IssuerError> {
        let lookup = self.pan_lookup(pan.expose());
        let changed = self.tx.execute(
            "UPDATE card SET status = 'cancelled' WHERE pan_lookup = $1 AND psn = $2 AND status <> 'replaced'",
            &[lookup.into(), i64::from(psn).into()],
        )?;
        if changed == 1 {
            self.say("Card Cancelled", "told by the issuer's own people");
        }
        Ok(changed == 1)
    }

    /// Notes what a token service tells of a binding, once.
    pub(super) fn note_binding(
        &mut self,
        pan: &Pan,
        binding: &str,
        change: BindingChange,
    ) -> Result<(), IssuerError> {
        let card = self.known_card(pan)?.ok_or(IssuerError::NoSuchCard { psn: 0 })?.id;
        let word = match change {
            BindingChange::Bound => "bound",
            BindingChange::Released => "released",
        };
        let at = self.now().micros();
        self.tx.execute(
            "INSERT INTO wallet_binding (binding, state, card, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            &[binding.into(), word.into(), card.into(), at.into()],
        )?;
        self.say("Binding Noted", format!("a wallet's binding of the card is {word}"));
        Ok(())
    }

    /// How many bindings of a card are in effect.
    pub(super) fn bindings(&mut self, pan: &Pan) -> Result<u64, IssuerError> {
        let Some(card) = self.known_card(pan)? else { return Ok(0) };
        let rows = self.tx.query(
            "SELECT COUNT(*) FROM wallet_binding WHERE card = $1 AND state = 'bound' AND binding NOT IN \
             (SELECT binding FROM wallet_binding WHERE state = 'released')",
            &[card.id.into()],
        )?;
        Ok(rows.first().map_or(Ok(0), |row| row.int(0))? as u64)
    }

    fn holder_of(&mut self, card: &str) -> Result<Option<Row>, IssuerError> {
        let mut subjects = vec![Held::Card(card).subject()];
        let rows = self.tx.query(
            "SELECT account FROM card_account WHERE card = $1 AND account IS NOT NULL ORDER BY currency",
            &[card.into()],
        )?;
        for row in &rows {
            subjects.push(Held::Account(row.text(0)?).subject());
        }
        for subject in subjects {
            let sql = "SELECT name, identity_number, phone FROM holder WHERE subject = $1";
            if let Some(row) = self.tx.query(sql, &[subject.into()])?.pop() {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

impl Held<'_> {
    fn subject(self) -> String {
        match self {
            Self::Account(id) => format!("account {id}"),
            Self::Card(id) => format!("card {id}"),
        }
    }
}

fn known_card(row: &Row) -> Result<KnownCard, IssuerError> {
    Ok(KnownCard {
        id: row.text(0)?.to_owned(),
        psn: row.int(1)? as u8,
        expiry: row.int(2)?,
        status: row.text(3)?.to_owned(),
        successor: if row.is_null(4) { None } else { Some(row.text(4)?.to_owned()) },
    })
}

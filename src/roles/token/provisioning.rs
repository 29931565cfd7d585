//! A provisioning is a row, written before the step it names, so that a break at any
//! step resumes or rolls back. No step here asks anyone: `service` does that between.

use super::VaultError;
use super::decision::Signal;
use super::record::{NewToken, TokenRow};
use super::states::{
    BindingEvent, PROVISIONING_STATES, PROVISIONING_TABLE, ProvisioningEvent, Step, TokenEvent, Word, step,
};
use super::work::{Work, refused, state, unknown};
use crate::air::host::{
    Colour, Decision, EligibilityRequest, FundingCard, Holder, KeyKind, ProvisioningId, ProvisioningState,
    TokenError,
};
use crate::base::store::Value;

/// The reason of a code that is wanted whatever the rules say: on one device the newer
/// token would end the older one before it has paid.
const SAME_DEVICE: &str = "other-phone-on-this-device";
const DAY_MICROS: i64 = 86_400_000_000;

/// A provisioning.
#[derive(Debug, Clone)]
pub(super) struct ProvisioningRow {
    pub(super) id: ProvisioningId,
    pub(super) funding: String,
    pub(super) device: String,
    pub(super) device_score: u32,
    pub(super) keys: KeyKind,
    pub(super) state: ProvisioningState,
    pub(super) decision: Option<Decision>,
    pub(super) binding: Option<String>,
    pub(super) token: Option<String>,
}

impl Work<'_> {
    /// Opens a provisioning; an older unfinished one of the card on the device is
    /// rolled back.
    pub(super) fn begin(
        &mut self,
        request: &EligibilityRequest,
        card: &FundingCard,
    ) -> Result<(), VaultError> {
        let funding = self.open_funding(card)?;
        let id = &request.provisioning;
        if let Some(known) = self.find_provisioning(id)? {
            let same =
                (&known.funding, &known.device, known.keys) == (&funding.id, &request.device, request.keys);
            return match same {
                true => Ok(()),
                false => {
                    Err(refused("id-used: this provisioning is of another card, device or kind of keys"))
                }
            };
        }
        for older in self.unfinished(
            "funding = $3 AND requestor = $1 AND device = $2",
            &[id.requestor.digits().into(), request.device.as_str().into(), funding.id.as_str().into()],
        )? {
            self.roll_back(&older, "a newer attempt of the card on the device")?;
        }
        let at = self.now().micros();
        self.tx.execute(
            "INSERT INTO token_provisioning (requestor, id, funding, device, device_score, keys, state, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                id.requestor.digits().into(),
                id.id.as_str().into(),
                funding.id.as_str().into(),
                request.device.as_str().into(),
                i64::from(request.device_score).into(),
                request.keys.word().into(),
                ProvisioningState::Eligible.word().into(),
                at.into(),
            ],
        )?;
        self.note(&id.id, "Begin", ProvisioningState::Eligible.word(), id.requestor.digits(), "eligible")?;
        self.say("Provisioning Begun", "the card is eligible");
        Ok(())
    }

    /// A provisioning, with its account held.
    pub(super) fn provisioning(&mut self, id: &ProvisioningId) -> Result<ProvisioningRow, VaultError> {
        self.hold_funding_of(id)?;
        self.glance(id)
    }

    /// A provisioning to look at: nothing is held, which a server's store would have to
    /// write down, and who changes it looks again.
    pub(super) fn glance(&mut self, id: &ProvisioningId) -> Result<ProvisioningRow, VaultError> {
        self.find_provisioning(id)?.ok_or_else(|| unknown("provisioning"))
    }

    /// An event of a provisioning, by its table.
    pub(super) fn provisioning_event(
        &mut self,
        row: &mut ProvisioningRow,
        event: ProvisioningEvent,
        name: &'static str,
    ) -> Result<bool, VaultError> {
        let next = match step(PROVISIONING_TABLE, &PROVISIONING_STATES, event, row.state) {
            Step::To(next) => next,
            Step::Stays => return Ok(false),
            Step::No(reason) => return Err(TokenError::State { step: name, reason }.into()),
        };
        self.set(row, "state", next.word().into())?;
        row.state = next;
        let by = row.id.requestor.digits().to_owned();
        self.note(&row.id.id, &format!("{event:?}"), next.word(), &by, name)?;
        self.say("Provisioning Changed", next.word());
        Ok(true)
    }

    /// The terms are accepted by this holder.
    pub(super) fn accept(&mut self, row: &mut ProvisioningRow, holder: &Holder) -> Result<(), VaultError> {
        self.provisioning_event(row, ProvisioningEvent::Accept, "accept the terms")?;
        if row.state != ProvisioningState::Accepted {
            return Ok(());
        }
        let binding = self.open_binding(&row.funding, row.id.requestor.digits(), holder)?;
        if let Some(earlier) = row.binding.as_ref().filter(|earlier| **earlier != binding) {
            self.binding_event(earlier, BindingEvent::Fail, "the terms were accepted by another holder")?;
        }
        self.set(row, "binding", binding.as_str().into())?;
        row.binding = Some(binding);
        Ok(())
    }

    /// Decides, where nothing is decided yet.
    pub(super) fn decide(
        &mut self,
        row: &mut ProvisioningRow,
        holder: &Holder,
        mut signals: Vec<(Signal, u32)>,
    ) -> Result<Decision, VaultError> {
        if let Some(decided) = &row.decision {
            return Ok(decided.clone());
        }
        let bound = self.bound(&row.funding, row.id.requestor.digits(), holder)?;
        let (live, live_here) = self.live_tokens(row)?;
        signals.extend(bound.other_identity.then_some((Signal::OtherIdentity, 1)));
        signals.extend(bound.other_phone.then_some((Signal::OtherPhone, 1)));
        signals.extend((!bound.anyone).then_some((Signal::UnboundCard, 1)));
        signals.push((Signal::DeviceScore, row.device_score));
        signals.push((Signal::LiveTokens, live));
        signals.push((Signal::FailuresIn24Hours, self.failures(&row.funding)?));
        let mut decision = self.rules.decision.decide(&signals);
        if decision.colour == Colour::Green && bound.other_phone && live_here > 0 {
            decision.colour = Colour::Yellow;
            decision.reasons.push(SAME_DEVICE.into());
        }
        let event = match decision.colour {
            Colour::Green => ProvisioningEvent::DecideGreen,
            Colour::Yellow => ProvisioningEvent::DecideYellow,
            Colour::Red => ProvisioningEvent::DecideRed,
        };
        self.provisioning_event(row, event, "decide")?;
        let text = format!("{}|{}", colour_word(decision.colour), decision.reasons.join(","));
        self.set(row, "decision", text.into())?;
        let binding = row.binding.clone().unwrap_or_default();
        match decision.colour {
            // Beside another phone, the four elements alone do not identify.
            Colour::Green if !bound.other_phone => {
                self.binding_event(&binding, BindingEvent::Identify, "four elements, green")?;
            }
            Colour::Red => {
                self.binding_event(&binding, BindingEvent::Fail, "refused by the rules")?;
            }
            Colour::Green | Colour::Yellow => {}
        }
        row.decision = Some(decision.clone());
        Ok(decision)
    }

    /// The token of a provisioning, made where it is not there yet.
    pub(super) fn make_token(&mut self, row: &mut ProvisioningRow) -> Result<TokenRow, VaultError> {
        let funding = self.funding(&row.funding)?;
        if funding.cancelled {
            return Err(refused("card-not-good: the card is cancelled"));
        }
        if self.provisioning_event(row, ProvisioningEvent::MakeToken, "make the token")? {
            let code = row.decision.as_ref().is_some_and(|decision| decision.colour == Colour::Yellow);
            let id = self.insert_token(&NewToken {
                funding: &funding,
                binding: row.binding.as_deref().unwrap_or_default(),
                requestor: row.id.requestor.digits(),
                device: &row.device,
                keys: row.keys.word(),
                assurance: if code { "four elements and one-time code" } else { "four elements" },
            })?;
            self.set(row, "token", id.as_str().into())?;
            row.token = Some(id);
        }
        self.token_of(row)
    }

    /// The token pays from now on; older ones of the card on the device do not.
    pub(super) fn activate(&mut self, row: &mut ProvisioningRow) -> Result<TokenRow, VaultError> {
        let funding = self.funding(&row.funding)?;
        if !self.provisioning_event(row, ProvisioningEvent::Activate, "activate the token")? {
            return self.token_of(row);
        }
        if funding.cancelled {
            return Err(refused("card-not-good: the card is cancelled"));
        }
        let token = self.token_of(row)?;
        let reason = "a newer token of the card on the device";
        for older in self.of_card_on_device(&funding.card, &token)? {
            self.token_event(&older, TokenEvent::Supersede, "service", reason)?;
            if older.binding != token.binding {
                self.unbind_if_idle(&older.binding, reason)?;
            }
        }
        self.binding_event(&token.binding, BindingEvent::Activate, "its token is activated")?;
        self.token_event(
            &token,
            TokenEvent::Activate,
            row.id.requestor.digits(),
            "the device has stored the card",
        )?;
        self.token_of(row)
    }

    /// Rolls a provisioning back.
    pub(super) fn roll_back(&mut self, row: &ProvisioningRow, reason: &str) -> Result<(), VaultError> {
        let mut row = row.clone();
        if !self.provisioning_event(&mut row, ProvisioningEvent::Abandon, "roll back")? {
            return Ok(());
        }
        if row.token.is_some() {
            let token = self.token_of(&row)?;
            self.token_event(&token, TokenEvent::Abandon, "service", reason)?;
        }
        match &row.binding {
            Some(binding) => self.binding_event(binding, BindingEvent::Fail, reason).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Provisionings that are not at an end and fit a condition.
    pub(super) fn unfinished(
        &mut self,
        rule: &str,
        values: &[Value],
    ) -> Result<Vec<ProvisioningRow>, VaultError> {
        self.provisionings(&format!("state NOT IN ('activated', 'refused', 'abandoned') AND {rule}"), values)
    }

    /// Live tokens of a physical card on a token's device, but for that token.
    pub(super) fn of_card_on_device(
        &mut self,
        card: &str,
        token: &TokenRow,
    ) -> Result<Vec<TokenRow>, VaultError> {
        self.tokens_where(
            "requestor = $1 AND device = $2 AND id <> $3 AND state NOT IN ('terminated', 'requested') \
             AND funding IN (SELECT id FROM token_funding WHERE card = $4)",
            &[
                token.requestor.digits().into(),
                token.device.as_str().into(),
                token.id.as_str().into(),
                card.into(),
            ],
        )
    }

    fn token_of(&mut self, row: &ProvisioningRow) -> Result<TokenRow, VaultError> {
        let found = match &row.token {
            Some(id) => self.token(id)?,
            None => None,
        };
        found.ok_or_else(|| super::funding::absent("token_provisioning", "its token"))
    }

    fn find_provisioning(&mut self, id: &ProvisioningId) -> Result<Option<ProvisioningRow>, VaultError> {
        let values = [id.requestor.digits().into(), id.id.as_str().into()];
        Ok(self.provisionings("requestor = $1 AND id = $2", &values)?.pop())
    }

    fn provisionings(&mut self, rule: &str, values: &[Value]) -> Result<Vec<ProvisioningRow>, VaultError> {
        let rows = self.tx.query(
            &format!(
                "SELECT requestor, id, funding, device, device_score, keys, state, decision, binding, token \
                 FROM token_provisioning WHERE {rule}"
            ),
            values,
        )?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let text = |column| match row.is_null(column) {
                true => Ok(None),
                false => row.text(column).map(|text| Some(text.to_owned())),
            };
            let corrupt = || super::funding::absent("token_provisioning", "a requestor of 11 digits");
            let requestor = crate::air::host::RequestorId::new(row.text(0)?).ok_or_else(corrupt)?;
            found.push(ProvisioningRow {
                id: ProvisioningId { requestor, id: row.text(1)?.to_owned() },
                funding: row.text(2)?.to_owned(),
                device: row.text(3)?.to_owned(),
                device_score: row.int(4)? as u32,
                keys: state("token_provisioning", row.text(5)?)?,
                state: state("token_provisioning", row.text(6)?)?,
                decision: text(7)?.as_deref().map(decision),
                binding: text(8)?,
                token: text(9)?,
            });
        }
        Ok(found)
    }

    /// Keeps the account of a provisioning from every other writer.
    fn hold_funding_of(&mut self, id: &ProvisioningId) -> Result<(), VaultError> {
        self.tx.query_locked(
            "SELECT id FROM token_funding WHERE id = \
             (SELECT funding FROM token_provisioning WHERE requestor = $1 AND id = $2)",
            &[id.requestor.digits().into(), id.id.as_str().into()],
        )?;
        Ok(())
    }

    /// The physical card that a provisioning's account has now.
    pub(super) fn card_of(&mut self, row: &ProvisioningRow) -> Result<FundingCard, VaultError> {
        let rows =
            self.tx.query("SELECT card FROM token_funding WHERE id = $1", &[row.funding.as_str().into()])?;
        let row = rows.first().ok_or_else(|| super::funding::absent("token_funding", "an account's card"))?;
        self.card(row.text(0)?)
    }

    /// How many tokens of a provisioning's account are not terminated: in all, and on its
    /// device.
    fn live_tokens(&mut self, row: &ProvisioningRow) -> Result<(u32, u32), VaultError> {
        let rows = self.tx.query(
            "SELECT requestor, device, COUNT(*) FROM token WHERE funding = $1 AND state <> 'terminated' \
             GROUP BY requestor, device",
            &[row.funding.as_str().into()],
        )?;
        let (mut live, mut here) = (0, 0);
        for group in rows {
            let count = group.int(2)? as u32;
            live += count;
            if group.text(0)? == row.id.requestor.digits() && group.text(1)? == row.device {
                here += count;
            }
        }
        Ok((live, here))
    }

    fn failures(&mut self, funding: &str) -> Result<u32, VaultError> {
        let since = self.now().micros() - DAY_MICROS;
        let rows = self.tx.query(
            "SELECT COUNT(*) FROM token_provisioning WHERE funding = $1 AND state = 'refused' AND at > $2",
            &[funding.into(), since.into()],
        )?;
        Ok(rows.first().map_or(Ok(0), |row| row.int(0))? as u32)
    }

    fn set(&mut self, row: &ProvisioningRow, column: &'static str, value: Value) -> Result<(), VaultError> {
        self.tx.execute(
            &format!("UPDATE token_provisioning SET {column} = $1 WHERE requestor = $2 AND id = $3"),
            &[value, row.id.requestor.digits().into(), row.id.id.as_str().into()],
        )?;
        Ok(())
    }
}

const COLOURS: &[(Colour, &str)] =
    &[(Colour::Green, "green"), (Colour::Yellow, "yellow"), (Colour::Red, "red")];

fn colour_word(colour: Colour) -> &'static str {
    COLOURS.iter().find(|row| row.0 == colour).map_or("red", |row| row.1)
}

/// A decision out of its column; what cannot be read, is red.
fn decision(text: &str) -> Decision {
    let (colour, reasons) = text.split_once('|').unwrap_or((text, ""));
    Decision {
        colour: COLOURS.iter().find(|row| row.1 == colour).map_or(Colour::Red, |row| row.0),
        reasons: reasons.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
    }
}

//! Issuer-to-card script processing: EMV Book 3 10.10, Book 4 6.3.9. Before the first
//! command of a script that moves money the journal says that the card is being told to
//! change.

use super::completion;
use super::online_processing::Answered;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::Change;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::words::dictionary::tag;
use crate::words::emv::{IssuerScript, ScriptError, ScriptResult, Tsi, Tvr};
use crate::words::iso7816::CommandApdu;
use crate::words::tlv::TlvStore;

const STEP: &str = "Script processing";
const CLAUSE: &str = "EMV Book 3 10.10";

/// A script as it came.
pub(in crate::roles::terminal) struct ReceivedScript {
    /// Whether it is to be run before the second GENERATE AC (template 71) or after (72).
    pub(in crate::roles::terminal) before_second_ac: bool,
    /// Tag 9F18; zeros where it is absent or cannot be read.
    pub(in crate::roles::terminal) identifier: [u8; 4],
    /// Its commands, or why they cannot be read.
    pub(in crate::roles::terminal) commands: Result<Vec<CommandApdu>, ScriptError>,
}

/// The scripts of an answer (F55), in order.
pub(in crate::roles::terminal) fn received(chip: &TlvStore) -> Vec<ReceivedScript> {
    let scripts = chip.iter().filter(|(template, _)| IssuerScript::TEMPLATES.contains(template));
    let scripts = scripts.map(|(template, value)| {
        let before_second_ac = template == tag::ISSUER_SCRIPT_TEMPLATE_1;
        match IssuerScript::parse(template, value) {
            Ok(IssuerScript { identifier, commands, .. }) => {
                ReceivedScript { before_second_ac, identifier, commands: Ok(commands) }
            }
            Err(error) => ReceivedScript { before_second_ac, identifier: [0; 4], commands: Err(error) },
        }
    });
    scripts.collect()
}

/// Runs the scripts of template 71, then the second GENERATE AC.
pub(in crate::roles::terminal) fn before_second_ac(
    answered: Answered,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    Running { answered, before: true, script: 0, command: 0 }.advance(context)
}

/// Runs the scripts of template 72, then completion.
pub(in crate::roles::terminal) fn after_second_ac(
    answered: Answered,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    Running { answered, before: false, script: 0, command: 0 }.advance(context)
}

struct Running {
    answered: Answered,
    /// Template 71 (before the second GENERATE AC) or 72.
    before: bool,
    script: usize,
    command: usize,
}

impl Running {
    /// Sends the next command of this template, or leaves the step.
    fn advance(mut self, context: &mut Context) -> Result<Next, TerminalError> {
        while let Some(script) = self.answered.scripts.get(self.script) {
            if script.before_second_ac == self.before {
                match &script.commands {
                    Err(error) => {
                        let reason = error.to_string();
                        self.failed(ScriptResult::NotPerformed, reason, context);
                        continue;
                    }
                    Ok(commands) => match commands.get(self.command).cloned() {
                        Some(command) => return Ok(self.send(command, context)),
                        None => self.answered.results.push((script.identifier, ScriptResult::Succeeded)),
                    },
                }
            }
            self.script += 1;
            self.command = 0;
        }
        if self.before {
            completion::second_generate_ac(self.answered)
        } else {
            completion::scripts_done(self.answered, context)
        }
    }

    fn send(mut self, command: CommandApdu, context: &mut Context) -> Next {
        let session = self.answered.session();
        session.performed(Tsi::SCRIPT_PROCESSING_PERFORMED, CLAUSE, "the host sent a script", context);
        let moves_money = session.terms.flow.writes_card();
        let first = self.command == 0;
        let next = Next::transmit(command, self);
        if first && moves_money { next.after(Change::Sending) } else { next }
    }

    /// Notes that the script at hand ends so, and goes to the next one.
    fn failed(&mut self, result: ScriptResult, reason: String, context: &mut Context) {
        let (bit, template) = match self.before {
            true => (Tvr::SCRIPT_FAILED_BEFORE_AC, tag::ISSUER_SCRIPT_TEMPLATE_1),
            false => (Tvr::SCRIPT_FAILED_AFTER_AC, tag::ISSUER_SCRIPT_TEMPLATE_2),
        };
        let session = self.answered.session();
        session.performed(Tsi::SCRIPT_PROCESSING_PERFORMED, CLAUSE, "the host sent a script", context);
        session.find(bit, CLAUSE, reason, &[template], context);
        if let Some(script) = self.answered.scripts.get(self.script) {
            self.answered.results.push((script.identifier, result));
        }
        self.script += 1;
        self.command = 0;
    }
}

impl Phase for Running {
    fn name(&self) -> &'static str {
        STEP
    }

    fn take(mut self: Box<Self>, reply: Reply, context: &mut Context) -> Result<Next, TerminalError> {
        let status = reply.response(STEP)?.status;
        self.command += 1;
        if !status.lets_script_go_on() {
            let number = u8::try_from(self.command).unwrap_or(u8::MAX);
            let reason = format!("command {number} answered {status}");
            self.failed(ScriptResult::Failed(number), reason, context);
        }
        self.advance(context)
    }
}

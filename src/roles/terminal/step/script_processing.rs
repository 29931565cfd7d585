//! Issuer-to-card script processing: EMV Book 3 10.10. Before the first command of
//! a script the journal says that the card is being told to change.

use super::completion;
use super::online_processing::Authorised;
use crate::base::context::Context;
use crate::roles::terminal::error::TerminalError;
use crate::roles::terminal::journal::Change;
use crate::roles::terminal::phase::{Next, Phase, Reply};
use crate::words::emv::{ScriptResult, Tsi, Tvr};
use crate::words::iso7816::CommandApdu;

const STEP: &str = "Script processing";
const CLAUSE: &str = "EMV Book 3 10.10";

/// Runs the scripts of template 71, then the second GENERATE AC.
pub(in crate::roles::terminal) fn before_second_ac(
    authorised: Authorised,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    Running { authorised, before: true, script: 0, command: 0 }.advance(context)
}

/// Runs the scripts of template 72, then completion.
pub(in crate::roles::terminal) fn after_second_ac(
    authorised: Authorised,
    context: &mut Context,
) -> Result<Next, TerminalError> {
    Running { authorised, before: false, script: 0, command: 0 }.advance(context)
}

struct Running {
    authorised: Authorised,
    /// Template 71 (before the second GENERATE AC) or 72.
    before: bool,
    script: usize,
    command: usize,
}

impl Running {
    /// Sends the next command of this template, or leaves the step.
    fn advance(mut self, context: &mut Context) -> Result<Next, TerminalError> {
        while let Some(script) = self.authorised.scripts.get(self.script) {
            if script.before_second_ac == self.before {
                if let Some(command) = script.commands.get(self.command).cloned() {
                    return Ok(self.send(command, context));
                }
                let identifier = script.identifier;
                self.authorised.results.push((identifier, ScriptResult::Succeeded));
            }
            self.script += 1;
            self.command = 0;
        }
        if self.before {
            completion::second_generate_ac(self.authorised)
        } else {
            completion::scripts_done(self.authorised, context)
        }
    }

    fn send(mut self, command: CommandApdu, context: &mut Context) -> Next {
        let bit = Tsi::SCRIPT_PROCESSING_PERFORMED;
        self.authorised.session().performed(bit, CLAUSE, "the host sent a script", context);
        let first = self.command == 0;
        let next = Next::transmit(command, self);
        if first { next.after(Change::Sending) } else { next }
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
            let bit = if self.before { Tvr::SCRIPT_FAILED_BEFORE_AC } else { Tvr::SCRIPT_FAILED_AFTER_AC };
            let reason = format!("command {number} answered {status}");
            self.authorised.session().find(bit, CLAUSE, reason, &[], context);
            let identifier = self.authorised.scripts[self.script].identifier;
            self.authorised.results.push((identifier, ScriptResult::Failed(number)));
            self.script += 1;
            self.command = 0;
        }
        self.advance(context)
    }
}

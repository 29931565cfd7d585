//! Where a terminal elsewhere finds the card and the host that scripts play. Whether it is
//! our own in this process, without these switches, is its caller's.

use super::books::{self, Need};
use super::command::Call;
use super::failure::Failure;
use crate::air::host::Limits;
use crate::world::{HostPlace, Serving, TargetAddress};
use clap::Arg;

/// What is served for a terminal elsewhere.
pub(in crate::doors::cli) struct Served {
    /// The place of the card.
    pub(in crate::doors::cli) target: Option<TargetAddress>,
    /// The place of the host.
    pub(in crate::doors::cli) host: Option<HostPlace>,
}

/// `--on` and `--listen`.
pub(in crate::doors::cli) fn arguments() -> [Arg; 2] {
    [
        Arg::new("on").long("on").value_name("TARGET").help(
            "Where a terminal elsewhere finds the card that scripts play (role card), such as vpcd:127.0.0.1:35963",
        ),
        Arg::new("listen").long("listen").value_name("HOST:PORT").help(
            "Where a terminal elsewhere finds the host that scripts play (role host); its key is in the books of --store",
        ),
    ]
}

impl Served {
    /// What the switches name.
    pub(in crate::doors::cli) fn of(call: &mut Call<'_>) -> Result<Self, Failure> {
        let target = call.text("on").map(TargetAddress::parse).transpose()?;
        Ok(Self { target, host: host_place(call)? })
    }

    /// Whether the terminal under test is elsewhere.
    pub(in crate::doors::cli) fn is_elsewhere(&self) -> bool {
        self.target.is_some() || self.host.is_some()
    }
}

fn host_place(call: &mut Call<'_>) -> Result<Option<HostPlace>, Failure> {
    let Some(listen) = call.text("listen").map(str::to_owned) else { return Ok(None) };
    let store = books::address(call, Need::Asks)?;
    // One worker: a script takes one message after the other.
    let limits = Limits { workers: 1, ..Limits::default() };
    let serving =
        Serving { listen, metrics: None, dialect: "pos".into(), limits, rules: call.switches.rules()? };
    Ok(Some(HostPlace { serving, store, seal: call.switches.seal_key.clone() }))
}

//! The phone that a command works on, and the host that it asks.

use crate::air::host::{Host, Timeouts};
use crate::base::context::Context;
use crate::doors::cli::shared::books::{self, Need};
use crate::doors::cli::shared::command::Call;
use crate::doors::cli::shared::failure::Failure;
use crate::doors::cli::shared::journal::{self, phone_folder};
use crate::roles::p2p::transfer::Phone;
use crate::world::transfer::{open_phone, phone_file};
use crate::world::{HostAddress, remote_host};
use std::fs::File;

/// Opens the phone, or makes it.
pub(in crate::doors::cli) fn make(call: &Call<'_>, context: &mut Context) -> Result<(Phone, File), Failure> {
    Ok(open_phone(&phone_folder(&call.switches)?, context)?)
}

/// Opens the phone that is there.
pub(in crate::doors::cli) fn open(call: &Call<'_>, context: &mut Context) -> Result<(Phone, File), Failure> {
    let folder = phone_folder(&call.switches)?;
    if !phone_file(&folder).exists() {
        return Err(Failure::Usage(format!(
            "there is no phone in {}: open one with `cardwright p2p open --account ID`, and name its folder \
             with --state DIR",
            folder.display()
        )));
    }
    make(call, context)
}

/// The host that a phone asks, and the phone as that host knows it.
pub(in crate::doors::cli) fn with_host(
    call: &mut Call<'_>,
    phone: Phone,
    context: &mut Context,
) -> Result<(Phone, Box<dyn Host>), Failure> {
    match call.switches.asked_host()? {
        HostAddress::Tcp(address) => {
            let key = journal::key(&call.switches)?;
            let host = remote_host(&address, &key, Timeouts::default())?;
            Ok((phone.known_as(&key.merchant, &key.terminal), Box::new(host)))
        }
        HostAddress::Local => {
            let store = books::address(call, Need::Asks)?;
            Ok((phone, Box::new(books::open(call, &store, context)?)))
        }
    }
}

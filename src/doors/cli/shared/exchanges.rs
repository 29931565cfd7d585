//! Exchanges as JSON: `send` and `shell` have the same.

use crate::base::bytes::Hex;
use crate::words::decode::Masker;
use crate::words::iso7816::{CommandApdu, ResponseApdu};
use serde_json::{Value, json};

/// The exchanges of one card session.
pub(in crate::doors::cli) struct Exchanges {
    /// What hides card data; `None` where a person asked to see it.
    masker: Option<Masker>,
}

impl Exchanges {
    pub(in crate::doors::cli) fn new(unmask: bool) -> Self {
        Self { masker: (!unmask).then(Masker::new) }
    }

    /// One exchange, in its order.
    pub(in crate::doors::cli) fn value(&mut self, command: &CommandApdu, response: &ResponseApdu) -> Value {
        let (command, response) = match &mut self.masker {
            None => (command.clone(), response.clone()),
            Some(masker) => masker.mask_exchange(command, response),
        };
        json!({
            "command": Hex(&command.to_bytes()).to_string(),
            "data": Hex(&response.data).to_string(),
            "status": format!("{:04X}", response.status.0),
        })
    }
}

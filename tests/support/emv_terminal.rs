//! The crate `emv`, a contact kernel that nobody here wrote, in the place of our terminal: the
//! certification cases for terminals are played to it. It leaves the host to its caller, and
//! here there is none.

use cardwright::air::link::Card;
use cardwright::base::bytes::Hex;
use cardwright::base::context::Context;
use cardwright::roles::terminal::{TerminalConfig, Verdict};
use cardwright::words::emv::certificate::Suite;
use cardwright::words::iso7816::CommandApdu;
use cardwright::world::{Deed, Ended, Order, TerminalUnderTest};
use emv::config::{AidsConfig, CapkConfig, TerminalConfig as KernelConfig, assemble_terminal};
use emv::contact::terminal::Terminal;
use emv::contact::transaction::TransactionInputs;
use emv::contact::transaction_driver::Transaction;
use emv::contact::transaction_flow::{
    HostMediated, TransactionFlowStep, bypass_pin_entry, start, submit_pin, submit_unable_to_go_online,
};
use emv::core::apdu::{Command, Response};
use emv::core::card_reader::CardReader;
use emv::core::oda::CaPublicKey;

/// Steps that need an answer, at most: PIN tries and the host.
const STEP_LIMIT: usize = 16;

/// The kernel as a terminal on our bench.
pub(crate) struct EmvKernel;

impl TerminalUnderTest for EmvKernel {
    fn order(
        &mut self,
        order: &Order,
        config: &TerminalConfig,
        card: &mut dyn Card,
        context: &mut Context,
    ) -> Ended {
        if order.deed != Deed::Pay {
            return ended(None, "the kernel takes payments only");
        }
        let terminal = assembled(config);
        let now = context.now();
        let inputs = TransactionInputs {
            amount_authorised: order.amount_minor,
            amount_other: order.cashback_minor,
            transaction_currency_code: 156,
            transaction_currency_exponent: 2,
            transaction_date: now.yymmdd(),
            transaction_time: now.hhmmss(),
            transaction_sequence_counter: 1,
            unpredictable_number: context.random(),
            ..TransactionInputs::default()
        };
        let keys = ca_keys(config);
        let mut tx = Transaction::new(Reader { card, context }, &terminal, inputs, HostMediated);
        let mut step = start(&mut tx, &keys, &[], &[], Some(1));
        let mut pins = order.pins.iter();
        for _ in 0..STEP_LIMIT {
            step = match step {
                Ok(TransactionFlowStep::CardholderVerification { .. }) => {
                    match pins.next().and_then(Option::as_ref) {
                        Some(pin) => {
                            let digits: Vec<u8> = pin.expose().bytes().map(|digit| digit - b'0').collect();
                            submit_pin(&mut tx, &keys, Some(1), &digits, |_| true)
                        }
                        None => bypass_pin_entry(&mut tx, &keys, Some(1)),
                    }
                }
                Ok(TransactionFlowStep::OnlineRequest { first_generate_ac }) => {
                    submit_unable_to_go_online(&mut tx, &first_generate_ac)
                }
                Ok(TransactionFlowStep::Approved { .. }) => {
                    return ended(Some(Verdict::ApprovedOffline), "approved");
                }
                Ok(TransactionFlowStep::Declined { .. }) => {
                    return ended(Some(Verdict::Declined), "declined");
                }
                Ok(other) => return ended(None, &format!("{other:?}")),
                Err(cause) => return ended(None, &format!("{cause:?}")),
            };
        }
        ended(None, "the kernel asked again and again")
    }
}

fn ended(verdict: Option<Verdict>, reason: &str) -> Ended {
    Ended { verdict, is_broken: verdict.is_none(), reason: reason.into(), balance: None, shown: Vec::new() }
}

/// Our card in the kernel's reader.
struct Reader<'a> {
    card: &'a mut dyn Card,
    context: &'a mut Context,
}

impl CardReader for Reader<'_> {
    type Error = emv::Error;

    fn transmit(&mut self, command: &Command) -> Result<Response, Self::Error> {
        let command = CommandApdu::parse(&command.to_bytes()?).unwrap();
        match self.card.transmit(&command, self.context) {
            Ok(response) => Response::parse(&response.to_bytes()),
            // No answer is no response, which the kernel has an error for.
            Err(_) => Response::parse(&[]),
        }
    }
}

/// The kernel's configuration, of our terminal's file as the case has changed it.
fn assembled(config: &TerminalConfig) -> Terminal {
    let terminal = format!(
        "ifd_serial_number = \"CWTEST01\"\nterminal_country_code = 156\nterminal_type = \"22\"\n\
         terminal_capabilities = \"{}\"\nadditional_terminal_capabilities = \"6000F0A001\"\n\
         cardholder_selection_and_confirmation_supported = false\n",
        Hex(&config.capabilities.0)
    );
    let (risk, codes) = (&config.risk, &config.action_codes);
    // A threshold that is not below the floor limit is no configuration to the kernel, which
    // is right (EMV Book 3 10.6.2), and where nothing is selected none is needed.
    let random = match risk.random_target_percent {
        0 => String::new(),
        target => format!(
            "rts_target_percentage = {target}\nrts_max_target_percentage = {}\nrts_threshold_value = {}\n",
            risk.random_maximum_percent, risk.random_threshold_minor
        ),
    };
    let aids = format!(
        "[defaults]\nmerchant_category_code = 5411\nmerchant_identifier = \"CARDWRIGHT00001\"\n\
         merchant_name_and_location = \"CARDWRIGHT TEST STORE\"\nterminal_identification = \"CWTEST01\"\n\
         transaction_currency_code = 156\ntransaction_currency_exponent = 2\ndefault_ddol = \"9F3704\"\n\
         partial_match_allowed = true\nterminal_floor_limit = {}\ntac_denial = \"{}\"\ntac_online = \"{}\"\n\
         tac_default = \"{}\"\n{random}\
         [[aids]]\naid = \"A000000333010101\"\napplication_version_number = \"0030\"\n\
         [[aids]]\naid = \"A000000333010106\"\napplication_version_number = \"0030\"\n",
        risk.floor_limit_minor,
        Hex(&codes.denial.0),
        Hex(&codes.online.0),
        Hex(&codes.default.0),
    );
    assemble_terminal(&KernelConfig::parse(&terminal).unwrap(), &AidsConfig::parse(&aids).unwrap()).unwrap()
}

fn ca_keys(config: &TerminalConfig) -> Vec<CaPublicKey> {
    let rsa = config.trust.keys.iter().filter(|key| key.key.suite() == Suite::Rsa);
    let entries = rsa.map(|key| {
        let (modulus, exponent) = (Hex(key.key.bytes()), Hex(key.key.exponent()));
        format!(
            "[[capk_rsa]]\nrid = \"{}\"\nindex = \"{:02X}\"\nmodulus = \"{modulus}\"\nexponent = \"{exponent}\"\n",
            Hex(&key.rid),
            key.index,
        )
    });
    CapkConfig::parse(&entries.collect::<String>()).unwrap().into_kernel().unwrap().0
}

//! Every command of every registry goes both ways.

use cardwright::words::decode::{COMMAND_ROOMS, command_row};
use cardwright::words::dictionary::tag;
use cardwright::words::emv::CryptogramType;
use cardwright::words::emv::command::{
    ApplicationBlock, ApplicationUnblock, CardBlock, Cryptogram, DynamicSignature,
    ExchangeRelayResistanceData, GenerateAc, GetData, GetProcessingOptions, InternalAuthenticate,
    PinChangeUnblock, PinOperation, ProcessingOptions, RecoverAc, RelayResistanceData,
};
use cardwright::words::globalplatform::command as globalplatform;
use cardwright::words::globalplatform::command::{InitializeUpdate, Initialized, StoreData};
use cardwright::words::iso7816::command::{
    ExternalAuthenticate, GetChallenge, GetResponse, Occurrence, PinBlock, PresentedPin, ReadBinary,
    ReadRecord, Select, SelectFile, Verify,
};
use cardwright::words::iso7816::{Aid, ApduCommand, CommandApdu};
use cardwright::words::pboc::command::{
    self as pboc, AppendRecord, CappProof, CappRecord, GetCappProve, PutData, ReadCappData, UpdateCappData,
    UpdateRecord,
};
use cardwright::words::tlv::{Tag, TlvStore};
use proptest::prelude::*;
use std::fmt::Debug;

/// A command survives the wire, is found by its header, and its answer survives too.
fn goes_both_ways<C>(command: &C, response: &C::Response) -> Result<(), TestCaseError>
where
    C: ApduCommand + PartialEq + Debug,
    C::Response: PartialEq + Debug,
{
    let apdu = CommandApdu::parse(&command.to_apdu().to_bytes()).unwrap();
    prop_assert_eq!(&apdu, &command.to_apdu());
    prop_assert_eq!(command_row(&apdu).map(|row| row.name), Some(C::NAME), "by its header");
    prop_assert_eq!(&C::from_apdu(&apdu).unwrap(), command);
    let data = C::encode_response(response);
    prop_assert_eq!(&command.decode_response(&data).unwrap(), response);
    Ok(())
}

/// One property a command, and the list of commands that have one.
macro_rules! round_trips {
    ($( $test:ident: $command:ty = $strategy:expr; )*) => {
        /// The commands that have a property below.
        const COVERED: &[&str] = &[$(<$command as ApduCommand>::NAME),*];

        proptest! {
            $(
                #[test]
                fn $test((command, response) in $strategy) {
                    goes_both_ways::<$command>(&command, &response)?;
                }
            )*
        }
    };
}

round_trips! {
    select: Select = (aid(), any::<bool>(), bytes(0..300)).prop_map(|(name, next, fci)| {
        let occurrence = if next { Occurrence::Next } else { Occurrence::First };
        (Select { name, occurrence }, fci)
    });
    read_record: ReadRecord = (1u8..=30, any::<u8>(), bytes(0..300))
        .prop_map(|(sfi, record, data)| (ReadRecord { sfi, record }, data));
    get_response: GetResponse = (1u16..=256, bytes(0..300))
        .prop_map(|(length, data)| (GetResponse { length }, data));
    verify: Verify = prop::option::of(presented()).prop_map(|pin| (Verify { pin }, ()));
    get_challenge: GetChallenge = any::<[u8; 8]>().prop_map(|challenge| (GetChallenge, challenge));
    internal_authenticate: InternalAuthenticate = (bytes(0..256), bytes(1..249), extra(), any::<bool>())
        .prop_map(|(ddol_data, signed, extra, format_1)| {
            let mut data = TlvStore::new();
            data.put(tag::SIGNED_DYNAMIC_APPLICATION_DATA, signed);
            for (tag, value) in extra.into_iter().filter(|_| !format_1) {
                if !data.has(tag) {
                    data.put(tag, value);
                }
            }
            (InternalAuthenticate { ddol_data }, DynamicSignature { data, format_1 })
        });
    external_authenticate: ExternalAuthenticate = bytes(8..17)
        .prop_map(|issuer_authentication_data| (ExternalAuthenticate { issuer_authentication_data }, ()));
    get_data: GetData = (wire_tag(), bytes(0..300))
        .prop_map(|(tag, value)| (GetData { tag }, (tag, value)));
    get_processing_options: GetProcessingOptions = (bytes(0..253), processing_options())
        .prop_map(|(pdol_data, options)| (GetProcessingOptions { pdol_data }, options));
    generate_ac: GenerateAc = (cryptogram_type(), any::<bool>(), bytes(0..256), cryptogram())
        .prop_map(|(cryptogram, cda, cdol_data, answer)| (GenerateAc { cryptogram, cda, cdol_data }, answer));
    application_block: ApplicationBlock = any::<[u8; 4]>().prop_map(|mac| (ApplicationBlock { mac }, ()));
    application_unblock: ApplicationUnblock =
        any::<[u8; 4]>().prop_map(|mac| (ApplicationUnblock { mac }, ()));
    card_block: CardBlock = any::<[u8; 4]>().prop_map(|mac| (CardBlock { mac }, ()));
    pin_change_unblock: PinChangeUnblock = (pin_operation(), any::<[u8; 4]>())
        .prop_map(|(operation, mac)| (PinChangeUnblock { operation, mac }, ()));
    exchange_relay_resistance_data: ExchangeRelayResistanceData = (any::<[u8; 4]>(), any::<[u8; 10]>())
        .prop_map(|(terminal_entropy, answer)| {
            (ExchangeRelayResistanceData { terminal_entropy }, RelayResistanceData::from_bytes(answer))
        });
    recover_ac: RecoverAc = (bytes(0..256), cryptogram())
        .prop_map(|(drdol_data, answer)| (RecoverAc { drdol_data }, answer));
    put_data: PutData = (any::<u16>(), bytes(1..252), any::<[u8; 4]>())
        .prop_map(|(tag, value, mac)| (PutData { tag: Tag(tag.into()), value, mac }, ()));
    update_record: UpdateRecord = (1u8..=30, any::<u8>(), bytes(1..252), any::<[u8; 4]>())
        .prop_map(|(sfi, record, data, mac)| (UpdateRecord { sfi, record, data, mac }, ()));
    select_file: SelectFile = (any::<u16>(), bytes(0..300))
        .prop_map(|(identifier, fci)| (SelectFile { identifier }, fci));
    read_binary: ReadBinary = (1u8..=30, any::<u8>(), 1u16..=256, bytes(0..300))
        .prop_map(|(sfi, offset, length, data)| (ReadBinary { sfi, offset, length }, data));
    update_binary: pboc::UpdateBinary = (1u8..=30, any::<u8>(), bytes(1..252), prop::option::of(four()))
        .prop_map(|(sfi, offset, data, mac)| (pboc::UpdateBinary { sfi, offset, data, mac }, ()));
    verify_pin: pboc::VerifyPin = bytes(2..7).prop_map(|pin| (pboc::VerifyPin { pin: pin.into() }, ()));
    change_pin: pboc::ChangePin = (digits(), digits())
        .prop_map(|(old, new)| (pboc::ChangePin { old: old.into(), new: new.into() }, ()));
    reload_pin: pboc::ReloadPin = (bytes(2..7), four())
        .prop_map(|(pin, mac)| (pboc::ReloadPin { pin: pin.into(), mac }, ()));
    purse_external_authenticate: pboc::ExternalAuthenticate = (1u8.., any::<[u8; 8]>())
        .prop_map(|(key, proof)| (pboc::ExternalAuthenticate { key, proof }, ()));
    purse_internal_authenticate: pboc::InternalAuthenticate = (1u8.., any::<[u8; 8]>(), any::<[u8; 8]>())
        .prop_map(|(key, challenge, proof)| {
            (pboc::InternalAuthenticate { key, challenge }, pboc::KeyProof { proof })
        });
    get_certification_code: pboc::GetCertificationCode = any::<[u8; 9]>().prop_flat_map(|code| prop_oneof![
            Just((pboc::GetCertificationCode { code: None }, Some(code))),
            Just((pboc::GetCertificationCode { code: Some(code) }, None)),
        ]);
    get_balance: pboc::GetBalance = (0u8..=3, 1u8..=2, any::<u32>()).prop_map(|(part, purse, balance_minor)| {
        (pboc::GetBalance { part, purse }, pboc::Balance { balance_minor })
    });
    initialize_for_load: pboc::InitializeForLoad = (1u8..=2, begun(), online())
        .prop_map(|(purse, (key, amount, terminal), answer)| {
            (pboc::InitializeForLoad { purse, key, amount, terminal }, answer)
        });
    credit_for_load: pboc::CreditForLoad = (date_and_time(), four(), four())
        .prop_map(|((date, time), mac2, tac)| {
            (pboc::CreditForLoad { date, time, mac2 }, pboc::TransactionCertificate { tac })
        });
    initialize_for_purchase: pboc::InitializeForPurchase = (1u8..=2, begun(), offline())
        .prop_map(|(purse, (key, amount, terminal), answer)| {
            (pboc::InitializeForPurchase { purse, key, amount, terminal }, answer)
        });
    initialize_for_cash_withdraw: pboc::InitializeForCashWithdraw = (begun(), offline())
        .prop_map(|((key, amount, terminal), answer)| {
            (pboc::InitializeForCashWithdraw { key, amount, terminal }, answer)
        });
    initialize_for_capp_purchase: pboc::InitializeForCappPurchase = (begun(), offline())
        .prop_map(|((key, amount, terminal), answer)| {
            (pboc::InitializeForCappPurchase { key, amount, terminal }, answer)
        });
    update_capp_data_cache: pboc::UpdateCappDataCache = (any::<u8>(), 1u8..=30, bytes(1..256))
        .prop_map(|(id, sfi, data)| (pboc::UpdateCappDataCache { id, sfi, data }, ()));
    debit_for_purchase: pboc::DebitForPurchase = (any::<u32>(), date_and_time(), four(), four(), four())
        .prop_map(|(sequence, (date, time), mac1, tac, mac2)| {
            (pboc::DebitForPurchase { sequence, date, time, mac1 }, pboc::PurchaseProof { tac, mac2 })
        });
    initialize_for_unload: pboc::InitializeForUnload = (1u8..=2, begun(), online())
        .prop_map(|(purse, (key, amount, terminal), answer)| {
            (pboc::InitializeForUnload { purse, key, amount, terminal }, answer)
        });
    debit_for_unload: pboc::DebitForUnload = (date_and_time(), four(), four())
        .prop_map(|((date, time), mac2, mac3)| {
            (pboc::DebitForUnload { date, time, mac2 }, pboc::UnloadProof { mac3 })
        });
    initialize_for_update: pboc::InitializeForUpdate = (begun(), online(), any::<[u8; 3]>())
        .prop_map(|((key, _, terminal), told, old_limit)| {
            let answer = pboc::OverdraftInitialization {
                old_balance_minor: told.old_balance_minor,
                online_sequence: told.online_sequence,
                old_limit,
                key_version: told.key_version,
                algorithm: told.algorithm,
                random: told.random,
                mac1: told.mac1,
            };
            (pboc::InitializeForUpdate { key, terminal }, answer)
        });
    update_overdraft_limit: pboc::UpdateOverdraftLimit = (any::<[u8; 3]>(), date_and_time(), four(), four())
        .prop_map(|(limit, (date, time), mac2, tac)| {
            (pboc::UpdateOverdraftLimit { limit, date, time, mac2 }, pboc::TransactionCertificate { tac })
        });
    get_transaction_prove: pboc::GetTransactionProve = (1u8..=9, any::<u16>(), four(), four())
        .prop_map(|(kind, sequence, mac, tac)| {
            (pboc::GetTransactionProve { kind, sequence }, pboc::TransactionProof { mac, tac })
        });
    initialize_sam_for_purchase: pboc::InitializeSamForPurchase =
        (offline(), begun(), date_and_time(), any::<([u8; 8], [u8; 8])>(), four()).prop_map(
            |(told, (kind, amount, _), (date, time), (serial, issuer), mac1)| {
                let command = pboc::InitializeSamForPurchase {
                    random: told.random,
                    offline: told.offline_sequence,
                    amount,
                    kind,
                    date,
                    time,
                    version: told.key_version,
                    algorithm: told.algorithm,
                    serial,
                    issuer,
                };
                let terminal_sequence = told.old_balance_minor;
                (command, pboc::SamInitialization { terminal_sequence, mac1 })
            },
        );
    credit_sam_for_purchase: pboc::CreditSamForPurchase =
        four().prop_map(|mac2| (pboc::CreditSamForPurchase { mac2 }, ()));
    read_capp_data: ReadCappData =
        (21u8..=30, any::<bool>(), any::<[u8; 2]>(), any::<Option<[u8; 8]>>(), bytes(2..236), any::<[u8; 4]>())
        .prop_map(|(sfi, next, id, challenge, record, mac)| {
            let answer = CappRecord { record, mac: challenge.map(|_| mac) };
            (ReadCappData { sfi, next, id, challenge }, answer)
        });
    update_capp_data: UpdateCappData = (21u8..=30, any::<bool>(), bytes(2..252), any::<[u8; 4]>())
        .prop_map(|(sfi, next, record, mac)| (UpdateCappData { sfi, next, record, mac }, ()));
    append_record: AppendRecord = (21u8..=30, any::<[u8; 16]>(), bytes(2..236), any::<[u8; 4]>())
        .prop_map(|(sfi, enciphered_key, record, mac)| {
            (AppendRecord { sfi, enciphered_key, record, mac }, ())
        });
    get_capp_prove: GetCappProve = (any::<u16>(), any::<[u8; 8]>())
        .prop_map(|(atc, certificate)| (GetCappProve { atc }, CappProof { certificate }));
    initialize_update: InitializeUpdate = (any::<u8>(), any::<[u8; 8]>(), initialized())
        .prop_map(|(key_version, host_challenge, answer)| {
            (InitializeUpdate { key_version, host_challenge }, answer)
        });
    open_channel: globalplatform::ExternalAuthenticate = (any::<u8>(), any::<[u8; 8]>(), any::<[u8; 8]>())
        .prop_map(|(security_level, host_cryptogram, mac)| {
            (globalplatform::ExternalAuthenticate { security_level, host_cryptogram, mac }, ())
        });
    store_data: StoreData = (any::<bool>(), any::<bool>(), any::<u8>(), bytes(1..256))
        .prop_map(|(is_last, is_enciphered, block, data)| {
            (StoreData { is_last, is_enciphered, block, data: data.into() }, ())
        });
}

#[test]
fn every_command_has_a_round_trip() {
    let names: Vec<&str> = COMMAND_ROOMS.iter().flat_map(|room| room.iter()).map(|row| row.name).collect();
    assert!(!names.is_empty());
    for name in &names {
        assert!(COVERED.contains(name), "{name} has no property in tests/words/commands.rs");
    }
    assert_eq!(names.len(), COVERED.len());
}

fn bytes(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), length)
}

fn four() -> impl Strategy<Value = [u8; 4]> {
    any::<[u8; 4]>()
}

/// The bytes of a PIN: no filling but at its end.
fn digits() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0x00u8..=0x9A, 2..7)
}

fn begun() -> impl Strategy<Value = (u8, u32, [u8; 6])> {
    any::<(u8, u32, [u8; 6])>()
}

fn date_and_time() -> impl Strategy<Value = ([u8; 4], [u8; 3])> {
    any::<([u8; 4], [u8; 3])>()
}

fn online() -> impl Strategy<Value = pboc::OnlineInitialization> {
    any::<(u32, u16, u8, u8, [u8; 4], [u8; 4])>().prop_map(
        |(old_balance_minor, online_sequence, key_version, algorithm, random, mac1)| {
            pboc::OnlineInitialization {
                old_balance_minor,
                online_sequence,
                key_version,
                algorithm,
                random,
                mac1,
            }
        },
    )
}

fn offline() -> impl Strategy<Value = pboc::OfflineInitialization> {
    any::<(u32, u16, [u8; 3], u8, u8, [u8; 4])>().prop_map(
        |(old_balance_minor, offline_sequence, overdraft_limit, key_version, algorithm, random)| {
            pboc::OfflineInitialization {
                old_balance_minor,
                offline_sequence,
                overdraft_limit,
                key_version,
                algorithm,
                random,
            }
        },
    )
}

fn presented() -> impl Strategy<Value = PresentedPin> {
    let plain = any::<[u8; 8]>().prop_map(|block| PresentedPin::Plain(PinBlock::from_bytes(block)));
    prop_oneof![plain, bytes(1..249).prop_map(PresentedPin::Enciphered)]
}

fn pin_operation() -> impl Strategy<Value = PinOperation> {
    prop_oneof![
        Just(PinOperation::Unblock),
        bytes(8..33).prop_map(PinOperation::ChangeWithCurrent),
        bytes(8..33).prop_map(PinOperation::Change),
    ]
}

fn aid() -> impl Strategy<Value = Aid> {
    bytes(1..17).prop_map(|name| Aid::new(name).unwrap())
}

/// A tag that GET DATA can name and BER-TLV can carry: 00 and FF are padding.
fn wire_tag() -> impl Strategy<Value = Tag> {
    let one = (1u32..=0xFE).prop_filter("a one-byte tag", |tag| tag & 0x1F != 0x1F);
    let two = (0u32..7, 0u32..0x80).prop_map(|(class, number)| (class << 5 | 0x1F) << 8 | number);
    prop_oneof![one, two].prop_map(Tag)
}

fn initialized() -> impl Strategy<Value = Initialized> {
    (any::<[u8; 10]>(), any::<u8>(), any::<[u8; 2]>(), any::<[u8; 6]>(), any::<[u8; 8]>()).prop_map(
        |(diversification, key_version, sequence, card_challenge, card_cryptogram)| Initialized {
            diversification,
            key_version,
            sequence,
            card_challenge,
            card_cryptogram,
        },
    )
}

fn cryptogram_type() -> impl Strategy<Value = CryptogramType> {
    prop::sample::select(vec![CryptogramType::Aac, CryptogramType::Tc, CryptogramType::Arqc])
}

/// Other data objects that a card may add to format 2.
fn extra() -> impl Strategy<Value = Vec<(Tag, Vec<u8>)>> {
    prop::collection::vec((wire_tag(), bytes(0..40)), 0..6)
}

fn processing_options() -> impl Strategy<Value = ProcessingOptions> {
    (any::<[u8; 2]>(), bytes(0..60), extra(), any::<bool>()).prop_map(|(aip, afl, extra, format_1)| {
        let mut data: TlvStore = [(tag::AIP, aip.to_vec()), (tag::AFL, afl)].into_iter().collect();
        let known = [tag::AIP, tag::AFL];
        for (tag, value) in extra.into_iter().filter(|(tag, _)| !format_1 && !known.contains(tag)) {
            data.put(tag, value);
        }
        ProcessingOptions { data, format_1 }
    })
}

fn cryptogram() -> impl Strategy<Value = Cryptogram> {
    let fixed = (any::<u8>(), any::<[u8; 2]>(), any::<[u8; 8]>(), bytes(0..33));
    (fixed, extra(), any::<bool>()).prop_map(|((cid, atc, ac, iad), extra, format_1)| {
        let mut data = TlvStore::new();
        data.put(tag::CRYPTOGRAM_INFORMATION_DATA, [cid]);
        data.put(tag::ATC, atc);
        data.put(tag::APPLICATION_CRYPTOGRAM, ac);
        if !iad.is_empty() {
            data.put(tag::ISSUER_APPLICATION_DATA, iad);
        }
        for (tag, value) in extra.into_iter().filter(|_| !format_1) {
            if !data.has(tag) {
                data.put(tag, value);
            }
        }
        Cryptogram { data, format_1 }
    })
}

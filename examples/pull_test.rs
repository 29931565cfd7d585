//! Tests of a program in Rust: the card is pulled in the middle of a transaction, and what
//! it holds is asserted on decoded elements. Copy it into a project's own `tests/`.

use cardwright::testing::{FaultPoint, Fixture, TestingError};

#[test]
fn a_card_pulled_while_it_is_read_still_holds_its_balance() -> Result<(), TestingError> {
    let mut test = Fixture::card("ecash").balance_minor(10_000).start()?;
    let read = |test: &mut Fixture| {
        test.send("00A4040008A00000033301010600")?;
        test.send("80CA9F7900")
    };
    // The second exchange from now loses its answer: the card acts, and is gone.
    test.pull(1, FaultPoint::AnswerLost);
    assert!(read(&mut test).is_err_and(|error| error.is_pulled()));
    assert!(test.happened("card pulled"));
    assert_eq!(test.element("9F79"), None);

    test.put_back()?;
    read(&mut test)?;
    assert_eq!(test.element("9F79"), Some(vec![0, 0, 0, 1, 0, 0]));
    Ok(())
}

/// At whichever exchange the card goes away, after recovery no money was made or lost.
#[test]
fn a_card_pulled_at_any_exchange_of_a_load_loses_no_money() -> Result<(), TestingError> {
    for exchange in 0.. {
        let mut test = Fixture::card("ecash").balance_minor(10_000).account_minor(50_000).start()?;
        test.pull(exchange, FaultPoint::AnswerLost);
        let broke_off = test.load(5_000).is_err();
        if !test.happened("card pulled") {
            // The whole load has fewer exchanges: every one of them was cut.
            assert!(!broke_off && exchange > 5, "{exchange} exchanges");
            return Ok(());
        }
        test.put_back()?;
        test.recover()?;
        assert_eq!(test.balance_minor()? as i64 + test.account_minor()?, 60_000, "exchange {exchange}");
    }
    Ok(())
}

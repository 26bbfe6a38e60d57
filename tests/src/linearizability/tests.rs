use proptest::prelude::*;

use super::*;
use crate::random::Random;

fn op(called: u64, returned: u64, action: Action) -> Operation {
    Operation {
        called,
        returned: Some(returned),
        action,
    }
}

fn unknown(called: u64, action: Action) -> Operation {
    Operation {
        called,
        returned: None,
        action,
    }
}

fn put(value: Value) -> Action {
    Action::Write {
        value: Some(value),
        guard: Guard::Always,
    }
}

fn put_if(value: Value, guard: Guard) -> Action {
    Action::Write {
        value: Some(value),
        guard,
    }
}

const DELETE: Action = Action::Write {
    value: None,
    guard: Guard::Always,
};

fn read(value: Value) -> Action {
    Action::Read(Some(value))
}

const MISSING: Action = Action::Read(None);

fn accepted(history: &[Operation]) -> bool {
    match check(history) {
        Verdict::Linearizable => true,
        Verdict::Violation(_) => false,
        Verdict::Undecided => panic!("undecided"),
    }
}

#[test]
fn nothing_happened() {
    assert!(accepted(&[]));
    assert!(accepted(&[op(0, 1, MISSING)]));
    assert!(!accepted(&[op(0, 1, read(1))]), "a value from nowhere");
}

#[test]
fn concurrent_operations_may_be_in_either_order() {
    let history = |first, second| {
        [
            op(0, 10, put(1)),
            op(0, 10, put(2)),
            op(11, 12, read(first)),
            op(13, 14, read(second)),
        ]
    };
    assert!(accepted(&history(1, 1)));
    assert!(accepted(&history(2, 2)));
    assert!(!accepted(&history(1, 2)));
}

#[test]
fn a_read_during_a_write_sees_either() {
    let history = |during, later| {
        [
            op(0, 1, put(1)),
            op(2, 10, put(2)),
            op(3, 4, read(during)),
            op(5, 6, read(later)),
        ]
    };
    assert!(accepted(&history(1, 1)));
    assert!(accepted(&history(1, 2)));
    assert!(accepted(&history(2, 2)));
    assert!(!accepted(&history(2, 1)), "the value went back");
}

#[test]
fn a_stale_read_is_found() {
    let history = [op(0, 1, put(1)), op(2, 3, put(2)), op(4, 5, read(1))];
    assert_eq!(
        check(&history),
        Verdict::Violation(Stuck {
            returned: 2,
            states: vec![State::Value(2)],
            operation: 2,
        })
    );
}

#[test]
fn a_lost_write_is_found() {
    assert!(!accepted(&[op(0, 1, put(1)), op(2, 3, MISSING)]));
    assert!(!accepted(&[
        op(0, 1, put(1)),
        op(2, 3, DELETE),
        op(4, 5, read(1))
    ]));
}

#[test]
fn two_successful_creations_need_a_delete_between_them() {
    let create = |value| put_if(value, Guard::IfAbsent);
    let both = [op(0, 10, create(1)), op(0, 10, create(2))];
    assert!(!accepted(&both));
    assert!(accepted(&[both[0], both[1], op(5, 6, DELETE)]));
    assert!(!accepted(&[both[0], both[1], op(11, 12, DELETE)]));
}

#[test]
fn of_two_replacements_of_one_value_one_succeeds() {
    let replace = |value| put_if(value, Guard::IfValue(1));
    let history = [
        op(0, 1, put(1)),
        op(2, 10, replace(2)),
        op(2, 10, replace(3)),
    ];
    assert!(!accepted(&history));
    let refused = op(2, 10, Action::Refused(Guard::IfValue(1)));
    assert!(accepted(&[history[0], history[1], refused]));
    assert!(!accepted(&[history[0], refused]), "refused without a cause");
}

#[test]
fn an_unknown_write_happens_at_any_time_or_never() {
    let history = |answers: &[Action]| {
        let mut history = vec![op(0, 1, put(1)), unknown(2, put(2))];
        for (number, answer) in answers.iter().enumerate() {
            let time = 10 * (number as u64 + 1);
            history.push(op(time, time + 1, *answer));
        }
        history
    };
    assert!(accepted(&history(&[read(1), read(1)])));
    assert!(accepted(&history(&[read(1), read(2)])));
    assert!(accepted(&history(&[read(2), read(2)])));
    assert!(!accepted(&history(&[read(2), read(1)])), "happened twice");
    assert!(
        !accepted(&[op(0, 1, read(2)), unknown(2, put(2))]),
        "read before it was written"
    );
}

#[test]
fn an_unknown_write_explains_what_only_it_can() {
    let refused = Action::Refused(Guard::IfAbsent);
    assert!(!accepted(&[op(4, 5, refused)]));
    assert!(accepted(&[unknown(0, put(1)), op(4, 5, refused)]));
    assert!(
        !accepted(&[op(4, 5, refused), unknown(6, put(1))]),
        "called later"
    );
    let removed = [op(0, 1, put(1)), unknown(2, DELETE), op(4, 5, MISSING)];
    assert!(accepted(&removed));
    // One delete explains one disappearance.
    let again = [op(6, 7, put(2)), op(8, 9, MISSING)];
    assert!(!accepted(&[&removed[..], &again[..]].concat()));
    let another = unknown(6, DELETE);
    assert!(accepted(&[&removed[..], &again[..], &[another]].concat()));
}

#[test]
fn a_chain_of_unknown_writes_is_followed() {
    let chain = [
        unknown(0, put(1)),
        unknown(2, put_if(2, Guard::IfValue(1))),
        op(10, 11, read(2)),
    ];
    assert!(accepted(&chain));
    let broken = [op(3, 4, put(7)), op(5, 6, read(7)), op(10, 11, read(2))];
    assert!(!accepted(
        &[&broken[..], &[unknown(2, put_if(2, Guard::IfValue(1)))]].concat()
    ));
}

/// Histories of clients that call one operation after the other on a real register, each of which takes effect at some
/// time between its call and its return.
fn generated(seed: u64, clients: usize, length: usize, unknown_percent: u64) -> Vec<Operation> {
    let mut random = Random::new(seed);
    let mut free = vec![0_u64; clients];
    let mut planned = Vec::new();
    for number in 0..length {
        let client = usize::try_from(random.below(clients as u64)).unwrap();
        let called = free[client] + 1 + random.below(20);
        let effect = called + random.below(50);
        let returned = effect + random.below(50);
        free[client] = returned;
        planned.push((effect, called, returned, number as u64 + 1));
    }
    planned.sort_unstable();
    let mut state = None;
    let mut history = Vec::new();
    for (_, called, returned, value) in planned {
        let write = |value: Option<Value>, guard| Action::Write { value, guard };
        let action = match (random.below(10), state) {
            (0..4, _) => put(value),
            (4, None) => write(Some(value), Guard::IfAbsent),
            (4, Some(_)) => Action::Refused(Guard::IfAbsent),
            (5, Some(old)) if random.below(2) == 0 => write(Some(value), Guard::IfValue(old)),
            (5, Some(old)) => Action::Refused(Guard::IfValue(old + 1_000_000)),
            (6, _) => DELETE,
            _ => Action::Read(state),
        };
        if let Action::Write { value, .. } = action {
            state = value;
        }
        let known = random.below(100) >= unknown_percent;
        history.push(Operation {
            called,
            returned: known.then_some(returned),
            action,
        });
    }
    history
}

proptest! {
    #[test]
    fn what_a_register_did_is_accepted(seed: u64, clients in 1_usize..9, unknown in 0_u64..40) {
        prop_assert!(accepted(&generated(seed, clients, 200, unknown)));
    }
}

/// Within the limit of steps.
#[test]
fn a_long_history_is_decided() {
    for unknown_percent in [0, 5, 30] {
        let mut history = generated(7, 8, 5_000, unknown_percent);
        assert!(accepted(&history));
        // A value that was overwritten comes back.
        let end = history.iter().filter_map(|op| op.returned).max().unwrap();
        history.push(op(end + 1, end + 2, put(9_999_999)));
        history.push(op(end + 3, end + 4, read(1)));
        assert!(!accepted(&history));
    }
}

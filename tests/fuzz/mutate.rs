//! Every target with mutations of its seeds: the bounded part, in every test run.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

use crate::{TARGETS, Target};

/// Mutated inputs per target. `BUCKETRY_FUZZ_CASES` asks for another number.
const CASES: u32 = 100_000;

/// What is likely to matter to a parser of ours.
const WORDS: &[&[u8]] = &[
    b"",
    b"\r\n",
    b"\n",
    b"\0",
    b"%",
    b"%2F",
    b"%00",
    b"%ff",
    b"=",
    b"&",
    b";",
    b",",
    b":",
    b"/",
    b"//",
    b"..",
    b"\"",
    b"'",
    b"<",
    b">",
    b"]]>",
    b"<!DOCTYPE x [<!ENTITY a \"b\">]>",
    b"&a;",
    b"&#0;",
    b"[",
    b"]",
    b"{",
    b"}",
    b"-1",
    b"0",
    b"00",
    b"+5",
    b"1e400",
    b"ffffffffffffffff",
    b"18446744073709551616",
    b"9223372036854775808",
    b"::ffff:",
    b"%eth0",
    b"unknown",
    b"for=",
    b"x-amz-",
    b"host",
    b"\xff\xfe",
    "\u{feff}".as_bytes(),
    "１２".as_bytes(),
    "é".as_bytes(),
];

#[derive(Debug, Clone)]
enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    /// The rest is another seed's.
    Splice(Index, Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let word = prop_oneof![
        select(WORDS).prop_map(<[u8]>::to_vec),
        vec(any::<u8>(), 1..8),
    ];
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (any::<Index>(), word).prop_map(|(at, word)| Edit::Insert(at, word)),
        (any::<Index>(), 1usize..32).prop_map(|(at, length)| Edit::Remove(at, length)),
        (any::<Index>(), 1usize..16, 2usize..40)
            .prop_map(|(at, length, times)| Edit::Repeat(at, length, times)),
        (any::<Index>(), any::<Index>(), any::<Index>())
            .prop_map(|(at, seed, from)| Edit::Splice(at, seed, from)),
    ]
}

fn apply(edits: &[Edit], mut input: Vec<u8>, seeds: &[Vec<u8>]) -> Vec<u8> {
    for edit in edits {
        let place = |at: &Index, input: &[u8]| at.index(input.len() + 1);
        match edit {
            Edit::Set(at, byte) => {
                let at = place(at, &input);
                if let Some(old) = input.get_mut(at) {
                    *old = *byte;
                }
            }
            Edit::Insert(at, word) => {
                let at = place(at, &input);
                input.splice(at..at, word.iter().copied());
            }
            Edit::Remove(at, length) => {
                let at = place(at, &input);
                input.drain(at..input.len().min(at + length));
            }
            Edit::Repeat(at, length, times) => {
                let at = place(at, &input);
                let part = input[at..input.len().min(at + length)].repeat(*times);
                input.splice(at..at, part);
            }
            Edit::Splice(at, seed, from) => {
                let other = seed.get(seeds);
                input.truncate(place(at, &input));
                input.extend(&other[from.index(other.len() + 1)..]);
            }
        }
    }
    input
}

fn fuzz(name: &str) {
    let target: &Target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let seeds = (target.seeds)();
    for seed in &seeds {
        (target.run)(seed);
    }
    let cases = std::env::var("BUCKETRY_FUZZ_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let inputs = (select(seeds.clone()), vec(edit(), 0..8));
    TestRunner::new(config)
        .run(&inputs, |(seed, edits)| {
            (target.run)(&apply(&edits, seed, &seeds));
            Ok(())
        })
        .unwrap();
}

/// One test per target, so that they run side by side and fail by name.
macro_rules! fuzzed {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                fuzz(stringify!($name));
            }
        )*

        #[test]
        fn every_target_has_its_test() {
            let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

fuzzed!(
    authorization,
    presigned_query,
    request,
    chunk_framing,
    xml,
    range,
    copy_source,
    ip_list,
    forwarding,
    proxy_protocol,
    post_form,
);

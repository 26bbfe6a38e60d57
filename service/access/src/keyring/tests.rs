use hmac::Mac as _;

use super::*;

pub(crate) const FIRST: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
pub(crate) const SECOND: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

pub(crate) fn keyring(active: u32) -> Keyring {
    Keyring::parse(&format!(
        "active = {active}\n[keys]\n1 = \"{FIRST}\"\n2 = \"{SECOND}\"\n"
    ))
    .unwrap()
}

#[test]
fn toml_json_hex_and_base64_are_the_same_keyring() {
    let base64 = STANDARD.encode(hex::decode(FIRST).unwrap());
    for text in [
        format!("active = 7\n[keys]\n7 = \"{FIRST}\""),
        format!("active = 7\n[keys]\n7 = \"{base64}\""),
        format!("{{\"active\": 7, \"keys\": {{\"7\": \"{FIRST}\"}}}}"),
        format!("\n {{\"keys\": {{\"7\": \"{base64}\"}}, \"active\": 7}}\n"),
    ] {
        let ring = Keyring::parse(&text).unwrap();
        assert_eq!(ring.active_id(), KekId(7));
        assert_eq!(
            ring.active_key(KeyPurpose::TokenSeal).expose(),
            keyring(1).active_key(KeyPurpose::TokenSeal).expose()
        );
    }
}

#[test]
fn derived_keys_are_hkdf_sha256_and_never_move() {
    // Computed apart: HMAC-based extract with a zero salt, then one expand block (RFC 5869).
    let mac = |key: &[u8], parts: &[&[u8]]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes()
    };
    let pseudo_random_key = mac(&[0; 32], &[&hex::decode(FIRST).unwrap()]);
    for purpose in [
        KeyPurpose::TokenSeal,
        KeyPurpose::SessionMac,
        KeyPurpose::PageTokenMac,
        KeyPurpose::Canary,
    ] {
        let expected = mac(&pseudo_random_key, &[purpose.label().as_bytes(), &[1]]);
        assert_eq!(keyring(1).active_key(purpose).expose()[..], expected[..]);
    }
}

#[test]
fn purposes_and_keys_are_apart() {
    let ring = keyring(1);
    let mut seen = std::collections::HashSet::new();
    for id in ring.ids() {
        for purpose in [
            KeyPurpose::TokenSeal,
            KeyPurpose::SessionMac,
            KeyPurpose::PageTokenMac,
            KeyPurpose::Canary,
        ] {
            assert!(seen.insert(*ring.key(id, purpose).unwrap().expose()));
        }
    }
    assert_eq!(seen.len(), 8);
}

#[test]
fn mac_is_the_general_hmac() {
    let ring = keyring(1);
    let key = ring.active_key(KeyPurpose::SessionMac);
    let mut general = Hmac::<Sha256>::new_from_slice(key.expose()).unwrap();
    general.update(b"text");
    let mut ours = key.mac();
    ours.update(b"text");
    assert_eq!(
        ours.finalize().into_bytes(),
        general.finalize().into_bytes()
    );
}

#[test]
fn a_made_keyring_is_read_back() {
    let text = Keyring::generate_text().unwrap();
    assert_eq!(Keyring::parse(&text).unwrap().active_id(), KekId(1));
    assert_ne!(*text, *Keyring::generate_text().unwrap());
}

#[test]
fn faults_are_named_and_never_quote_the_key() {
    let zeros = "0".repeat(64);
    let cases = [
        (String::new(), "Syntax"),
        (FIRST.to_owned(), "Syntax"),
        (format!("active = \"{FIRST}\"\n[keys]\n"), "Syntax"),
        (
            format!("{{\"active\": \"{FIRST}\", \"keys\": {{}}}}"),
            "Syntax",
        ),
        (
            format!("active = 1\nextra = \"{FIRST}\"\n[keys]\n1 = \"{FIRST}\""),
            "Syntax",
        ),
        (
            format!("active = 1\n[keys]\n1 = \"{FIRST}\"\n1 = \"{SECOND}\""),
            "Syntax",
        ),
        (format!("active = 1\n[keys]\n{FIRST} = \"1\""), "KeyId"),
        (format!("active = 1\n[keys]\n01 = \"{FIRST}\""), "KeyId"),
        (format!("active = 0\n[keys]\n0 = \"{FIRST}\""), "KeyId"),
        (
            format!("active = 1\n[keys]\n1 = \"{}\"", &FIRST[2..]),
            "KeyText",
        ),
        (
            format!("active = 1\n[keys]\n1 = \"{}zz\"", &FIRST[2..]),
            "KeyText",
        ),
        (
            format!("active = 1\n[keys]\n1 = \"{zeros}\""),
            "Placeholder",
        ),
        (
            format!("active = 2\n[keys]\n1 = \"{FIRST}\""),
            "ActiveMissing",
        ),
    ];
    for (text, expected) in cases {
        let error = Keyring::parse(&text).unwrap_err();
        let shown = format!("{error:?} {error}");
        assert!(shown.starts_with(expected), "{text}: {shown}");
        assert!(!shown.contains(&FIRST[4..24]), "{shown}");
    }
}

#[test]
fn debug_shows_ids_only() {
    let shown = format!("{:?}", keyring(2));
    assert_eq!(
        shown,
        "Keyring { active: KekId(2), ids: [KekId(1), KekId(2)], .. }"
    );
}

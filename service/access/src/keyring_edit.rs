//! Changes of a keyring's text, as its rotation needs them.

use std::fmt::Write as _;

use zeroize::{Zeroize, Zeroizing};

use super::entropy::EntropyError;
use super::keyring::{KekId, Keyring, KeyringError, KeyringText, parse_text, random_key_text};

/// A change of a keyring's text. Servers work with it after they have read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyringEdit {
    /// Adds a random key; without a number, under the one after the highest. It does not seal until it is active.
    Add(Option<KekId>),
    /// Lets this key seal.
    Activate(KekId),
    /// Removes a key that is not active.
    Remove(KekId),
}

/// Why a keyring's text cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringEditError {
    /// The text is no keyring.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The number is taken.
    #[error("the keyring has a key {0} already")]
    Taken(KekId),
    /// There is no such key.
    #[error("the keyring has no key {0}")]
    Absent(KekId),
    /// The active key cannot be removed.
    #[error(
        "key {0} is active: make another key active first, and wait until this one seals nothing"
    )]
    Active(KekId),
    /// The highest number is taken.
    #[error("there is no number after the highest key's: give one")]
    NoNumber,
    /// No randomness for a new key.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// The changed text, in the same form (TOML or JSON), and the key that the change was about. Comments are not kept.
///
/// # Errors
/// [`KeyringEditError`]; it never repeats key material.
pub(super) fn edit_text(
    text: &str,
    edit: KeyringEdit,
) -> Result<(Zeroizing<String>, KekId), KeyringEditError> {
    let keyring = Keyring::parse(text)?;
    let mut content = parse_text(text)?;
    let there = |id: KekId| {
        keyring
            .has(id)
            .then_some(id)
            .ok_or(KeyringEditError::Absent(id))
    };
    let id = match edit {
        KeyringEdit::Add(number) => {
            let id = number.map_or_else(|| next_id(&keyring), Ok)?;
            if keyring.has(id) {
                return Err(KeyringEditError::Taken(id));
            }
            let key = random_key_text()?.to_string();
            content.keys.insert(id.to_string(), key);
            id
        }
        KeyringEdit::Activate(id) => {
            content.active = there(id)?.get();
            id
        }
        KeyringEdit::Remove(id) => {
            if there(id)? == keyring.active_id() {
                return Err(KeyringEditError::Active(id));
            }
            if let Some(mut key) = content.keys.remove(&id.to_string()) {
                key.zeroize();
            }
            id
        }
    };
    let changed = if text.trim_start().starts_with('{') {
        json(&content)
    } else {
        toml(&content)
    };
    Ok((changed, id))
}

fn next_id(keyring: &Keyring) -> Result<KekId, KeyringEditError> {
    keyring
        .ids()
        .last()
        .and_then(|id| id.get().checked_add(1))
        .and_then(KekId::new)
        .ok_or(KeyringEditError::NoNumber)
}

/// Hexadecimal digits and base64 need no escapes in either form.
fn toml(content: &KeyringText) -> Zeroizing<String> {
    let mut text = with_room(content);
    write_to(
        &mut text,
        &format_args!("active = {}\n\n[keys]\n", content.active),
    );
    for (id, key) in in_order(content) {
        write_to(&mut text, &format_args!("{id} = \"{key}\"\n"));
    }
    text
}

fn json(content: &KeyringText) -> Zeroizing<String> {
    let mut text = with_room(content);
    write_to(
        &mut text,
        &format_args!("{{\"active\": {}, \"keys\": {{", content.active),
    );
    for (place, (id, key)) in in_order(content).into_iter().enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        write_to(&mut text, &format_args!("{comma}\"{id}\": \"{key}\""));
    }
    write_to(&mut text, &format_args!("}}}}\n"));
    text
}

/// Room for all at once: a growing string would leave unwiped copies behind.
fn with_room(content: &KeyringText) -> Zeroizing<String> {
    Zeroizing::new(String::with_capacity(64 + 128 * content.keys.len()))
}

fn write_to(text: &mut String, piece: &std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = text.write_fmt(*piece);
}

fn in_order(content: &KeyringText) -> Vec<(&str, &str)> {
    let mut keys: Vec<(&str, &str)> = content
        .keys
        .iter()
        .map(|(id, key)| (id.as_str(), key.as_str()))
        .collect();
    keys.sort_by_key(|(id, _)| KekId::parse(id));
    keys
}

#[cfg(test)]
mod tests {
    use super::super::keyring::tests::{FIRST, SECOND};
    use super::*;

    fn id(number: u32) -> KekId {
        KekId::new(number).unwrap()
    }

    fn edited(text: &str, edit: KeyringEdit) -> String {
        edit_text(text, edit).unwrap().0.to_string()
    }

    #[test]
    fn a_whole_rotation_in_both_forms() {
        for text in [
            format!("active = 9\n# old\n[keys]\n9 = \"{FIRST}\"\n"),
            format!("{{\"keys\": {{\"9\": \"{FIRST}\"}}, \"active\": 9}}"),
        ] {
            let (added, new) = edit_text(&text, KeyringEdit::Add(None)).unwrap();
            assert_eq!(new, id(10));
            let ring = Keyring::parse(&added).unwrap();
            assert_eq!((ring.active_id(), ring.ids().count()), (id(9), 2));
            assert!(added.contains(FIRST));
            let active = edited(&added, KeyringEdit::Activate(new));
            assert_eq!(Keyring::parse(&active).unwrap().active_id(), new);
            let removed = edited(&active, KeyringEdit::Remove(id(9)));
            let ring = Keyring::parse(&removed).unwrap();
            assert_eq!(ring.ids().collect::<Vec<_>>(), [new]);
            assert!(!removed.contains(FIRST));
            assert_eq!(removed.starts_with('{'), text.starts_with('{'));
        }
    }

    #[test]
    fn keys_stand_in_the_order_of_their_numbers() {
        let text = format!("active = 10\n[keys]\n10 = \"{FIRST}\"\n9 = \"{SECOND}\"\n");
        assert_eq!(
            edited(&text, KeyringEdit::Activate(id(9))),
            format!("active = 9\n\n[keys]\n9 = \"{SECOND}\"\n10 = \"{FIRST}\"\n")
        );
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let text = format!("active = 1\n[keys]\n1 = \"{FIRST}\"\n2 = \"{SECOND}\"\n");
        let highest = format!("active = 4294967295\n[keys]\n4294967295 = \"{FIRST}\"\n");
        for (text, edit, expected) in [
            (
                &text,
                KeyringEdit::Add(Some(id(2))),
                KeyringEditError::Taken(id(2)),
            ),
            (
                &text,
                KeyringEdit::Activate(id(3)),
                KeyringEditError::Absent(id(3)),
            ),
            (
                &text,
                KeyringEdit::Remove(id(3)),
                KeyringEditError::Absent(id(3)),
            ),
            (
                &text,
                KeyringEdit::Remove(id(1)),
                KeyringEditError::Active(id(1)),
            ),
            (&highest, KeyringEdit::Add(None), KeyringEditError::NoNumber),
        ] {
            assert_eq!(edit_text(text, edit).err(), Some(expected));
        }
        assert!(matches!(
            edit_text("nothing", KeyringEdit::Add(None)),
            Err(KeyringEditError::Keyring(_))
        ));
    }
}

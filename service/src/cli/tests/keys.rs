//! What the commands on keys ask a server for, and what they print of its answers.

use bucketry_contract::v1::{
    AdminKey, AdminKeyScope, CreateAccountKeyRequest, CreateAccountKeyResponse,
    ListAdminKeysRequest, ListAdminKeysResponse, RevokeAdminKeyRequest, RevokeAdminKeyResponse,
    TokenState, TokenUse,
};
use prost::Message;
use prost_types::Timestamp;

use super::*;

const CREATE: &str = "/bucketry.v1.AdminService/CreateAccountKey";
const LIST: &str = "/bucketry.v1.AdminService/ListAdminKeys";
const REVOKE: &str = "/bucketry.v1.AdminService/RevokeAdminKey";

fn laptop() -> AdminKey {
    AdminKey {
        key_id: "17".into(),
        access_key_id: "BKTY17".into(),
        account_id: "5".into(),
        name: "laptop".into(),
        create_time: Some(Timestamp {
            seconds: 100,
            nanos: 0,
        }),
        scope: AdminKeyScope::Account.into(),
        state: TokenState::Active.into(),
        created_by: "BKTY1".into(),
        last_use: Some(TokenUse {
            time: Some(Timestamp {
                seconds: 940,
                nanos: 0,
            }),
            ..TokenUse::default()
        }),
        ..AdminKey::default()
    }
}

fn created() -> Vec<u8> {
    CreateAccountKeyResponse {
        key: Some(laptop()),
        secret_access_key: "bkty_17".into(),
    }
    .encode_to_vec()
}

fn asked<M: Message + Default>(fake: &Fake, number: usize) -> M {
    let asked = fake.asked.lock().unwrap();
    M::decode(asked[number].2.clone()).unwrap()
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[tokio::test]
async fn an_administrators_key_is_created_in_the_own_account_unless_another_is_named() {
    let fake = Fake::default().answers(CREATE, [created(), created()]);
    let (out, _) = (fake.run(&words("key create --administrator laptop --output env")))
        .await
        .unwrap();
    assert_eq!(
        out,
        "BUCKETRY_ACCESS_KEY_ID=BKTY17\nBUCKETRY_SECRET_ACCESS_KEY=bkty_17\n"
    );
    let line = words("key create --administrator laptop --account 5");
    let (out, _) = fake.run(&line).await.unwrap();
    for value in ["laptop", "17", "BKTY17", "bkty_17"] {
        assert!(
            out.lines()
                .any(|line| line.ends_with(&format!("  {value}"))),
            "{out}"
        );
    }
    for (number, account_id) in ["", "5"].into_iter().enumerate() {
        let request = CreateAccountKeyRequest {
            account_id: account_id.into(),
            name: "laptop".into(),
        };
        assert_eq!(asked::<CreateAccountKeyRequest>(&fake, number), request);
    }
}

#[test]
fn an_account_is_named_for_an_administrators_key_only() {
    for line in [
        "bucketry key create",
        "bucketry key create --account 5",
        "bucketry key create --operator a --account 5",
        "bucketry key create --operator a --administrator b",
    ] {
        assert!(Cli::try_parse_from(words(line)).is_err(), "{line}");
    }
}

#[tokio::test]
async fn every_page_of_the_keys_is_listed() {
    let page = |next: &str| {
        ListAdminKeysResponse {
            keys: vec![laptop()],
            next_page_token: next.into(),
        }
        .encode_to_vec()
    };
    let fake = Fake::default().answers(LIST, [page("more"), page("")]);
    let (out, _) = fake.run(&words("key list --account 5")).await.unwrap();
    let lines: Vec<Vec<&str>> = out.lines().map(words).collect();
    assert_eq!(lines.len(), 3, "{out}");
    let row = "laptop account 5 17 BKTY17 1970-01-01T00:01:40Z 1m ago -";
    assert_eq!(lines[1], words(row));
    let second = asked::<ListAdminKeysRequest>(&fake, 1);
    assert_eq!(
        (second.account_id.as_str(), second.page_token.as_str()),
        ("5", "more")
    );
}

#[tokio::test]
async fn a_revoked_key_is_named() {
    let answer = RevokeAdminKeyResponse {
        key: Some(laptop()),
    };
    let fake = Fake::default().answers(REVOKE, [answer.encode_to_vec(), answer.encode_to_vec()]);
    let (out, _) = fake.run(&words("key revoke 17")).await.unwrap();
    assert_eq!(out, "revoked BKTY17\n");
    let (out, _) = fake
        .run(&words("key revoke 17 --output json"))
        .await
        .unwrap();
    assert!(out.contains("\"accessKeyId\""), "{out}");
    assert_eq!(asked::<RevokeAdminKeyRequest>(&fake, 0).key_id, "17");
}

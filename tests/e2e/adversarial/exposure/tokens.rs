//! What administrators of tokens see: secrets, names, lists.

use std::collections::BTreeSet;

use bucketry_contract::v1::{
    CreateTokenRequest, ListTokenAuditEventsRequest, ListTokensRequest, Permission,
    ShowTokenSecretRequest,
};
use bucketry_tests::error::HarnessError;
use bucketry_tests::grpc::Clients;
use tonic::Code;

use crate::wire::{BUCKET, Wire};

/// Who shows a secret again is told by the audit; who may not, by the walk (`ShowTokenSecret`, for every token, another
/// account and nobody).
#[tokio::test]
async fn each_show_of_a_secret_is_audited() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    let (token, _) = root.create_token(BUCKET, Permission::ReadOnly).await?;
    for showings in 1..=3 {
        let show = ShowTokenSecretRequest {
            bucket: BUCKET.to_owned(),
            token_id: token.token_id.clone(),
        };
        root.tokens.show_token_secret(show).await?;
        let list = ListTokenAuditEventsRequest {
            bucket: BUCKET.to_owned(),
            token_id: token.token_id.clone(),
            ..Default::default()
        };
        let events = root
            .tokens
            .list_token_audit_events(list)
            .await?
            .into_inner()
            .events;
        let shown = events.iter().filter(|event| event.action.contains("show"));
        assert_eq!(shown.count(), showings, "{events:?}");
        assert!(
            events.iter().all(|event| !event.actor.is_empty()),
            "{events:?}"
        );
    }
    Ok(())
}

fn named(name: &str) -> CreateTokenRequest {
    CreateTokenRequest {
        bucket: BUCKET.to_owned(),
        name: name.to_owned(),
        permission: Permission::ReadOnly.into(),
        ..Default::default()
    }
}

/// Names are text: markup is kept as it is (it is for whoever shows it to escape), what would steer a terminal or end a
/// string is refused.
#[tokio::test]
async fn token_names_keep_markup_and_refuse_control_characters() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let mut root = Clients::root(&wire.server).await?;
    let (long, longest) = ("é".repeat(129), "é".repeat(128));
    let much = "x".repeat(10_000);
    for name in [
        "",
        " ",
        "a\0b",
        "a\nb",
        "a\r\nb",
        "\u{1b}[2J",
        "\u{85}",
        &long,
        &much,
    ] {
        let refused = root.tokens.create_token(named(name)).await.unwrap_err();
        assert_eq!(
            refused.code(),
            Code::InvalidArgument,
            "{name:?}: {refused:?}"
        );
        assert!(refused.message().len() < 500, "{}", refused.message().len());
    }
    let kept = [
        "<img src=x onerror=alert(1)>",
        "'; DROP TABLE access_keys; --",
        "=1+1",
        "a,\"b\"",
        &longest,
    ];
    for name in kept {
        let made = root.tokens.create_token(named(name)).await?.into_inner();
        assert_eq!(made.token.map(|token| token.name).as_deref(), Some(name));
    }
    let list = ListTokensRequest {
        bucket: BUCKET.to_owned(),
        ..Default::default()
    };
    let listed = root.tokens.list_tokens(list).await?.into_inner().tokens;
    for name in kept {
        assert!(listed.iter().any(|token| token.name == name), "{name}");
    }
    Ok(())
}

/// A thousand tokens at once, all of one name: each has its own id and key, and the list has them all.
#[tokio::test]
async fn a_thousand_tokens_of_one_name_differ() -> Result<(), HarnessError> {
    let wire = Wire::start().await?;
    let root = Clients::root(&wire.server).await?;
    let mut creators = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut root = root.clone();
        creators.spawn(async move {
            let mut made = Vec::new();
            for _ in 0..50 {
                let answer = root.tokens.create_token(named("the same")).await?;
                let token = answer.into_inner().token;
                made.extend(token.map(|token| (token.token_id, token.access_key_id)));
            }
            Ok::<_, tonic::Status>(made)
        });
    }
    let mut ids = BTreeSet::new();
    let mut keys = BTreeSet::new();
    while let Some(made) = creators.join_next().await {
        for (id, key) in made.unwrap()? {
            ids.insert(id);
            keys.insert(key);
        }
    }
    assert_eq!((ids.len(), keys.len()), (1000, 1000));
    let mut listed = BTreeSet::new();
    let mut root = root;
    let mut page_token = String::new();
    loop {
        let list = ListTokensRequest {
            bucket: BUCKET.to_owned(),
            page_size: 300,
            page_token,
        };
        let page = root.tokens.list_tokens(list).await?.into_inner();
        listed.extend(page.tokens.into_iter().map(|token| token.token_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!(ids.is_subset(&listed));
    Ok(())
}

//! Edits of tokens: expiry, limits, names and lists; what an edit may not change, and edits at the same time.

use std::collections::BTreeSet;
use std::time::Duration;

use bucketry_contract::v1::{
    CreateTokenRequest, Permission, Token, TokenLimits, TokenState, UpdateTokenRequest,
};
use bucketry_tests::error::HarnessError;
use prost_types::{FieldMask, Timestamp};

use super::{BUCKET, Scene, of, on_both_engines, reason, soon};

on_both_engines! {
    expiry_and_limits_are_edited,
    edits_that_change_nothing_leave_no_trace,
    edits_at_the_same_time_leave_a_whole_chain,
    what_never_changes_is_refused_by_name,
    warnings_are_told_without_saving,
}

async fn warnings_are_told_without_saving(scene: &mut Scene) -> Result<(), HarnessError> {
    let elsewhere = vec!["192.0.2.0/24".to_owned()];
    let create = CreateTokenRequest {
        bucket: BUCKET.to_owned(),
        name: "checked".to_owned(),
        permission: Permission::ReadOnly.into(),
        allowed_ips: elsewhere.clone(),
        validate_only: true,
        ..Default::default()
    };
    let checked = scene.root.tokens.create_token(create.clone()).await?;
    let checked = checked.into_inner();
    assert!(
        checked.warnings[0].contains("your own address"),
        "{checked:?}"
    );
    assert_eq!((checked.token, checked.credentials), (None, None));
    assert_eq!(scene.list(BUCKET).await?, []);
    let wrong = CreateTokenRequest {
        allowed_ips: vec!["everywhere".to_owned()],
        ..create
    };
    let refused = scene.root.tokens.create_token(wrong).await;
    assert_eq!(reason(refused), "ERROR_REASON_INVALID_ARGUMENT");

    let (token, _) = scene.token(Permission::ReadOnly).await?;
    let update = |version| UpdateTokenRequest {
        token: Some(Token {
            allowed_ips: elsewhere.clone(),
            version,
            ..of(&token)
        }),
        update_mask: Some(FieldMask {
            paths: vec!["allowed_ips".to_owned()],
        }),
        validate_only: true,
    };
    let checked = scene
        .root
        .tokens
        .update_token(update(token.version))
        .await?;
    let checked = checked.into_inner();
    assert!(
        checked.warnings[0].contains("your own address"),
        "{checked:?}"
    );
    assert_eq!(checked.token.unwrap_or_default().allowed_ips, elsewhere);
    assert_eq!(scene.get(BUCKET, &token.token_id).await?, token);
    let moved = scene
        .root
        .tokens
        .update_token(update(token.version + 1))
        .await;
    assert_eq!(reason(moved), "ERROR_REASON_VERSION_CONFLICT");
    Ok(())
}

async fn expiry_and_limits_are_edited(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, credentials) = scene
        .make(CreateTokenRequest {
            permission: Permission::ReadOnly.into(),
            expire_time: Some(soon(Duration::from_secs(1))),
            ..Default::default()
        })
        .await?;
    // The time is the server's: it is asked until it says so.
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while scene.head_bucket(&credentials)? == 200 {
        assert!(std::time::Instant::now() < deadline, "does not expire");
    }
    let expired = scene.get(BUCKET, &token.token_id).await?;
    assert_eq!(expired.state(), TokenState::Expired);
    assert_eq!(scene.head_bucket(&credentials)?, 403);

    let later = Token {
        expire_time: Some(soon(Duration::from_secs(3_600))),
        ..of(&token)
    };
    let edited = scene.edit(later.clone(), &["expire_time"]).await?;
    assert_eq!(
        (edited.state(), edited.version),
        (TokenState::Active, expired.version + 1)
    );
    assert_eq!(scene.head_bucket(&credentials)?, 200);

    let past = Token {
        expire_time: Some(Timestamp {
            seconds: 1,
            nanos: 0,
        }),
        ..of(&token)
    };
    let refused = scene.edit(past, &["expire_time"]).await;
    assert_eq!(reason(refused), "ERROR_REASON_INVALID_ARGUMENT");
    let lifted = scene.edit(of(&token), &["expire_time"]).await?;
    assert_eq!(lifted.expire_time, None);

    let limits = TokenLimits {
        requests_per_second: 7,
        bytes_per_day: 1 << 40,
    };
    let limited = Token {
        limits: Some(limits),
        ..of(&token)
    };
    assert_eq!(scene.edit(limited, &["limits"]).await?.limits, Some(limits));
    assert_eq!(
        scene.get(BUCKET, &token.token_id).await?.limits,
        Some(limits)
    );
    assert_eq!(scene.edit(of(&token), &["limits"]).await?.limits, None);
    for wrong in [-1, 1_000_001] {
        let limits = TokenLimits {
            requests_per_second: wrong,
            bytes_per_day: 0,
        };
        let wrong = Token {
            limits: Some(limits),
            ..of(&token)
        };
        let refused = scene.edit(wrong, &["limits"]).await;
        assert_eq!(reason(refused), "ERROR_REASON_INVALID_ARGUMENT");
    }

    // Before and after, of all that can be edited.
    let events = scene.audit(BUCKET, &token.token_id).await?;
    let details: Vec<serde_json::Value> = events
        .iter()
        .filter(|event| event.action == "token.update")
        .map(|event| serde_json::from_str(&event.details).unwrap())
        .collect();
    assert_eq!(details.len(), 4);
    for edit in &details {
        for side in ["before", "after"] {
            let fields: BTreeSet<&str> = edit[side]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let wanted = [
                "name",
                "allowed_ips",
                "disallowed_ips",
                "expire_time",
                "limits",
            ];
            assert_eq!(fields, BTreeSet::from(wanted));
        }
    }
    assert_eq!(details[0]["before"]["limits"]["requests_per_second"], 7);
    assert!(details[0]["after"]["limits"]["requests_per_second"].is_null());
    assert!(details[3]["after"]["expire_time"].is_string());
    Ok(())
}

async fn edits_that_change_nothing_leave_no_trace(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, _) = scene.token(Permission::ReadOnly).await?;
    let same = Token {
        name: token.name.clone(),
        ..of(&token)
    };
    let paths = [
        "name",
        "allowed_ips",
        "disallowed_ips",
        "expire_time",
        "limits",
    ];
    let edited = scene.edit(same.clone(), &paths).await?;
    assert_eq!(
        (edited.version, &edited.update_time),
        (token.version, &token.update_time)
    );
    let events = scene.audit(BUCKET, &token.token_id).await?;
    assert_eq!(events.len(), 1, "{events:?}");
    // The version counts for such an edit too, and so does revocation.
    let stale = Token {
        version: token.version + 1,
        ..same.clone()
    };
    let refused = scene.edit(stale, &["name"]).await;
    assert_eq!(reason(refused), "ERROR_REASON_VERSION_CONFLICT");
    scene.revoke(&token.token_id).await?;
    let refused = scene.edit(same, &["name"]).await;
    assert_eq!(reason(refused), "ERROR_REASON_TOKEN_REVOKED");
    Ok(())
}

/// Edits without a version come one after the other, and each record has what was really there before it; of those at one
/// version a single one wins.
async fn edits_at_the_same_time_leave_a_whole_chain(scene: &mut Scene) -> Result<(), HarnessError> {
    const EDITORS: usize = 6;
    let (token, _) = scene.token(Permission::ReadOnly).await?;
    let renamed = |number: usize, version: i64| UpdateTokenRequest {
        token: Some(Token {
            name: format!("name {number}"),
            version,
            ..of(&token)
        }),
        update_mask: Some(FieldMask {
            paths: vec!["name".to_owned()],
        }),
        ..Default::default()
    };
    let clients = vec![scene.root.tokens.clone(); EDITORS];
    let edits = clients
        .iter()
        .cloned()
        .enumerate()
        .map(|(number, mut tokens)| async move { tokens.update_token(renamed(number, 0)).await });
    for edited in futures::future::join_all(edits).await {
        edited?;
    }
    let now = scene.get(BUCKET, &token.token_id).await?;
    assert_eq!(now.version, token.version + EDITORS as i64);

    let same = clients.into_iter().enumerate().map(|(number, mut tokens)| {
        let edit = renamed(number + 100, now.version);
        async move { tokens.update_token(edit).await }
    });
    let answers = futures::future::join_all(same).await;
    let won = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(won, 1, "{answers:?}");
    for lost in answers.into_iter().filter(Result::is_err) {
        assert_eq!(reason(lost), "ERROR_REASON_VERSION_CONFLICT");
    }

    // Each edit begins where another ended.
    let mut ends: Vec<(String, String)> = Vec::new();
    for event in scene.audit(BUCKET, &token.token_id).await? {
        if event.action == "token.update" {
            let details: serde_json::Value = serde_json::from_str(&event.details).unwrap();
            let name = |side: &str| details[side]["name"].as_str().unwrap().to_owned();
            ends.push((name("before"), name("after")));
        }
    }
    assert_eq!(ends.len(), EDITORS + 1);
    let mut at = token.name.clone();
    while let Some(next) = ends.iter().position(|(before, _)| *before == at) {
        at = ends.swap_remove(next).1;
    }
    assert!(ends.is_empty(), "{ends:?}");
    assert_eq!(at, scene.get(BUCKET, &token.token_id).await?.name);
    Ok(())
}

async fn what_never_changes_is_refused_by_name(scene: &mut Scene) -> Result<(), HarnessError> {
    let (token, _) = scene.token(Permission::ReadOnly).await?;
    let edit = Token {
        permission: Permission::ReadWrite.into(),
        access_key_id: "BKTYAAAAAAAAAAAAAAAA".to_owned(),
        name: "another".to_owned(),
        ..of(&token)
    };
    for path in ["permission", "access_key_id", "secret_access_key", "state"] {
        let Err(status) = scene.edit(edit.clone(), &["name", path]).await else {
            panic!("{path} was changed");
        };
        assert!(status.message().contains(path), "{status:?}");
        let refused = scene.edit(edit.clone(), &[path]).await;
        assert_eq!(reason(refused), "ERROR_REASON_IMMUTABLE_FIELD", "{path}");
    }
    let after = scene.get(BUCKET, &token.token_id).await?;
    assert_eq!(after, token);
    Ok(())
}

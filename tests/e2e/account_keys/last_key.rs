//! An account keeps its last usable administrator key, unless an operator revokes it.

use bucketry_tests::error::HarnessError;

use super::{
    ACCESS_DENIED, INVALID_ACCESS_KEY_ID, LAST_ADMIN_KEY, NO_SUCH_TOKEN, Scene, list,
    on_both_engines, reason, revoke,
};

on_both_engines! {
    an_account_keeps_its_last_key,
    keys_that_revoke_each_other_leave_one,
    keys_that_revoke_themselves_leave_one,
}

/// How often each race is run.
const ROUNDS: usize = 20;

async fn an_account_keeps_its_last_key(scene: &mut Scene) -> Result<(), HarnessError> {
    let mut first = scene.account("own").await?;
    // A key of another account does not help.
    let mut other = scene.account("other").await?;
    scene.another(&mut other).await?;
    let refused = revoke(&mut first.clients, &first.access_key_id).await;
    let status = refused.as_ref().expect_err("a refusal");
    let advice = status.message().to_owned();
    assert!(advice.contains("key create --administrator"), "{advice}");
    assert_eq!(reason(refused), LAST_ADMIN_KEY);
    first.clients.create_bucket("still-there").await?;

    // The key that makes the call may go once there is another.
    let mut second = scene.another(&mut first).await?;
    revoke(&mut first.clients, &first.access_key_id).await?;
    let refused = list(&mut first.clients, "").await;
    assert_eq!(reason(refused), INVALID_ACCESS_KEY_ID);
    // A revoked key does not count.
    let refused = revoke(&mut second.clients, &second.access_key_id).await;
    assert_eq!(reason(refused), LAST_ADMIN_KEY);
    // To revoke a revoked key changes nothing.
    let again = revoke(&mut second.clients, &first.access_key_id).await?;
    assert!(again.revoke_time.is_some());

    revoke(&mut scene.root, &second.access_key_id).await?;
    assert!(scene.usable(&first.account).await?.is_empty());
    let refused = list(&mut second.clients, "").await;
    assert_eq!(reason(refused), INVALID_ACCESS_KEY_ID);
    Ok(())
}

async fn keys_that_revoke_each_other_leave_one(scene: &mut Scene) -> Result<(), HarnessError> {
    for round in 0..ROUNDS {
        let mut one = scene.account(&format!("team {round}")).await?;
        let mut other = scene.another(&mut one).await?;
        let (by_one, by_other) = tokio::join!(
            revoke(&mut one.clients, &other.access_key_id),
            revoke(&mut other.clients, &one.access_key_id),
        );
        assert!(by_one.is_ok() != by_other.is_ok(), "round {round}");
        let (winner, refused) = match by_one.is_ok() {
            true => (&one, by_other),
            false => (&other, by_one),
        };
        // Refused at the commit, or at the next read of its key.
        let refused = reason(refused);
        let lost = [
            ACCESS_DENIED,
            INVALID_ACCESS_KEY_ID,
            LAST_ADMIN_KEY,
            NO_SUCH_TOKEN,
        ];
        assert!(lost.contains(&refused.as_str()), "round {round}: {refused}");
        let left = scene.usable(&one.account).await?;
        assert_eq!(left, [winner.access_key_id.as_str()], "round {round}");
    }
    Ok(())
}

/// Neither commit changes a row that the other depends on.
async fn keys_that_revoke_themselves_leave_one(scene: &mut Scene) -> Result<(), HarnessError> {
    for round in 0..ROUNDS {
        let mut one = scene.account(&format!("team {round}")).await?;
        let mut other = scene.another(&mut one).await?;
        let (first, second) = tokio::join!(
            revoke(&mut one.clients, &one.access_key_id),
            revoke(&mut other.clients, &other.access_key_id),
        );
        assert!(first.is_ok() != second.is_ok(), "round {round}");
        let (left, refused) = match first.is_ok() {
            true => (&other, second),
            false => (&one, first),
        };
        assert_eq!(reason(refused), LAST_ADMIN_KEY, "round {round}");
        let usable = scene.usable(&one.account).await?;
        assert_eq!(usable, [left.access_key_id.as_str()], "round {round}");
    }
    Ok(())
}

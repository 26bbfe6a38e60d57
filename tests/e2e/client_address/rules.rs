//! The lists of a token: which addresses they allow, how they are written and edited.

use bucketry_tests::error::HarnessError;
use bucketry_tests::postgres;
use bucketry_tests::server::ServerOptions;
use futures::future::join_all;

use super::{BUCKET, Doors, LOCALHOST, Verdict, describe, disallow, reason};

/// Whether the token is to be refused from an address, by its lists.
const RULES: [(&[&str], &[&str], &str, Verdict); 9] = [
    (&["10.0.0.0/8"], &[], "127.0.0.1", Verdict::Refused),
    (&["127.0.0.0/8"], &[], "127.0.0.1", Verdict::Allowed),
    (&["127.0.0.0/8"], &[], "127.1.2.3", Verdict::Allowed),
    (
        &["127.0.0.0/8"],
        &["127.1.0.0/16"],
        "127.1.2.3",
        Verdict::Refused,
    ),
    (
        &["127.0.0.0/8"],
        &["127.1.0.0/16"],
        "127.2.0.1",
        Verdict::Allowed,
    ),
    (&["127.2.0.1"], &[], "127.2.0.2", Verdict::Refused),
    (
        &["::ffff:127.0.0.0/104"],
        &[],
        "127.2.0.1",
        Verdict::Allowed,
    ),
    (&["::/0"], &[], "127.0.0.1", Verdict::Refused),
    (&[], &["::/0"], "127.0.0.1", Verdict::Allowed),
];

async fn rules_hold(listen: &str) -> Result<(), HarnessError> {
    let mut doors = Doors::open(ServerOptions::new().listen(listen)).await?;
    for (allow, deny, source, wanted) in RULES {
        let verdict = doors.verdict((allow, deny), source, &[]).await?;
        assert_eq!(verdict, wanted, "{source}: {allow:?} but not {deny:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_disallowed_list_overrides_the_allowed_one() -> Result<(), HarnessError> {
    rules_hold("127.0.0.1:0").await
}

#[tokio::test]
async fn a_dual_stack_listener_judges_ipv4_as_ipv4() -> Result<(), HarnessError> {
    rules_hold("[::]:0").await?;
    let mut doors = Doors::open(ServerOptions::new().listen("[::]:0")).await?;
    let described = describe(doors.channel(LOCALHOST).await?, &[]).await?;
    assert_eq!(
        (
            described.client_address.as_str(),
            described.peer_address.as_str()
        ),
        (LOCALHOST, LOCALHOST)
    );
    for (allow, wanted) in [("::1", Verdict::Allowed), ("127.0.0.0/8", Verdict::Refused)] {
        assert_eq!(
            doors.verdict((&[allow], &[]), "::1", &[]).await?,
            wanted,
            "{allow}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn rules_are_normalised_or_refused_by_name() -> Result<(), HarnessError> {
    let mut doors = Doors::open(ServerOptions::new()).await?;
    for (entry, shown) in [
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("10.0.0.5/24", "10.0.0.0/24"),
        ("10.0.0.5", "10.0.0.5/32"),
        ("2001:DB8::1/32", "2001:db8::/32"),
    ] {
        for (allow, deny) in [(&[entry][..], &[][..]), (&[], &[entry])] {
            let (token, _) = doors.create(allow, deny).await?;
            let lists = [token.allowed_ips, token.disallowed_ips].concat();
            let shown_shortly = shown.trim_end_matches("/32");
            assert!(
                lists == [shown] || lists == [shown_shortly],
                "{entry} is shown as {lists:?}"
            );
        }
    }
    for (entry, why) in [
        ("010.0.0.1", "leading zero"),
        ("0x7f.1", "hexadecimal"),
        ("127.1", "four numbers"),
        ("１２７.0.0.1", "outside ASCII"),
        ("fe80::1%eth0", "zone id"),
        ("1.2.3.4/33", "out of range"),
        ("::/129", "out of range"),
        ("::ffff:10.0.0.0/95", "96 or more"),
        ("1.2.3.4:80", "port"),
        ("10.0.0.1-10.0.0.9", "range"),
        ("10.0.0.*", "wildcard"),
        ("10.0.0.0/255.0.0.0", "netmask"),
        ("[::1]", "brackets"),
        ("example.com", "host name"),
        ("", "empty"),
    ] {
        for (allow, deny) in [(&[entry][..], &[][..]), (&[], &[entry])] {
            let Err(HarnessError::Refused(status)) = doors.create(allow, deny).await else {
                panic!("{entry} was not refused");
            };
            assert_eq!(reason(&status), "ERROR_REASON_INVALID_ARGUMENT", "{entry}");
            let message = status.message();
            assert!(
                message.contains(entry) && message.contains(why),
                "{entry}: {message}"
            );
        }
    }
    let hundred_and_one: Vec<String> = (0..101).map(|n| format!("10.0.0.{n}")).collect();
    let list: Vec<&str> = hundred_and_one.iter().map(String::as_str).collect();
    assert!(doors.create(&list[..100], &[]).await.is_ok());
    let Err(HarnessError::Refused(status)) = doors.create(&list, &[]).await else {
        panic!("101 entries were not refused");
    };
    assert!(status.message().contains("at most 100"), "{status:?}");
    Ok(())
}

async fn one_edit_wins(options: ServerOptions) -> Result<(), HarnessError> {
    const ADMINISTRATORS: usize = 16;
    let mut doors = Doors::open(options).await?;
    let (token, _) = doors.create(&[], &[]).await?;
    let edits = (0..ADMINISTRATORS).map(|number| {
        let (mut root, token) = (doors.root.clone(), token.clone());
        async move {
            let address = format!("10.0.0.{number}/32");
            disallow(&mut root, &token, &address)
                .await
                .map(|token| token.disallowed_ips)
        }
    });
    let answers = join_all(edits).await;
    let won: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    for status in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(reason(status), "ERROR_REASON_VERSION_CONFLICT");
    }
    let kept = bucketry_contract::v1::GetTokenRequest {
        bucket: BUCKET.to_owned(),
        token_id: token.token_id,
    };
    let kept = doors.root.tokens.get_token(kept).await?.into_inner();
    let kept = kept.token.ok_or(HarnessError::Incomplete("token"))?;
    assert_eq!(&kept.disallowed_ips, won[0]);
    Ok(())
}

#[tokio::test]
async fn one_of_two_simultaneous_edits_wins() -> Result<(), HarnessError> {
    one_edit_wins(ServerOptions::new()).await
}

#[tokio::test]
async fn one_of_two_simultaneous_edits_wins_on_postgres() -> Result<(), HarnessError> {
    let url = postgres::create_database().await?;
    one_edit_wins(ServerOptions::new().database_url(&url)).await
}

//! Forwarding headers: read from trusted proxies, ignored from anyone else.

use bucketry_tests::error::HarnessError;
use bucketry_tests::http1::Connection;
use bucketry_tests::server::ServerOptions;

use super::{Doors, LOCALHOST, Verdict, describe, grpc_verdict, listing, s3_verdict};

#[tokio::test]
async fn forwarding_headers_of_untrusted_peers_are_ignored() -> Result<(), HarnessError> {
    const CLAIMED: &str = "192.0.2.1";
    let elsewhere = ServerOptions::new().argument("--trusted-proxy=10.0.0.7,127.0.0.2");
    for options in [ServerOptions::new(), elsewhere] {
        let mut doors = Doors::open(options).await?;
        for name in [
            "X-Forwarded-For",
            "Forwarded",
            "X-Real-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "X-Client-IP",
            "X-Cluster-Client-IP",
            "Fly-Client-IP",
            "X-Forwarded",
            "Forwarded-For",
        ] {
            let element = format!("for={CLAIMED}");
            let value = if name == "Forwarded" {
                &element
            } else {
                CLAIMED
            };
            let headers = [(name, value), (name, value)];
            for headers in [&headers[..1], &headers[..]] {
                for (rule, wanted) in [(CLAIMED, Verdict::Refused), (LOCALHOST, Verdict::Allowed)] {
                    let verdict = doors.verdict((&[rule], &[]), LOCALHOST, headers).await?;
                    assert_eq!(verdict, wanted, "{rule} with {headers:?}");
                }
            }
            let described = describe(doors.channel(LOCALHOST).await?, &[(name, value)]).await?;
            assert_eq!(described.client_address, LOCALHOST);
            assert!(!described.peer_trusted);
        }
    }
    Ok(())
}

#[tokio::test]
async fn x_forwarded_for_from_a_trusted_proxy() -> Result<(), HarnessError> {
    const NAME: &str = "x-forwarded-for";
    let mut doors = Doors::behind("x-forwarded-for").await?;
    for (lines, address) in [
        (&["192.0.2.1"][..], Some("192.0.2.1")),
        // The allowed address first, the attacker's own as the proxy saw it last.
        (&["192.0.2.1, 203.0.113.66"], Some("203.0.113.66")),
        (&["192.0.2.1", "203.0.113.66"], Some("203.0.113.66")),
        (
            &["203.0.113.66, 10.1.2.3", "10.1.2.4"],
            Some("203.0.113.66"),
        ),
        (&["203.0.113.66 \t,\t 10.1.2.3"], Some("203.0.113.66")),
        (&["203.0.113.66:4711"], Some("203.0.113.66")),
        (&["[2001:db9::66]:4711"], Some("2001:db9::66")),
        (&["[2001:db9::66]"], Some("2001:db9::66")),
        (&["2001:db9::66, 2001:db8::1"], Some("2001:db9::66")),
        (&["::ffff:203.0.113.66"], Some("203.0.113.66")),
        (&["10.1.2.3, 10.1.2.4"], Some("10.1.2.3")),
        (&["unknown, 203.0.113.66"], Some("203.0.113.66")),
        (&[], None),
        (&["unknown"], None),
        (&["192.0.2.1, unknown"], None),
        (&["192.0.2.1, _hidden, 10.1.2.3"], None),
        (&["192.0.2.1,"], None),
        (&["192.0.2.1,,10.1.2.3"], None),
        (&["192.0.2.1", ""], None),
        (&["fe80::1%eth0"], None),
        (&["203.0.113.066"], None),
        (&["localhost"], None),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| (NAME, *line)).collect();
        doors.seen(address, &headers).await?;
    }
    // An unknown address is refused by any rule, and by nothing else.
    let unknown = [(NAME, "unknown")];
    for (deny, wanted) in [
        (&["198.51.100.1"][..], Verdict::Refused),
        (&[], Verdict::Allowed),
    ] {
        let verdict = doors.verdict((&[], deny), LOCALHOST, &unknown).await?;
        assert_eq!(verdict, wanted, "{deny:?}");
    }
    // Nothing but the one header is read.
    let others = [
        (NAME, "192.0.2.1"),
        ("forwarded", "for=203.0.113.66"),
        ("x-real-ip", "203.0.113.66"),
    ];
    doors.seen(Some("192.0.2.1"), &others).await?;
    doors.seen(None, &others[1..]).await?;
    Ok(())
}

#[tokio::test]
async fn long_forwarding_headers_from_a_trusted_proxy() -> Result<(), HarnessError> {
    let mut doors = Doors::behind("x-forwarded-for").await?;
    let thousand = vec!["192.0.2.1"; 1000].join(",");
    doors.seen(None, &[("x-forwarded-for", &thousand)]).await?;
    let twenty_one = vec!["192.0.2.1"; 21].join(",");
    doors
        .seen(None, &[("x-forwarded-for", &twenty_one)])
        .await?;

    let huge = "192.0.2.1,".repeat(100 * 1024);
    let credentials = doors.token(&[], &[]).await?;
    let request = listing(&credentials, doors.server.address())?.header("x-forwarded-for", &huge);
    let mut connection = Connection::open(doors.server.address())?;
    // The server need not read all of it.
    let answer = connection
        .send(&request.head())
        .and_then(|()| connection.receive("GET"));
    if let Ok(response) = answer {
        // Above the limit of what is read at all, the HTTP library answers.
        assert_eq!(response.status, 431, "{}", response.text());
    }
    let refused = describe(
        doors.channel(LOCALHOST).await?,
        &[("x-forwarded-for", &huge)],
    )
    .await;
    assert!(
        matches!(refused, Err(HarnessError::Refused(_))),
        "{refused:?}"
    );
    doors
        .seen(Some("192.0.2.1"), &[("x-forwarded-for", "192.0.2.1")])
        .await
}

#[tokio::test]
async fn forwarded_from_a_trusted_proxy() -> Result<(), HarnessError> {
    let mut doors = Doors::behind("forwarded").await?;
    for (lines, address) in [
        (&["for=192.0.2.1"][..], Some("192.0.2.1")),
        (
            &["for=192.0.2.1, For=203.0.113.66;proto=http"],
            Some("203.0.113.66"),
        ),
        (
            &["for=192.0.2.1", "FOR=\"203.0.113.66:80\"; by=10.0.0.1"],
            Some("203.0.113.66"),
        ),
        (
            &["host=\"a;for=192.0.2.1,b\";for=\"[2001:db9::66]:4711\""],
            Some("2001:db9::66"),
        ),
        (
            &["for=unknown, for=203.0.113.66, for=10.0.0.8"],
            Some("203.0.113.66"),
        ),
        (&["for=192.0.2.1, for=unknown"], None),
        (&["for=192.0.2.1, for=_hidden"], None),
        (&["for=192.0.2.1, proto=https"], None),
        (&["for=192.0.2.1,"], None),
        (&["for=\"192.0.2.1"], None),
        // An open quote must not hide what the proxy adds.
        (&["for=192.0.2.1;x=\"", "for=203.0.113.66"], None),
        (&["for=192.0.2.1;x=\", for=203.0.113.66;by=\"_p\""], None),
        (&["192.0.2.1"], None),
        (&[], None),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
        doors.seen(address, &headers).await?;
    }
    doors.seen(None, &[("x-forwarded-for", "192.0.2.1")]).await
}

#[tokio::test]
async fn a_header_of_one_address_from_a_trusted_proxy() -> Result<(), HarnessError> {
    let mut doors = Doors::behind("CF-Connecting-IP").await?;
    for (lines, address) in [
        (&["192.0.2.1"][..], Some("192.0.2.1")),
        (&["2001:db8::7"], Some("2001:db8::7")),
        (&["192.0.2.1", "192.0.2.1"], None),
        (&["192.0.2.1, 192.0.2.2"], None),
        (&["192.0.2.1:80"], None),
        (&["unknown"], None),
        (&[], None),
    ] {
        let headers: Vec<_> = lines
            .iter()
            .map(|line| ("cf-connecting-ip", *line))
            .collect();
        doors.seen(address, &headers).await?;
    }
    Ok(())
}

#[tokio::test]
async fn each_request_of_a_connection_has_its_own_client() -> Result<(), HarnessError> {
    let mut doors = Doors::behind("x-forwarded-for").await?;
    let credentials = doors.token(&["192.0.2.1"], &[]).await?;
    let mut connection = Connection::open(doors.server.address())?;
    let channel = doors.channel(LOCALHOST).await?;
    for (address, wanted) in [
        ("192.0.2.1", Verdict::Allowed),
        ("192.0.2.2", Verdict::Refused),
        ("192.0.2.1", Verdict::Allowed),
    ] {
        let request =
            listing(&credentials, doors.server.address())?.header("x-forwarded-for", address);
        assert_eq!(s3_verdict(&mut connection, &request)?, wanted, "{address}");
        let headers = [("x-forwarded-for", address)];
        let grpc = grpc_verdict(channel.clone(), &credentials, &headers).await?;
        assert_eq!(grpc, wanted, "{address}");
    }
    Ok(())
}

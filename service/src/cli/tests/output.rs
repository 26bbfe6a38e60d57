//! What commands print for answers and refusals.

use bucketry_contract::v1::{
    Account, CreateAccountResponse, CreateTokenRequest, GetCapabilitiesResponse, ListTokensRequest,
    ListTokensResponse, Permission, Token,
};
use prost::Message;

use super::*;
use crate::server::listen;

#[tokio::test]
async fn a_token_is_made_as_the_flags_say() {
    let fake = Fake::default().answers(CREATE_TOKEN, [created()]);
    let line = "token create --bucket photos --name web --permission write-only --allow-ip 10.0.0.0/8 \
                --allow-ip ::1 --deny-ip 10.1.0.0/16 --expires-in 1h --output env";
    let (out, err) = fake
        .run(&line.split_whitespace().collect::<Vec<_>>())
        .await
        .unwrap();
    assert_eq!(
        out,
        "AWS_ENDPOINT_URL=http://127.0.0.1:9000\nBUCKET_NAME=photos\nAWS_ACCESS_KEY_ID=BKTY2\n\
         AWS_SECRET_ACCESS_KEY=bkty_2\n"
    );
    assert_eq!(err, "warning: your own address is not allowed\n");
    let asked = fake.asked.lock().unwrap();
    let (path, credentials, message) = &asked[0];
    assert_eq!(
        (path.as_str(), credentials.as_str()),
        (CREATE_TOKEN, "Bearer session-1")
    );
    let request = CreateTokenRequest::decode(message.clone()).unwrap();
    assert_eq!(
        (request.bucket.as_str(), request.name.as_str()),
        ("photos", "web")
    );
    assert_eq!(request.permission(), Permission::WriteOnly);
    assert_eq!(
        (request.allowed_ips, request.disallowed_ips),
        (
            vec!["10.0.0.0/8".to_owned(), "::1".to_owned()],
            vec!["10.1.0.0/16".to_owned()],
        )
    );
    assert_eq!(request.expire_time.unwrap().seconds, 4_600);
}

#[tokio::test]
async fn json_is_the_contracts_message() {
    let fake = Fake::default().answers(CREATE_TOKEN, [created()]);
    let line = "token create --bucket photos --name web --permission read-only --output json";
    let (out, _) = fake
        .run(&line.split_whitespace().collect::<Vec<_>>())
        .await
        .unwrap();
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["credentials"]["secretAccessKey"], "bkty_2");
    assert_eq!(value["token"]["tokenId"], "t1");
}

#[tokio::test]
async fn an_account_in_shell_form() {
    let account = CreateAccountResponse {
        account: Some(Account {
            account_id: "a1".into(),
            owner_id: "0123abcd".into(),
            display_name: "Team A".into(),
            create_time: None,
        }),
        access_key_id: "BKTY3".into(),
        secret_access_key: "bkty_3".into(),
    };
    let capabilities = GetCapabilitiesResponse {
        endpoint_url: "https://s3.example.com".into(),
        ..GetCapabilitiesResponse::default()
    };
    let fake = Fake::default()
        .answers(
            "/bucketry.v1.ObjectService/GetCapabilities",
            [capabilities.encode_to_vec()],
        )
        .answers(
            "/bucketry.v1.AdminService/CreateAccount",
            [account.encode_to_vec()],
        );
    let (out, _) = fake
        .run(&["account", "create", "Team A", "--output", "env"])
        .await
        .unwrap();
    assert_eq!(
        out,
        "ACCOUNT_ID=0123abcd\nDISPLAY_NAME='Team A'\nAWS_ENDPOINT_URL=https://s3.example.com\n\
         AWS_ACCESS_KEY_ID=BKTY3\nAWS_SECRET_ACCESS_KEY=bkty_3\n"
    );
}

#[tokio::test]
async fn a_list_has_all_pages() {
    let page = |name: &str, next: &str| {
        ListTokensResponse {
            tokens: vec![Token {
                name: name.into(),
                ..Token::default()
            }],
            next_page_token: next.into(),
        }
        .encode_to_vec()
    };
    const LIST: &str = "/bucketry.v1.TokenService/ListTokens";
    let fake = Fake::default().answers(LIST, [page("first", "more"), page("second", "")]);
    let (out, _) = fake.run(&["token", "list", "--bucket", "b"]).await.unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines.len() == 3 && lines[1].contains("first") && lines[2].contains("second"),
        "{out}"
    );
    let asked = fake.asked.lock().unwrap();
    let tokens: Vec<String> = asked
        .iter()
        .map(|(_, _, m)| ListTokensRequest::decode(m.clone()).unwrap().page_token)
        .collect();
    assert_eq!(tokens, ["", "more"]);
}

#[tokio::test]
async fn refusals_show_the_servers_words() {
    let refused = Fake::default()
        .run(&["bucket", "delete", "b"])
        .await
        .unwrap_err();
    assert_eq!(refused.to_string(), "no such thing (NotFound)");
    let env = Fake::default()
        .run(&["token", "show", "--bucket", "b", "t", "--output", "env"])
        .await
        .unwrap_err();
    assert!(matches!(env, CliError::EnvNeedsSecret));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    // Bound and dropped: nobody listens there now.
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let refused = run(&["bucket", "list"], &endpoint).await.unwrap_err();
    assert!(
        matches!(&refused, CliError::Unreachable { .. }),
        "{refused:?}"
    );
    assert!(refused.to_string().contains(&endpoint), "{refused}");
}

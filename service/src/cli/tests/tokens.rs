//! What the commands on tokens ask a server for, and what they print of its answers.

use bucketry_contract::v1::{
    AuditEvent, CreateTokenRequest, Credentials, DecisionReason, DenialCount, ExplainAccessRequest,
    ExplainAccessResponse, GetCapabilitiesResponse, GetTokenResponse, GetTokenUsageRequest,
    GetTokenUsageResponse, ListAuditEventsResponse, ListTokenAuditEventsRequest,
    ListTokenAuditEventsResponse, ListTokenDenialsResponse, ListTokensRequest, ListTokensResponse,
    Permission, PurgeTokenRequest, RequestClass, ShowTokenSecretResponse, Token, TokenDenial,
    TokenLimits, TokenState, TokenUse, UpdateTokenRequest, UpdateTokenResponse, UsageCount,
    UsageHour,
};
use prost::Message;
use prost_types::Timestamp;

use super::*;

const SERVICE: &str = "/bucketry.v1.TokenService/";

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

impl Fake {
    fn of_tokens(method: &str, message: &impl Message) -> Self {
        Self::default().and(method, message)
    }

    fn and(self, method: &str, message: &impl Message) -> Self {
        self.answers(&format!("{SERVICE}{method}"), [message.encode_to_vec()])
    }

    fn request<M: Message + Default>(&self, number: usize) -> M {
        let asked = self.asked.lock().unwrap();
        M::decode(asked[number].2.clone()).unwrap()
    }
}

fn web() -> Token {
    Token {
        token_id: "17".into(),
        bucket: "photos".into(),
        name: "web".into(),
        permission: Permission::ReadOnly.into(),
        allowed_ips: vec!["10.0.0.0/8".into(), "::1".into()],
        disallowed_ips: vec!["10.1.0.0/16".into()],
        access_key_id: "BKTY2".into(),
        state: TokenState::Active.into(),
        version: 3,
        create_time: at(100),
        update_time: at(200),
        expire_time: at(1_000 + 86_400),
        created_by: "BKTY1".into(),
        limits: Some(TokenLimits {
            requests_per_second: 50,
            bytes_per_day: 0,
        }),
        last_use: Some(TokenUse {
            time: at(820),
            client_address: "10.2.0.1".into(),
            user_agent: "aws-cli/2".into(),
            operation: "GetObject".into(),
        }),
        request_count: 12_345,
        ..Token::default()
    }
}

#[tokio::test]
async fn a_list_that_people_like() {
    let plain = Token {
        name: "never used".into(),
        permission: Permission::WriteOnly.into(),
        state: TokenState::Revoked.into(),
        access_key_id: "BKTY3".into(),
        ..Token::default()
    };
    let page = ListTokensResponse {
        tokens: vec![web(), plain],
        next_page_token: String::new(),
    };
    let fake = Fake::of_tokens("ListTokens", &page);
    let (out, _) = fake
        .run(&words("token list --bucket photos"))
        .await
        .unwrap();
    assert_eq!(
        out,
        "NAME        PERMISSION  IPS                             LAST USED  REQUESTS  STATUS   ACCESS KEY ID\n\
         web         read-only   10.0.0.0/8 +1, not 10.1.0.0/16  3m ago     12,345    active   BKTY2\n\
         never used  write-only  any                             never      0         revoked  BKTY3\n"
    );
    assert_eq!(fake.request::<ListTokensRequest>(0).bucket, "photos");
}

#[tokio::test]
async fn tokens_whose_bucket_is_gone() {
    let fake = Fake::of_tokens("ListTokens", &ListTokensResponse::default());
    let (out, _) = fake.run(&words("token list --orphaned")).await.unwrap();
    assert_eq!(out, "no tokens\n");
    assert_eq!(fake.request::<ListTokensRequest>(0).bucket, "");
    for wrong in ["token list", "token list --bucket b --orphaned"] {
        let line = format!("bucketry {wrong}");
        assert!(Cli::try_parse_from(words(&line)).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_token_in_words() {
    let answer = GetTokenResponse { token: Some(web()) };
    let fake = Fake::of_tokens("GetToken", &answer);
    let (out, _) = fake.run(&words("token show BKTY2")).await.unwrap();
    assert_eq!(
        out,
        "Token:           17\n\
         Name:            web\n\
         Bucket:          photos\n\
         Permission:      read-only\n\
         Status:          active\n\
         Access key ID:   BKTY2\n\
         Allowed IPs:     10.0.0.0/8, ::1\n\
         Disallowed IPs:  10.1.0.0/16\n\
         Limits:          50 requests per second\n\
         Last used:       3m ago: GetObject from 10.2.0.1 by aws-cli/2\n\
         Requests:        12,345\n\
         Created:         1970-01-01T00:01:40Z by BKTY1\n\
         Edited:          1970-01-01T00:03:20Z\n\
         Expires:         1970-01-02T00:16:40Z (in 1d)\n\
         Revoked:         -\n\
         Version:         3\n"
    );
}

#[tokio::test]
async fn text_to_paste_has_the_four_values() {
    let secret = ShowTokenSecretResponse {
        credentials: Some(Credentials {
            endpoint_url: "http://localhost:9000".into(),
            bucket: "photos".into(),
            access_key_id: "BKTY2".into(),
            secret_access_key: "bkty_2".into(),
        }),
    };
    let capabilities = GetCapabilitiesResponse {
        region: "eu-1".into(),
        ..GetCapabilitiesResponse::default()
    };
    let fake = Fake::of_tokens("GetToken", &GetTokenResponse { token: Some(web()) })
        .and("ShowTokenSecret", &secret)
        .answers(
            "/bucketry.v1.ObjectService/GetCapabilities",
            [capabilities.encode_to_vec()],
        );
    let line = "token show --bucket photos BKTY2 --snippet aws-cli";
    let (out, _) = fake.run(&words(line)).await.unwrap();
    assert_eq!(
        out,
        "export AWS_ENDPOINT_URL=http://localhost:9000\nexport AWS_DEFAULT_REGION=eu-1\n\
         export AWS_ACCESS_KEY_ID=BKTY2\nexport AWS_SECRET_ACCESS_KEY=bkty_2\naws s3 ls s3://photos/\n"
    );
    let both = "bucketry token show t --snippet env --output json";
    assert!(Cli::try_parse_from(words(both)).is_err());
}

#[tokio::test]
async fn who_made_a_token_hears_how_to_see_it_again() {
    let fake = Fake::default().answers(CREATE_TOKEN, [created()]);
    let line =
        "token create --bucket photos --name web --permission read-only --requests-per-second 5";
    let (out, err) = fake.run(&words(line)).await.unwrap();
    assert!(
        out.contains("bkty_2") && !out.contains("token show"),
        "{out}"
    );
    assert!(
        err.contains("--secret") && err.contains("--snippet"),
        "{err}"
    );
    let request = fake.request::<CreateTokenRequest>(0);
    let limits = TokenLimits {
        requests_per_second: 5,
        bytes_per_day: 0,
    };
    assert_eq!(request.limits, Some(limits));
}

#[tokio::test]
async fn one_limit_is_edited_in_what_both_were() {
    let answer = UpdateTokenResponse {
        token: Some(web()),
        warnings: vec!["only IPv4 is allowed".into()],
    };
    let fake = Fake::of_tokens("GetToken", &GetTokenResponse { token: Some(web()) })
        .and("UpdateToken", &answer);
    let line = "token edit BKTY2 --bytes-per-day 1000 --expires-in 30d";
    let (_, err) = fake.run(&words(line)).await.unwrap();
    assert_eq!(err, "warning: only IPv4 is allowed\n");
    let request = fake.request::<UpdateTokenRequest>(1);
    let token = request.token.unwrap();
    let limits = TokenLimits {
        requests_per_second: 50,
        bytes_per_day: 1_000,
    };
    assert_eq!((token.limits, token.version), (Some(limits), 3));
    assert_eq!(token.expire_time, at(1_000 + 30 * 86_400));
    assert_eq!(
        request.update_mask.unwrap().paths,
        ["expire_time", "limits"]
    );
}

#[tokio::test]
async fn an_explanation() {
    let answer = ExplainAccessResponse {
        allowed: false,
        reason: DecisionReason::AddressDisallowed.into(),
        rule: "disallowed_ips: 10.1.0.0/16".into(),
        client_address: "10.1.2.3".into(),
    };
    let fake = Fake::of_tokens("ExplainAccess", &answer);
    let line = "token explain --bucket photos BKTY2 --operation PutObject --key k --address 10.1.2.3 \
                --at 2023-11-14T22:13:20Z --field precondition.if_none_match=* --target-bucket other";
    let (out, _) = fake.run(&words(line)).await.unwrap();
    assert_eq!(
        out,
        "Answer:   denied\n\
         Because:  the address is disallowed\n\
         Rule:     disallowed_ips: 10.1.0.0/16\n\
         Address:  10.1.2.3\n"
    );
    let asked = ExplainAccessRequest {
        bucket: "photos".into(),
        token_id: "BKTY2".into(),
        operation: "PutObject".into(),
        target_bucket: "other".into(),
        key: "k".into(),
        client_address: "10.1.2.3".into(),
        time: at(1_700_000_000),
        fields: vec!["precondition.if_none_match=*".into()],
    };
    assert_eq!(fake.request::<ExplainAccessRequest>(0), asked);
}

#[tokio::test]
async fn usage_with_its_chart() {
    let count = |class: RequestClass, requests, bytes_in, bytes_out| UsageCount {
        class: class.into(),
        requests,
        bytes_in,
        bytes_out,
    };
    let denied = DenialCount {
        reason: DecisionReason::Permission.into(),
        requests: 2,
    };
    let counts = vec![
        count(RequestClass::Read, 30, 0, 3 << 20),
        count(RequestClass::Write, 10, 1 << 10, 0),
    ];
    let hour = UsageHour {
        start_time: at(0),
        counts,
        denials: vec![denied],
    };
    let answer = GetTokenUsageResponse {
        total: Some(UsageHour {
            start_time: None,
            ..hour.clone()
        }),
        hours: vec![hour],
        last_use: web().last_use,
    };
    let fake = Fake::of_tokens("GetTokenUsage", &answer);
    let line = "token usage --bucket photos BKTY2 --since 1h";
    let (out, _) = fake.run(&words(line)).await.unwrap();
    let bar = "█".repeat(40);
    assert_eq!(
        out,
        format!(
            "last used 3m ago: GetObject from 10.2.0.1 by aws-cli/2\n\n\
             1969-12-31 23:00  {}   0\n\
             1970-01-01 00:00  {bar}  40  3.0 MiB  (2 refused)\n\n\
             CLASS  REQUESTS  BYTES IN  BYTES OUT\n\
             read   30        0 B       3.0 MiB\n\
             write  10        1.0 KiB   0 B\n\
             all    40        1.0 KiB   3.0 MiB\n\n\
             REFUSED BECAUSE                             REQUESTS\n\
             the token's permission does not include it  2\n",
            " ".repeat(40)
        )
    );
    let asked = fake.request::<GetTokenUsageRequest>(0);
    assert_eq!((asked.start_time, asked.end_time), (at(0), at(1_000)));
}

#[tokio::test]
async fn a_token_that_was_never_used() {
    let fake = Fake::of_tokens("GetTokenUsage", &GetTokenUsageResponse::default());
    let line = "token usage BKTY2 --since 365d";
    let (out, _) = fake.run(&words(line)).await.unwrap();
    assert_eq!(out, "never used\n\n");
}

#[tokio::test]
async fn refused_requests() {
    let denial = TokenDenial {
        time: at(940),
        reason: DecisionReason::Permission.into(),
        rule: "permission: read-only lacks WRITE".into(),
        client_address: "10.2.0.1".into(),
        operation: "PutObject".into(),
        bucket: "photos".into(),
        key: "a\u{1b}[2Jb".into(),
        user_agent: String::new(),
        request_id: "r1".into(),
    };
    let answer = ListTokenDenialsResponse {
        denials: vec![denial],
    };
    let fake = Fake::of_tokens("ListTokenDenials", &answer);
    let (out, _) = fake.run(&words("token denials BKTY2")).await.unwrap();
    assert_eq!(
        out,
        "WHEN    OPERATION  OBJECT              ADDRESS   RULE                               REQUEST ID\n\
         1m ago  PutObject  photos/a\\u{1b}[2Jb  10.2.0.1  permission: read-only lacks WRITE  r1\n"
    );
    let none = Fake::of_tokens("ListTokenDenials", &ListTokenDenialsResponse::default());
    let (out, _) = none.run(&words("token denials BKTY2")).await.unwrap();
    assert_eq!(out, "no refused requests\n");
}

fn event(action: &str) -> AuditEvent {
    AuditEvent {
        event_id: "9".into(),
        time: at(100),
        actor: "BKTY1".into(),
        client_address: "127.0.0.1".into(),
        action: action.into(),
        token_id: "17".into(),
        request_id: "r1".into(),
        details: r#"{"before":{"name":"a"},"after":{"name":"b"}}"#.into(),
        bucket_id: "4".into(),
    }
}

#[tokio::test]
async fn the_audit_of_a_bucket() {
    let answer = ListTokenAuditEventsResponse {
        events: vec![event("token.update")],
        next_page_token: String::new(),
    };
    let fake = Fake::of_tokens("ListTokenAuditEvents", &answer);
    let (out, _) = fake
        .run(&words("token audit --bucket photos"))
        .await
        .unwrap();
    assert_eq!(
        out,
        "TIME                  ACTION        TOKEN  BY     FROM       REQUEST ID  DETAILS\n\
         1970-01-01T00:01:40Z  token.update  17     BKTY1  127.0.0.1  r1          name: \"a\" → \"b\"\n"
    );
    let asked = fake.request::<ListTokenAuditEventsRequest>(0);
    assert_eq!((asked.bucket.as_str(), asked.page_size), ("photos", 100));
    assert!(Cli::try_parse_from(["bucketry", "token", "audit"]).is_err());
}

#[tokio::test]
async fn the_audit_of_all_stops_at_its_limit() {
    let answer = ListAuditEventsResponse {
        events: vec![event("account.create"), event("account.create")],
        next_page_token: "more".into(),
    };
    let path = "/bucketry.v1.AdminService/ListAuditEvents";
    let fake = Fake::default().answers(path, [answer.encode_to_vec()]);
    let (out, _) = fake.run(&words("audit --limit 2")).await.unwrap();
    assert_eq!(out.lines().count(), 3, "{out}");
}

#[tokio::test]
async fn a_purge_says_what_is_gone() {
    let answer = bucketry_contract::v1::PurgeTokenResponse {};
    let fake = Fake::of_tokens("PurgeToken", &answer);
    let (out, _) = fake.run(&words("token purge 17")).await.unwrap();
    assert_eq!(out, "purged 17\n");
    let asked = fake.request::<PurgeTokenRequest>(0);
    assert_eq!((asked.bucket.as_str(), asked.token_id.as_str()), ("", "17"));
}

/// Every command on tokens has a form for scripts.
#[tokio::test]
async fn every_answer_has_its_json() {
    let token = || GetTokenResponse { token: Some(web()) }.encode_to_vec();
    for (line, method, answer, field) in [
        ("list --bucket b", "ListTokens", vec![], "tokens"),
        ("show t", "GetToken", token(), "token"),
        ("suspend t", "SuspendToken", token(), "token"),
        ("resume t", "ResumeToken", token(), "token"),
        ("revoke t", "RevokeToken", token(), "token"),
        ("edit t --name n", "UpdateToken", token(), "warnings"),
        (
            "explain t --operation GetObject",
            "ExplainAccess",
            vec![],
            "allowed",
        ),
        ("usage t", "GetTokenUsage", vec![], "hours"),
        ("denials t", "ListTokenDenials", vec![], "denials"),
        ("audit t", "ListTokenAuditEvents", vec![], "events"),
    ] {
        let fake = Fake::default().answers(&format!("{SERVICE}{method}"), [answer]);
        let line = format!("token {line} --output json");
        let (out, _) = fake.run(&words(&line)).await.unwrap();
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert!(value.get(field).is_some(), "{line}: {out}");
    }
}

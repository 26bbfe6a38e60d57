//! What `presign` asks a server for, and what it prints of the answer.

use bucketry_contract::v1::{
    CreatePresignedUrlsRequest, CreatePresignedUrlsResponse, PresignedMethod, PresignedUrl,
};
use tonic_types::{ErrorDetails, StatusExt};

use super::*;

const PATH: &str = "/bucketry.v1.ObjectService/CreatePresignedUrls";
const URL: &str = "http://localhost:9000/photos/b.jpg?X-Amz-Signature=0";

fn fake() -> Fake {
    let made = PresignedUrl {
        url: URL.to_owned(),
        headers: [("content-type".to_owned(), "image/jpeg".to_owned())].into(),
        expire_time: Some(prost_types::Timestamp {
            seconds: 1_700_000_000,
            nanos: 0,
        }),
    };
    let answer = CreatePresignedUrlsResponse { urls: vec![made] };
    Fake::default().answers(PATH, [answer.encode_to_vec()])
}

#[tokio::test]
async fn the_url_alone_is_on_standard_output() {
    let fake = fake();
    let line = "presign --bucket photos --key b.jpg --method put --content-type image/jpeg --expires-in 10m";
    let line: Vec<&str> = line.split_whitespace().collect();
    let (out, err) = fake.run(&line).await.unwrap();
    assert_eq!(out, format!("{URL}\n"));
    assert!(err.contains("valid until 2023-11-14T22:13:20Z"), "{err}");
    assert!(err.contains("content-type: image/jpeg"), "{err}");
    let asked = fake.asked.lock().unwrap().remove(0).2;
    let asked = CreatePresignedUrlsRequest::decode(asked).unwrap();
    assert_eq!((asked.bucket.as_str(), asked.urls.len()), ("photos", 1));
    let spec = &asked.urls[0];
    assert_eq!(
        (spec.method(), spec.key.as_str()),
        (PresignedMethod::Put, "b.jpg")
    );
    assert_eq!(spec.lifetime.unwrap().seconds, 600);
    assert_eq!(spec.content_type, "image/jpeg");
}

#[tokio::test]
async fn a_download_is_the_default() {
    let fake = fake();
    let line = [
        "presign", "--bucket", "photos", "--key", "b.jpg", "--output", "json",
    ];
    let (out, _) = fake.run(&line).await.unwrap();
    let shown: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(shown["urls"][0]["url"], URL);
    let asked = fake.asked.lock().unwrap().remove(0).2;
    let asked = CreatePresignedUrlsRequest::decode(asked).unwrap();
    let spec = &asked.urls[0];
    assert_eq!((spec.method(), spec.lifetime), (PresignedMethod::Get, None));
}

#[test]
fn a_denial_is_about_the_key_that_signs() {
    let details = ErrorDetails::with_error_info("ACCESS_DENIED", "bucketry", HashMap::new());
    let denied =
        Status::with_error_details(tonic::Code::PermissionDenied, "Access Denied", details);
    let error = super::super::presign::explain_denial(CliError::of_call(denied, "http://x"));
    assert!(
        error
            .to_string()
            .contains("operations that it may perform itself"),
        "{error}"
    );
}

//! Uploads by form: the value of `Content-Type` in the first line, then the body; and the policy in it.

use bucketry_s3_adapter::form::{Fields, Piece, Policy, Splitter, boundary};
use bucketry_s3_adapter::sigv4::{Authentication, authenticate_fields};

use super::texts;
use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "post_form",
    run,
    seeds,
};

/// Name, file name and content.
type Part = (String, Option<String>, Vec<u8>);

fn run(input: &[u8]) {
    let end = input.iter().position(|&byte| byte == b'\n');
    let Some((content_type, body)) = end.map(|end| (&input[..end], &input[end + 1..])) else {
        return;
    };
    let content_type = std::str::from_utf8(content_type).unwrap_or_default();
    let Some(boundary) = boundary(content_type) else {
        return;
    };
    let parts = split(&boundary, body, body.len().max(1));
    assert_eq!(parts, split(&boundary, body, 1));
    assert_eq!(parts, split(&boundary, body, 7));
    let Some(parts) = parts else {
        return;
    };
    let mut fields = Fields::default();
    for (name, file, content) in parts {
        match file {
            Some(file) => {
                let _ = fields.put_file_name(&file);
            }
            None if fields.add(&name, content).is_err() => return,
            None => {}
        }
    }
    let _ = fields.headers();
    claimed(&fields);
    if let (Some(policy), Ok(judged)) = (fields.get("policy"), fields.judged("bucket")) {
        judge(policy, judged);
    }
}

/// A claim is made by one mechanism, and is over the policy of the form.
fn claimed(fields: &Fields) {
    let has = |name: &str| fields.get(name).is_some();
    match authenticate_fields(fields) {
        Ok(Authentication::PostPolicy(claim)) => {
            assert!(!has("signature") && !has("awsaccesskeyid"));
            assert_eq!(Some(claim.policy.as_str()), fields.get("policy"));
        }
        Ok(Authentication::PostPolicyV2(claim)) => {
            assert!(!has("x-amz-signature") && !has("x-amz-credential"));
            assert_eq!(Some(claim.policy.as_str()), fields.get("policy"));
            assert_eq!(
                Some(claim.access_key_id.as_str()),
                fields.get("awsaccesskeyid")
            );
        }
        Ok(Authentication::Anonymous { .. }) => {
            assert!(!has("policy") && !has("signature") && !has("x-amz-signature"));
        }
        Ok(other) => panic!("a form is not signed by {other:?}"),
        Err(_) => {}
    }
}

/// What a policy allows, it does not allow with one more field that it does not name.
fn judge(policy: &str, mut fields: Vec<(String, String)>) {
    let now = std::time::SystemTime::UNIX_EPOCH.into();
    let Ok(policy) = Policy::parse(policy) else {
        return;
    };
    if let Ok(range) = policy.judge(&fields, now) {
        assert!(range.min <= range.max);
        let unheard = "x-amz-meta-nobody-ever-named-this".to_owned();
        if !fields.iter().any(|(name, _)| *name == unheard) {
            fields.push((unheard, String::new()));
            let named = policy.judge(&fields, now).is_ok();
            assert!(!named, "a field that no condition is about");
        }
    }
}

/// The parts, if the body is well formed; it comes `piece` bytes at a time.
fn split(boundary: &str, body: &[u8], piece: usize) -> Option<Vec<Part>> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    let mut splitter = Splitter::new(boundary);
    let mut parts: Vec<Part> = Vec::new();
    let mut fed = body.chunks(piece);
    loop {
        match splitter.next().ok()? {
            Some(Piece::Head(head)) => parts.push((head.name, head.file_name, Vec::new())),
            Some(Piece::Data(data)) => parts.last_mut()?.2.extend_from_slice(&data),
            Some(Piece::End) => break,
            None => splitter.feed(fed.next()?),
        }
    }
    for (_, _, content) in &parts {
        let delimited = content
            .windows(delimiter.len())
            .any(|part| part == delimiter);
        assert!(!delimited, "a boundary in the content");
    }
    Some(parts)
}

fn seeds() -> Vec<Vec<u8>> {
    // {"expiration":"2007-12-01T12:00:00.000Z","conditions":[{"bucket":"bucket"},["starts-with","$key","user/"],
    // {"acl":"private"},["starts-with","$content-type","image/"],["content-length-range",1,1000]]}
    let policy = "eyJleHBpcmF0aW9uIjoiMjAwNy0xMi0wMVQxMjowMDowMC4wMDBaIiwiY29uZGl0aW9ucyI6W3siYnVja2V0IjoiYnVja2V0In0s\
                  WyJzdGFydHMtd2l0aCIsIiRrZXkiLCJ1c2VyLyJdLHsiYWNsIjoicHJpdmF0ZSJ9LFsic3RhcnRzLXdpdGgiLCIkY29udGVudC10\
                  eXBlIiwiaW1hZ2UvIl0sWyJjb250ZW50LWxlbmd0aC1yYW5nZSIsMSwxMDAwXV19";
    let part = |name: &str, value: &str| {
        format!("--b0\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\dir\\a.png\"\r\n\
                Content-Type: image/png\r\n\r\n\r\n--b\r\n\r\n--b0--\r\n";
    let fields = [
        part("key", "user/${filename}"),
        part("acl", "private"),
        part("Content-Type", "image/png"),
        part("policy", policy),
    ]
    .concat();
    let old = [
        part("key", "user/a"),
        part("AWSAccessKeyId", "AKIAIOSFODNN7EXAMPLE"),
        part("policy", policy),
        part("signature", "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="),
    ]
    .concat();
    texts(&[
        &format!("multipart/form-data; boundary=b0\n{old}{file}"),
        &format!("multipart/form-data; boundary=b0\n{fields}{file}"),
        &format!("multipart/form-data; boundary=\"b0\"\npreamble\r\n{fields}{file}epilogue"),
        &format!("multipart/form-data; boundary=b0\n{}", part("key", "a")),
        "multipart/form-data; charset=utf-8; boundary=b0\n--b0--",
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_seed_is_a_form_that_its_policy_allows() {
        let seed = &seeds()[1];
        let body = &seed[seed.iter().position(|&byte| byte == b'\n').unwrap() + 1..];
        let parts = split("b0", body, 5).unwrap();
        assert_eq!(parts.len(), 5);
        let mut fields = Fields::default();
        for (name, _, content) in parts.into_iter().filter(|part| part.1.is_none()) {
            fields.add(&name, content).unwrap();
        }
        let policy = Policy::parse(fields.get("policy").unwrap()).unwrap();
        let fields = fields.judged("bucket").unwrap();
        assert!(
            policy
                .judge(&fields, std::time::SystemTime::UNIX_EPOCH.into())
                .is_ok()
        );
    }
}

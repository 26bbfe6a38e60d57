//! The S3 front: one HTTP/1.1 connection driven by hand, every request signed.

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;
use tokio::net::TcpStream;

use crate::connection::{Listed, Page, PageQuery};
use crate::fault::Fault;
use crate::sigv4::{Canonical, Signer, UNSIGNED_PAYLOAD};
use crate::target::{Authority, Credentials, Target};

/// The most of an answer that is kept, in bytes: a page of 1,000 keys of full length in XML stays below.
const KEPT: usize = 16 * 1024 * 1024;
/// The most of an error answer that is told.
const TOLD: usize = 500;

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A connection to the S3 front; it opens again by itself when the server has closed it.
pub(crate) struct S3Connection {
    authority: Authority,
    bucket: String,
    /// Used in turn; not empty.
    signers: Vec<Signer>,
    requests: usize,
    sender: SendRequest<Full<Bytes>>,
}

impl S3Connection {
    /// Connects.
    pub(crate) async fn open(target: &Target) -> Result<Self, Fault> {
        Ok(Self {
            authority: target.authority.clone(),
            bucket: target.bucket.clone(),
            signers: signers(target),
            requests: 0,
            sender: connect(&target.authority).await?,
        })
    }

    /// Writes an object.
    pub(crate) async fn put(&mut self, key: &str, content: Bytes) -> Result<(), Fault> {
        let answer = self.send(Method::PUT, key, "", content).await?;
        drain(answer.into_body()).await.map(drop)
    }

    /// Reads an object and answers with the bytes of content that came.
    pub(crate) async fn get_discarding(&mut self, key: &str) -> Result<u64, Fault> {
        let answer = self.send(Method::GET, key, "", Bytes::new()).await?;
        drain(answer.into_body()).await
    }

    /// Answers with the size of an object, which is not read.
    pub(crate) async fn head(&mut self, key: &str) -> Result<u64, Fault> {
        let answer = self.send(Method::HEAD, key, "", Bytes::new()).await?;
        let length = answer.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        drain(answer.into_body()).await?;
        length.ok_or(Fault::Lacking("Content-Length"))
    }

    /// Makes the bucket if it does not exist.
    pub(crate) async fn create_bucket(&mut self) -> Result<(), Fault> {
        match self.send(Method::PUT, "", "", Bytes::new()).await {
            Ok(answer) => drain(answer.into_body()).await.map(drop),
            Err(fault) if fault.is_bucket_present() => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Lists a page and lets it go.
    pub(crate) async fn list_discarding(&mut self, query: &PageQuery) -> Result<(), Fault> {
        let answer = self
            .send(Method::GET, "", &list_query(query), Bytes::new())
            .await?;
        drain(answer.into_body()).await.map(drop)
    }

    /// Lists a page.
    pub(crate) async fn list(&mut self, query: &PageQuery) -> Result<Page, Fault> {
        let answer = self
            .send(Method::GET, "", &list_query(query), Bytes::new())
            .await?;
        let body = collect(answer.into_body()).await?;
        parse_page(&String::from_utf8_lossy(&body))
    }

    /// Reads a whole object.
    pub(crate) async fn fetch(&mut self, key: &str) -> Result<Bytes, Fault> {
        let answer = self.send(Method::GET, key, "", Bytes::new()).await?;
        collect(answer.into_body()).await
    }

    /// Deletes an object.
    pub(crate) async fn delete(&mut self, key: &str) -> Result<(), Fault> {
        let answer = self.send(Method::DELETE, key, "", Bytes::new()).await?;
        drain(answer.into_body()).await.map(drop)
    }

    /// Writes an object of several parts.
    pub(crate) async fn put_multipart(&mut self, key: &str, parts: &[Bytes]) -> Result<(), Fault> {
        let begun = self
            .send(Method::POST, key, "uploads=", Bytes::new())
            .await?;
        let begun = collect(begun.into_body()).await?;
        let begun = String::from_utf8_lossy(&begun);
        let upload = encode(element(&begun, "UploadId").ok_or(Fault::Lacking("UploadId"))?);
        let mut manifest = String::from("<CompleteMultipartUpload>");
        for (number, part) in (1..).zip(parts) {
            let query = format!("partNumber={number}&uploadId={upload}");
            let answer = self.send(Method::PUT, key, &query, part.clone()).await?;
            let etag = answer
                .headers()
                .get(header::ETAG)
                .and_then(|etag| etag.to_str().ok());
            let etag = etag.ok_or(Fault::Lacking("ETag"))?.to_owned();
            drain(answer.into_body()).await?;
            manifest +=
                &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        }
        manifest += "</CompleteMultipartUpload>";
        let answer = self
            .send(
                Method::POST,
                key,
                &format!("uploadId={upload}"),
                manifest.into(),
            )
            .await?;
        let answer = collect(answer.into_body()).await?;
        // S3 begins the answer before it knows the outcome: an error may come with status 200.
        let answer = String::from_utf8_lossy(&answer);
        match element(&answer, "ETag") {
            Some(_) => Ok(()),
            None => Err(Fault::Status {
                status: StatusCode::OK.as_u16(),
                body: answer.into_owned(),
            }),
        }
    }

    /// Sends a signed request and answers with a success, its body still to come. `key` is empty for the bucket.
    async fn send(
        &mut self,
        method: Method,
        key: &str,
        query: &str,
        content: Bytes,
    ) -> Result<Response<Incoming>, Fault> {
        let path = self.path(key);
        let canonical = Canonical {
            method: method.as_str(),
            host: self.authority.as_str(),
            path: &path,
            query,
        };
        let turn = self.requests % self.signers.len().max(1);
        self.requests = self.requests.wrapping_add(1);
        let signer = self.signers.get_mut(turn);
        let signer = signer.ok_or(Fault::Lacking("a signing key"))?;
        let signed = signer.sign(&canonical, OffsetDateTime::now_utc())?;
        let uri = if query.is_empty() {
            path
        } else {
            format!("{path}?{query}")
        };
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::HOST, self.authority.as_str())
            .header("x-amz-content-sha256", UNSIGNED_PAYLOAD)
            .header("x-amz-date", signed.date)
            .header(header::AUTHORIZATION, signed.authorization)
            .body(Full::new(content))?;
        if self.sender.ready().await.is_err() {
            self.sender = connect(&self.authority).await?;
            self.sender.ready().await?;
        }
        succeed(self.sender.send_request(request).await?).await
    }

    fn path(&self, key: &str) -> String {
        let mut path = format!("/{}", self.bucket);
        if !key.is_empty() {
            for segment in key.split('/') {
                path.push('/');
                path.push_str(&encode(segment));
            }
        }
        path
    }
}

fn signers(target: &Target) -> Vec<Signer> {
    let signer =
        |credentials: &Credentials| Signer::new(credentials.clone(), target.region.clone());
    if target.tokens.is_empty() {
        vec![signer(&target.credentials)]
    } else {
        target.tokens.iter().map(signer).collect()
    }
}

/// Percent-encodes everything that RFC 3986 does not call unreserved.
fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

async fn connect(authority: &Authority) -> Result<SendRequest<Full<Bytes>>, Fault> {
    let refused = |source| Fault::Connect {
        authority: authority.as_str().to_owned(),
        source,
    };
    let stream = TcpStream::connect(authority.as_str())
        .await
        .map_err(refused)?;
    stream.set_nodelay(true).map_err(refused)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // What ends the connection also ends the request that waits for it, and is reported there.
    tokio::spawn(connection);
    Ok(sender)
}

async fn succeed(answer: Response<Incoming>) -> Result<Response<Incoming>, Fault> {
    let status = answer.status();
    if status == StatusCode::OK || status == StatusCode::NO_CONTENT {
        return Ok(answer);
    }
    let body = collect(answer.into_body()).await?;
    let told = body.get(..TOLD).unwrap_or(&body);
    Err(Fault::Status {
        status: status.as_u16(),
        body: String::from_utf8_lossy(told).into_owned(),
    })
}

async fn drain(mut body: Incoming) -> Result<u64, Fault> {
    let mut got = 0;
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            got += data.len() as u64;
        }
    }
    Ok(got)
}

/// Keeps a body, up to a limit.
async fn collect(mut body: Incoming) -> Result<Bytes, Fault> {
    let mut kept = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame?.data_ref() {
            if kept.len() + data.len() > KEPT {
                return Err(Fault::TooLong { limit: KEPT });
            }
            kept.extend_from_slice(data);
        }
    }
    Ok(kept.freeze())
}

/// The query of ListObjectsV2, its names in the order that the signature needs.
fn list_query(query: &PageQuery) -> String {
    let mut text = String::new();
    let fields = [
        ("delimiter", query.delimiter.as_str()),
        ("list-type", "2"),
        ("max-keys", &query.page_size.to_string()),
        ("prefix", &query.prefix),
        ("start-after", &query.start_after),
    ];
    for (name, value) in fields {
        if !value.is_empty() {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(&encode(value));
        }
    }
    text
}

/// Reads ListObjectsV2's answer. The tool's own keys need no escape in XML, so that the text between the tags is the
/// key.
fn parse_page(xml: &str) -> Result<Page, Fault> {
    let mut page = Page {
        more: element(xml, "IsTruncated") == Some("true"),
        prefixes: xml.matches("<CommonPrefixes>").count(),
        objects: Vec::new(),
    };
    for entry in xml.split("<Contents>").skip(1) {
        let size = element(entry, "Size").and_then(|size| size.parse().ok());
        page.objects.push(Listed {
            key: element(entry, "Key")
                .ok_or(Fault::Lacking("Key"))?
                .to_owned(),
            size: size.ok_or(Fault::Lacking("Size"))?,
        });
    }
    Ok(page)
}

/// The text of the first element of a name without attributes.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = xml.split_once(&format!("<{name}>"))?;
    after
        .split_once(&format!("</{name}>"))
        .map(|(text, _)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_sorted_and_leaves_out_what_is_not_asked() {
        let mut query = PageQuery {
            page_size: 1000,
            ..Default::default()
        };
        assert_eq!(list_query(&query), "list-type=2&max-keys=1000");
        query.delimiter = "/".into();
        query.start_after = "a b/".into();
        assert_eq!(
            list_query(&query),
            "delimiter=%2F&list-type=2&max-keys=1000&start-after=a%20b%2F"
        );
    }

    #[test]
    fn a_page_has_objects_prefixes_and_whether_more_follows() {
        let xml = "<ListBucketResult><Name>b</Name><Prefix>p/</Prefix><IsTruncated>true</IsTruncated>\
                   <Contents><Key>a</Key><Size>3</Size></Contents><Contents><Key>b/c</Key><Size>0</Size></Contents>\
                   <CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes></ListBucketResult>";
        let page = parse_page(xml).unwrap();
        let listed = |key: &str, size| Listed {
            key: key.into(),
            size,
        };
        assert_eq!(page.objects, [listed("a", 3), listed("b/c", 0)]);
        assert_eq!((page.prefixes, page.more), (1, true));
        assert!(parse_page("<Contents><Key>a</Key></Contents>").is_err());
    }
}

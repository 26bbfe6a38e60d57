//! White space while the service works, so that neither client nor proxy takes the connection for dead.
//!
//! S3 does the same: the status is 200 then, whatever comes of it, and a failure is an `<Error>` document in its body.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use tokio::time::timeout;

use crate::answer::{Answer, BodyBroken, Content};
use crate::error::S3Error;
use crate::response::AmzRequestId;
use crate::xml::XmlWriter;

type Work = Pin<Box<dyn Future<Output = Result<Answer, S3Error>> + Send>>;

/// How an error is written into a document that has begun.
#[derive(Debug, Clone)]
pub(crate) struct LateError {
    pub(crate) request_id: AmzRequestId,
    pub(crate) resource: String,
}

/// The answer of `work` if it comes before `pause` is over; else an answer that begins at once and is kept alive with a
/// space after every `pause`. `work` must answer with a whole XML document.
///
/// # Errors
/// What `work` answers within `pause`.
pub(crate) async fn kept_alive(
    work: impl Future<Output = Result<Answer, S3Error>> + Send + 'static,
    pause: Duration,
    late: LateError,
) -> Result<Answer, S3Error> {
    let mut work: Work = Box::pin(work);
    if let Ok(answer) = timeout(pause, work.as_mut()).await {
        return answer;
    }
    let mut answer = Answer::xml(StatusCode::OK, Bytes::new());
    let state = Late::Declaration { work, pause, late };
    answer.content = Content::Stream {
        pieces: Box::pin(stream::unfold(state, |state| async move {
            let (piece, state) = state.next().await?;
            Some((Ok::<Bytes, BodyBroken>(piece), state))
        })),
        length: None,
    };
    Ok(answer)
}

enum Late {
    Declaration {
        work: Work,
        pause: Duration,
        late: LateError,
    },
    Waiting {
        work: Work,
        pause: Duration,
        late: LateError,
    },
    Done,
}

impl Late {
    async fn next(self) -> Option<(Bytes, Self)> {
        match self {
            Self::Done => None,
            Self::Declaration { work, pause, late } => {
                let declaration = XmlWriter::document().finish();
                Some((declaration, Self::Waiting { work, pause, late }))
            }
            Self::Waiting {
                mut work,
                pause,
                late,
            } => match timeout(pause, work.as_mut()).await {
                Err(_) => Some((
                    Bytes::from_static(b" "),
                    Self::Waiting { work, pause, late },
                )),
                Ok(result) => Some((late_document(result, &late), Self::Done)),
            },
        }
    }
}

fn late_document(result: Result<Answer, S3Error>, late: &LateError) -> Bytes {
    let error = match result {
        Ok(Answer {
            content: Content::Whole(document),
            ..
        }) => {
            let declaration = XmlWriter::document().finish();
            let sent = if document.starts_with(&declaration) {
                declaration.len()
            } else {
                0
            };
            return document.slice(sent..);
        }
        Ok(Answer {
            content: Content::Stream { .. },
            ..
        }) => S3Error::internal(),
        Err(error) => error,
    };
    let mut xml = XmlWriter::fragment();
    error
        .with_resource(late.resource.clone())
        .write_element(&mut xml, &late.request_id);
    xml.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;
    use std::future::pending;
    use tokio::time::sleep;

    const PAUSE: Duration = Duration::from_secs(10);

    fn late() -> LateError {
        LateError {
            request_id: AmzRequestId::from_bytes([1; 16]),
            resource: "/b/k".to_owned(),
        }
    }

    fn document() -> Answer {
        let mut xml = XmlWriter::document();
        xml.empty_element("Done");
        Answer::xml(StatusCode::OK, xml.finish())
    }

    async fn text(answer: Answer) -> String {
        let pieces: Vec<_> = match answer.content {
            Content::Stream { pieces, .. } => pieces.collect().await,
            Content::Whole(bytes) => vec![Ok(bytes)],
        };
        let bytes: Vec<u8> = pieces
            .into_iter()
            .flat_map(|piece| piece.unwrap())
            .collect();
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn quick_work_answers_as_it_is() {
        let refused = kept_alive(async { Err(S3Error::access_denied("no")) }, PAUSE, late());
        assert_eq!(refused.await.unwrap_err().code(), "AccessDenied");
        let answer = kept_alive(async { Ok(document()) }, PAUSE, late()).await;
        assert!(matches!(answer.unwrap().content, Content::Whole(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn long_work_sends_spaces_and_then_the_rest_of_the_document() {
        let work = async {
            sleep(PAUSE * 3 + Duration::from_secs(1)).await;
            Ok(document())
        };
        let answer = kept_alive(work, PAUSE, late()).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            text(answer).await,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n  <Done></Done>"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_failure_is_an_error_document_after_200() {
        let work = async {
            sleep(PAUSE * 2).await;
            Err(S3Error::invalid_request("no"))
        };
        let answer = kept_alive(work, PAUSE + Duration::from_secs(1), late())
            .await
            .unwrap();
        let text = text(answer).await;
        assert!(
            text.contains("?>\n<Error><Code>InvalidRequest</Code>"),
            "{text}"
        );
        assert!(text.contains("<Resource>/b/k</Resource>"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_the_answer_drops_the_work() {
        let (held, dropped) = tokio::sync::oneshot::channel::<()>();
        let work = async move {
            let _held = held;
            pending().await
        };
        let answer = kept_alive(work, PAUSE, late()).await.unwrap();
        drop(answer);
        assert!(dropped.await.is_err());
    }
}

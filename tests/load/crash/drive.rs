//! The load under which the server is killed: writers, each with keys of its own, so that every key has one history.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bucketry_tests::random::Random;

use crate::connection::Connection;
use crate::crash::content::{Shape, content, parts};
use crate::crash::model::{Model, State, Violation};
use crate::fault::Fault;

/// A writer between two crashes.
pub(crate) struct Writer {
    /// What it has done.
    pub(crate) model: Model,
    /// What it will do.
    pub(crate) random: Random,
}

/// What a writer brings back from one life of the server.
pub(crate) struct Life {
    /// The writer, for the next life.
    pub(crate) writer: Writer,
    /// Operations that were acknowledged.
    pub(crate) acknowledged: u64,
    /// What it saw go wrong before the kill.
    pub(crate) violation: Option<Violation>,
}

enum Step {
    Put(Shape),
    Delete,
    Read,
}

/// Drives the server until it no longer answers. `killed` is set just before the kill: a failure without it is the
/// server's.
pub(crate) async fn drive(
    mut writer: Writer,
    mut connection: Connection,
    killed: Arc<AtomicBool>,
) -> Life {
    let mut acknowledged = 0;
    let keys: Vec<String> = writer.model.keys().cloned().collect();
    loop {
        let place = usize::try_from(writer.random.below(keys.len() as u64)).unwrap_or_default();
        let Some(key) = keys.get(place) else {
            return Life {
                writer,
                acknowledged,
                violation: None,
            };
        };
        let step = choose(&mut writer.random, writer.model.acknowledged(key));
        let violation = match take(&step, key, &mut writer.model, &mut connection).await {
            Ok(Ok(())) => {
                acknowledged += 1;
                continue;
            }
            Ok(Err(violation)) => Some(violation),
            Err(_) if killed.load(Ordering::SeqCst) => None,
            Err(fault) => Some(Violation::Refused {
                key: key.clone(),
                fault: fault.to_string(),
            }),
        };
        return Life {
            writer,
            acknowledged,
            violation,
        };
    }
}

fn choose(random: &mut Random, state: State) -> Step {
    match (state, random.below(100)) {
        (_, 0..2) => Step::Put(Shape::Multipart),
        (_, 2..20) => Step::Read,
        (State::Absent, _) => Step::Put(Shape::Single),
        (State::Present(_), 20..60) => Step::Put(Shape::Single),
        (State::Present(_), _) => Step::Delete,
    }
}

async fn take(
    step: &Step,
    key: &str,
    model: &mut Model,
    connection: &mut Connection,
) -> Result<Result<(), Violation>, Fault> {
    match step {
        Step::Put(shape) => {
            let version = model
                .begin_put(key, *shape)
                .ok_or(Fault::Lacking("the key's record"))?;
            let content = content(key, version);
            match shape {
                Shape::Single => connection.put(key, content).await?,
                Shape::Multipart => connection.put_multipart(key, &parts(&content)).await?,
            }
            model.acknowledge(key);
        }
        Step::Delete => {
            model.begin_delete(key);
            connection.delete(key).await?;
            model.acknowledge(key);
        }
        Step::Read => {
            let found = connection.fetch(key).await?;
            return Ok(model.observe(key, found.as_ref()));
        }
    }
    Ok(Ok(()))
}

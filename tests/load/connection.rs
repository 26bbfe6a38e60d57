//! One connection to a server, whichever front it goes to.

use bytes::Bytes;

use crate::fault::Fault;
use crate::grpc::GrpcConnection;
use crate::s3::S3Connection;
use crate::target::{Front, Target};

/// The page that a listing asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageQuery {
    /// Only keys that begin so.
    pub(crate) prefix: String,
    /// Where keys are rolled up; empty: nowhere.
    pub(crate) delimiter: String,
    /// Only what comes after this.
    pub(crate) start_after: String,
    /// At most this many objects and prefixes, 1 to 1,000.
    pub(crate) page_size: u16,
}

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The key.
    pub(crate) key: String,
    /// Bytes of content.
    pub(crate) size: u64,
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// The objects in the order in which they came.
    pub(crate) objects: Vec<Listed>,
    /// The number of rolled-up prefixes.
    pub(crate) prefixes: usize,
    /// Whether more follows.
    pub(crate) more: bool,
}

/// A connection that is open.
pub(crate) enum Connection {
    /// HTTP/1.1 with signed requests.
    S3(Box<S3Connection>),
    /// HTTP/2 with a bearer.
    Grpc(Box<GrpcConnection>),
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(target: &Target) -> Result<Self, Fault> {
        Ok(match target.front {
            Front::S3 => Self::S3(Box::new(S3Connection::open(target).await?)),
            Front::Grpc => Self::Grpc(Box::new(GrpcConnection::open(target).await?)),
        })
    }

    /// Writes an object.
    pub(crate) async fn put(&mut self, key: &str, content: Bytes) -> Result<(), Fault> {
        match self {
            Self::S3(connection) => connection.put(key, content).await,
            Self::Grpc(connection) => connection.put(key, content).await,
        }
    }

    /// Reads an object of a known size and lets its content go.
    pub(crate) async fn get_discarding(&mut self, key: &str, size: u64) -> Result<(), Fault> {
        let got = match self {
            Self::S3(connection) => connection.get_discarding(key).await?,
            Self::Grpc(connection) => connection.get_discarding(key, size).await?,
        };
        if got == size {
            Ok(())
        } else {
            Err(Fault::Length {
                expected: size,
                got,
            })
        }
    }

    /// Asks for the headers of an object of a known size.
    pub(crate) async fn head(&mut self, key: &str, size: u64) -> Result<(), Fault> {
        let got = match self {
            Self::S3(connection) => connection.head(key).await?,
            Self::Grpc(connection) => connection.head(key).await?,
        };
        if got == size {
            Ok(())
        } else {
            Err(Fault::Length {
                expected: size,
                got,
            })
        }
    }

    /// Lists a page and lets it go.
    pub(crate) async fn list_discarding(&mut self, query: &PageQuery) -> Result<(), Fault> {
        match self {
            Self::S3(connection) => connection.list_discarding(query).await,
            Self::Grpc(connection) => connection.list(query).await.map(drop),
        }
    }

    /// Lists a page.
    pub(crate) async fn list(&mut self, query: &PageQuery) -> Result<Page, Fault> {
        match self {
            Self::S3(connection) => connection.list(query).await,
            Self::Grpc(connection) => connection.list(query).await,
        }
    }

    /// Reads a whole object; nothing if there is none.
    pub(crate) async fn fetch(&mut self, key: &str) -> Result<Option<Bytes>, Fault> {
        let outcome = match self {
            Self::S3(connection) => connection.fetch(key).await,
            Self::Grpc(connection) => connection.fetch(key).await,
        };
        match outcome {
            Ok(content) => Ok(Some(content)),
            Err(fault) if fault.is_no_such_key() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Deletes an object; that there is none is a success.
    pub(crate) async fn delete(&mut self, key: &str) -> Result<(), Fault> {
        match self {
            Self::S3(connection) => connection.delete(key).await,
            Self::Grpc(connection) => connection.delete(key).await,
        }
    }

    /// Writes an object of several parts.
    pub(crate) async fn put_multipart(&mut self, key: &str, parts: &[Bytes]) -> Result<(), Fault> {
        match self {
            Self::S3(connection) => connection.put_multipart(key, parts).await,
            Self::Grpc(connection) => connection.put_multipart(key, parts).await,
        }
    }
}

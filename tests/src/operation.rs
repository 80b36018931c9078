//! Any operation of gRPC, called by its name with the bytes of a message: what all of them have in common is tried on all
//! of them.

use std::time::Duration;

use bytes::{Buf, BufMut};
use http::uri::PathAndQuery;
use tonghop_runtime::trace::TracedChannel;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status};

/// How long an operation may take to begin to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Hands messages over as bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Bytes;
    type Decoder = Bytes;

    fn encoder(&mut self) -> Bytes {
        Bytes
    }

    fn decoder(&mut self) -> Bytes {
        Bytes
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}

/// Calls `package.Service/Method` with one message; the first message of its answer, empty where there is none. On the
/// wire an operation is the same whether it streams or not.
///
/// # Errors
/// As the service answers.
///
/// # Panics
/// Where it does not answer in time.
pub async fn call(channel: TracedChannel, method: &str, message: Vec<u8>) -> Result<Vec<u8>, Status> {
    let called = async {
        let mut grpc = Grpc::new(channel);
        grpc.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
        let path = PathAndQuery::try_from(format!("/{method}")).expect("a method's name");
        let answer = grpc.server_streaming(Request::new(message), path, Bytes).await?;
        Ok(answer.into_inner().message().await?.unwrap_or_default())
    };
    tokio::time::timeout(PATIENCE, called).await.unwrap_or_else(|_| panic!("{method} does not answer"))
}

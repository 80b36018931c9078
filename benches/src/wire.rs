//! gRPC and HTTP with bodies that are made beforehand, so that what is measured is the service and not the client.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::Outcome;

/// Messages as bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AsBytes;

impl Codec for AsBytes {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = AsBytes;
    type Decoder = AsBytes;

    fn encoder(&mut self) -> AsBytes {
        AsBytes
    }

    fn decoder(&mut self) -> AsBytes {
        AsBytes
    }
}

impl Encoder for AsBytes {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for AsBytes {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// A connection for gRPC.
pub(crate) async fn connect(url: &str) -> Outcome<Channel> {
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|e| e.to_string())?;
    let endpoint = endpoint.tcp_nodelay(true).connect_timeout(Duration::from_secs(10));
    endpoint.connect().await.map_err(|e| format!("{url}: {e}"))
}

/// Calls a method with an encoded message.
pub(crate) async fn call(channel: &Channel, method: &'static str, message: Bytes) -> Outcome<Bytes> {
    let mut grpc = Grpc::new(channel.clone()).max_decoding_message_size(usize::MAX);
    grpc.ready().await.map_err(|e| e.to_string())?;
    let path = PathAndQuery::from_static(method);
    let answer = grpc.unary(Request::new(message), path, AsBytes).await;
    Ok(answer.map_err(|status| format!("{method}: {status}"))?.into_inner())
}

/// Calls a method with each of some messages once, so many in flight.
pub(crate) async fn call_each(
    channels: &[Channel],
    in_flight: usize,
    method: &'static str,
    messages: Vec<Bytes>,
) -> Outcome<()> {
    let mut lanes = JoinSet::new();
    let messages = Arc::new(messages);
    for lane in 0..in_flight {
        let (channel, messages) = (channels[lane % channels.len()].clone(), Arc::clone(&messages));
        lanes.spawn(async move {
            for message in messages.iter().skip(lane).step_by(in_flight) {
                call(&channel, method, message.clone()).await?;
            }
            Ok::<_, String>(())
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane.map_err(|e| e.to_string())??;
    }
    Ok(())
}

/// An HTTP/1.1 connection that is kept.
#[derive(Debug)]
pub(crate) struct Http {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Http {
    /// Connects to a URL's host.
    pub(crate) async fn connect(url: &str) -> Outcome<Http> {
        let host = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream = tokio::net::TcpStream::connect(&host).await.map_err(|e| format!("{host}: {e}"))?;
        stream.set_nodelay(true).map_err(|e| e.to_string())?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        // It ends with the sender.
        tokio::spawn(connection);
        Ok(Http { sender, host })
    }

    /// Asks, and reads the whole answer; anything but a success is an error.
    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Outcome<Bytes> {
        let mut request = http::Request::builder().method(method).uri(path).header("host", &self.host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).map_err(|e| e.to_string())?;
        self.sender.ready().await.map_err(|e| e.to_string())?;
        let answer = self.sender.send_request(request).await.map_err(|e| format!("{path}: {e}"))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|e| e.to_string())?.to_bytes();
        if status.is_success() {
            Ok(body)
        } else {
            Err(format!("{path}: {status} {}", String::from_utf8_lossy(&body)))
        }
    }
}

//! A gRPC service whose requests are counted while they come.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body_util::BodyExt;
use tonghop_access::{Role, of_request};
use tonghop_runtime::Failure;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::{Code, Status};
use tower::Service;

use super::{Admission, Held};
use crate::service::too_large;
use crate::submission::Limits;

/// Puts a service behind an [`Admission`]: what a request takes of memory is held until its answer is there.
#[derive(Clone, Debug)]
pub struct Metered<S> {
    inner: S,
    admission: Arc<Admission>,
    limits: Limits,
    /// Paths of the operations in which a body may be large.
    paths: &'static [&'static str],
}

impl<S> Metered<S> {
    pub(crate) fn new(
        inner: S,
        admission: Arc<Admission>,
        limits: Limits,
        paths: &'static [&'static str],
    ) -> Metered<S> {
        Metered { inner, admission, limits, paths }
    }

    fn begin(&self, request: &Request<Body>) -> Result<Arc<Held>, Failure> {
        let caller = of_request(request.extensions())?;
        // Whoever may not push sends nothing that is read.
        caller.require(Role::Report)?;
        let declared = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
        self.admission.begin(&caller, declared)
    }
}

impl<S: NamedService> NamedService for Metered<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Metered<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if !self.paths.contains(&request.uri().path()) {
            return Box::pin(self.inner.call(request));
        }
        let held = match self.begin(&request) {
            Ok(held) => held,
            Err(failure) => {
                let refused = Status::from(failure).into_http();
                return Box::pin(async move { Ok(refused) });
            }
        };
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(Arc::clone(&held));
        let arriving = self.admission.arriving(body, Arc::clone(&held));
        let body = Body::new(arriving.map_err(Status::from));
        let answer = self.inner.call(Request::from_parts(parts, body));
        let limits = self.limits;
        Box::pin(async move {
            let answer = answer.await?;
            drop(held);
            if is_out_of_range(&answer) {
                return Ok(Status::from(too_large(&limits)).into_http());
            }
            Ok(answer)
        })
    }
}

/// Whether a request was refused by what decodes messages, since one was larger than any may be. It has words of its own
/// for that, and a code that nothing else here is answered with.
fn is_out_of_range(answer: &Response<Body>) -> bool {
    let code = answer.headers().get(Status::GRPC_STATUS).map(|value| Code::from_bytes(value.as_bytes()));
    code == Some(Code::OutOfRange)
}

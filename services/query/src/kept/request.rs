//! Which requests have answers that can be kept, and when two of them ask the same.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, header};
use tonghop_runtime::Language;

/// Requests over REST, as metrics name them.
const REST: [&str; 4] = ["/v1/totals", "/v1/totals/explain", "/v1/figures", "/v1/coverage"];
/// Methods of gRPC that answer one message.
const GRPC: [&str; 4] = ["GetTotals", "Explain", "ListFigures", "GetCoverage"];
const SERVICE: &str = "/tonghop.query.v1.QueryService/";
/// What an answer over REST depends on beside its path and its language: what it is wanted as.
const VARIES: [HeaderName; 1] = [header::ACCEPT];

/// A kind of request whose answers are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    /// Among all, in the order of [`Operation::all`].
    pub(super) at: usize,
    pub(super) grpc: bool,
}

impl Operation {
    /// All of them, with what metrics call them.
    pub(super) fn all() -> impl Iterator<Item = (Operation, String)> {
        let rest = REST.iter().map(|path| (false, format!("GET {path}")));
        let grpc = GRPC.iter().map(|method| (true, format!("{}{method}", &SERVICE[1..])));
        rest.chain(grpc).enumerate().map(|(at, (grpc, name))| (Operation { at, grpc }, name))
    }

    /// That of a request. Who says who it is may be answered otherwise than others, so nothing of that is kept.
    pub(super) fn of(parts: &Parts) -> Option<Operation> {
        if parts.headers.contains_key(header::AUTHORIZATION) || parts.headers.contains_key(header::COOKIE) {
            return None;
        }
        let path = parts.uri.path();
        if let Some(method) = path.strip_prefix(SERVICE) {
            let at = GRPC.iter().position(|known| *known == method)?;
            return is_grpc(&parts.headers).then_some(Operation { at: REST.len() + at, grpc: true });
        }
        let at = REST.iter().position(|known| *known == path)?;
        (parts.method == Method::GET).then_some(Operation { at, grpc: false })
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

/// What is asked, as bytes: the same for two requests that have the same answer. It is the language, and over gRPC the
/// path and the message, over REST the path with its query and what the answer depends on of the headers.
pub(super) fn asked(operation: Operation, parts: &Parts, message: &[u8]) -> Vec<u8> {
    let language = Language::of_headers(&parts.headers);
    let mut out = vec![operation.at as u8, language as u8];
    if operation.grpc {
        out.extend(message);
        return out;
    }
    out.extend(parts.uri.query().unwrap_or_default().as_bytes());
    for name in &VARIES {
        for value in parts.headers.get_all(name) {
            // A byte that is in no header and in no query.
            out.push(0);
            out.extend(name.as_str().as_bytes());
            out.push(0);
            out.extend(value.as_bytes());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn what_can_be_kept_is_known_by_its_path() {
        let names: Vec<String> = Operation::all().map(|(_, name)| name).collect();
        let of = |parts: &Parts| Operation::of(parts).map(|operation| names[operation.at].clone());
        let grpc = [("content-type", "application/grpc")];
        assert_eq!(of(&parts("GET", "/v1/totals?unit=VN", &[])).as_deref(), Some("GET /v1/totals"));
        let call = "/tonghop.query.v1.QueryService/Explain";
        assert_eq!(of(&parts("POST", call, &grpc)).as_deref(), Some(&call[1..]));
        for other in [
            parts("HEAD", "/v1/totals", &[]),
            parts("GET", "/v1/watch", &[]),
            parts("GET", "/v1/totals/", &[]),
            parts("POST", call, &[]),
            parts("POST", "/tonghop.query.v1.QueryService/Watch", &grpc),
            parts("GET", "/v1/totals", &[("authorization", "Bearer x")]),
        ] {
            assert_eq!(of(&other), None, "{other:?}");
        }
    }

    #[test]
    fn two_that_may_be_answered_differently_do_not_ask_the_same() {
        let key = |uri: &str, headers: &[(&str, &str)]| {
            let parts = parts("GET", uri, headers);
            asked(Operation::of(&parts).expect("kept"), &parts, &[])
        };
        let one = key("/v1/totals?unit=VN", &[]);
        assert_eq!(one, key("/v1/totals?unit=VN", &[("user-agent", "x")]));
        assert_eq!(one, key("/v1/totals?unit=VN", &[("accept-language", "fr, en-GB;q=0.5")]));
        for other in [
            key("/v1/totals?unit=01", &[]),
            key("/v1/coverage?unit=VN", &[]),
            key("/v1/totals?unit=VN", &[("accept", "text/csv")]),
            key("/v1/totals?unit=VN", &[("accept-language", "vi")]),
        ] {
            assert_ne!(one, other);
        }
        let call = |headers: &[(&str, &str)]| {
            let headers = [&[("content-type", "application/grpc")], headers].concat();
            let parts = parts("POST", "/tonghop.query.v1.QueryService/GetTotals", &headers);
            asked(Operation::of(&parts).expect("kept"), &parts, b"message")
        };
        assert_eq!(call(&[]), call(&[("accept-language", "en")]));
        assert_ne!(call(&[]), call(&[("accept-language", "vi")]));
    }
}

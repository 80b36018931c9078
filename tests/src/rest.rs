//! Requests and replies of REST.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{RequestBuilder, Url};
use serde_json::Value;

use crate::Api;

/// A reply, read to its end.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Reply {
    async fn of(request: RequestBuilder) -> Reply {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.expect("a body").to_vec();
        Reply { status, headers, bytes }
    }

    /// A header; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        let name: HeaderName = name.parse().expect("the name of a header");
        self.headers.get(name).map_or("", |v| v.to_str().expect("text"))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|e| panic!("{} {e}: {}", self.status, self.text()))
    }

    /// The body, of a reply with this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// Where the submission went.
    #[track_caller]
    pub fn position(&self) -> i64 {
        self.json()["position"].as_i64().unwrap_or_else(|| panic!("{}: {}", self.status, self.text()))
    }

    /// What was found: code, and where it stands (a path, or line and column).
    pub fn findings(&self) -> Vec<(String, String)> {
        let body = self.json();
        let all = body["findings"].as_array().cloned().unwrap_or_default();
        all.iter().map(|f| (text(&f["code"]), place(f))).collect()
    }

    /// The codes of what was found.
    pub fn codes(&self) -> Vec<String> {
        self.findings().into_iter().map(|(code, _)| code).collect()
    }
}

/// An answer without how old it is, which depends on the machine's load.
pub fn ageless(mut answer: Value) -> Value {
    if let Some(as_of) = answer["as_of"].as_object_mut() {
        as_of.remove("stale_seconds");
    }
    answer
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn place(finding: &Value) -> String {
    let path = text(&finding["path"]);
    match (finding["line"].as_u64(), finding["column"].as_str()) {
        (Some(line), Some(column)) => format!("{path}{line}:{column}"),
        (Some(line), None) => format!("{path}{line}"),
        (None, _) => path,
    }
}

impl Api {
    /// The address of a path with parameters.
    pub fn url(&self, path: &str, parameters: &[(&str, &str)]) -> Url {
        let url = format!("{}{path}", self.base);
        Url::parse_with_params(&url, parameters).expect("an address")
    }

    /// Asks.
    pub async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Reply {
        Reply::of(self.http.get(self.url(path, parameters))).await
    }

    /// The status that a path is answered with; none where nobody answers within two seconds.
    pub async fn status(&self, path: &str) -> Option<u16> {
        let request = self.http.get(self.url(path, &[])).timeout(Duration::from_secs(2));
        request.send().await.ok().map(|response| response.status().as_u16())
    }

    /// Asks, unless nothing changed since the answer of this tag.
    pub async fn get_unless(&self, tag: &str, path: &str, parameters: &[(&str, &str)]) -> Reply {
        Reply::of(self.http.get(self.url(path, parameters)).header("if-none-match", tag)).await
    }

    /// Sends a document as a submission, with whatever headers.
    pub async fn post(
        &self,
        parameters: &[(&str, &str)],
        headers: &[(&str, &str)],
        document: impl Into<Vec<u8>>,
    ) -> Reply {
        self.send("/v1/submissions", parameters, headers, document).await
    }

    /// Sends a body to a path, with whatever parameters and headers.
    pub async fn send(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Reply {
        let mut request = self.http.post(self.url(path, parameters)).body(body.into());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::of(request).await
    }

    /// Calls a method on a path, with whatever parameters, headers and body.
    pub async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        parameters: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Reply {
        let mut request = self.http.request(method, self.url(path, parameters)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::of(request).await
    }

    /// Sends a document to a path.
    pub async fn post_to(&self, path: &str, headers: &[(&str, &str)], document: impl Into<Vec<u8>>) -> Reply {
        self.send(path, &[], headers, document).await
    }

    /// Submits a JSON document.
    pub async fn push_json(&self, key: &str, document: &Value) -> Reply {
        let headers = [("idempotency-key", key), ("content-type", "application/json")];
        self.post(&[], &headers, document.to_string()).await
    }

    /// Submits a CSV document.
    pub async fn push_csv(&self, key: &str, source: &str, document: impl Into<Vec<u8>>) -> Reply {
        let headers = [("idempotency-key", key), ("content-type", "text/csv")];
        self.post(&[("source", source)], &headers, document).await
    }

    /// Submits figures, which have to be accepted, and waits until they are in every total.
    pub async fn report(&self, key: &str, figures: Value) -> Reply {
        let reply = self.push_json(key, &serde_json::json!({ "source": "test", "figures": figures })).await;
        reply.expect(201);
        self.wait(reply.position()).await;
        reply
    }

    /// The one total of a question that has to be answered.
    pub async fn total(&self, indicator: &str, unit: &str, period: &str, breakdown: &str) -> Value {
        let mut parameters = vec![("indicator", indicator), ("unit", unit), ("period", period)];
        if !breakdown.is_empty() {
            parameters.push(("breakdown", breakdown));
        }
        let body = self.get("/v1/totals", &parameters).await.expect(200);
        match body["totals"].as_array().map(Vec::as_slice) {
            Some([one]) => one.clone(),
            _ => panic!("not one total: {body}"),
        }
    }

    /// What was reported, every revision.
    pub async fn figures(&self, indicator: &str, unit: &str, period: &str) -> Vec<Value> {
        let parameters = [("indicator", indicator), ("unit", unit), ("period", period)];
        let body = self.get("/v1/figures", &parameters).await.expect(200);
        body["figures"].as_array().cloned().unwrap_or_default()
    }
}

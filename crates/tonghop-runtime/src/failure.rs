//! One error for both transports.
//!
//! A [`Failure`] is what went wrong in terms a caller may read, and apart from it what the operator needs. It
//! becomes an RFC 9457 problem on REST and a status with rich details on gRPC, both from this one value.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tonic::Code;
use tonic_types::{ErrorDetails, StatusExt};

use crate::language::{Language, Text, say};
use crate::trace;

/// One thing wrong, or remarkable, in what was given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing, for programs; never changes.
    pub code: String,
    /// Where, in JSON: `figures[3].value`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Where, in CSV: the line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Where, in CSV: the column's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub column: String,
    /// What was read; in words where there is nothing to repeat.
    pub got: Text,
    /// What was expected.
    pub expected: Text,
    /// What to do.
    pub hint: Text,
}

/// What a finding says was read: as it was given, or in words where there is nothing to repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    /// As it was given, the same in both languages.
    Read(String),
    /// In words.
    Words(Text),
}

impl Got {
    /// That there was nothing to read.
    pub fn nothing() -> Got {
        Got::Words(Text::of("không có gì", "nothing"))
    }
}

impl From<&str> for Got {
    fn from(read: &str) -> Got {
        Got::Read(read.to_owned())
    }
}

impl From<&String> for Got {
    fn from(read: &String) -> Got {
        Got::Read(read.clone())
    }
}

impl From<String> for Got {
    fn from(read: String) -> Got {
        Got::Read(read)
    }
}

impl From<Text> for Got {
    fn from(words: Text) -> Got {
        Got::Words(words)
    }
}

impl From<Got> for Text {
    fn from(got: Got) -> Text {
        match got {
            Got::Read(read) => Text::same(read),
            Got::Words(words) => words,
        }
    }
}

impl Finding {
    /// What was read and what was expected, after where it is or what it is about.
    pub fn said(&self, of: &str) -> Text {
        let (vi, en) = (Language::Vietnamese, Language::English);
        let got = |language| self.got.in_language(language);
        Text::of(
            format!("{of}: nhận được {:?}, cần {}", got(vi), self.expected.in_language(vi)),
            format!("{of}: got {:?}, expected {}", got(en), self.expected.in_language(en)),
        )
    }
}

/// What kind of failure it is. Each stands for one HTTP status and one gRPC code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The request could not be understood.
    NotUnderstood,
    /// Nobody said who they are, or what they said does not hold.
    Unauthenticated,
    /// Whoever asks may not.
    Forbidden,
    /// What is asked for does not exist.
    NotFound,
    /// The same key was used with other content.
    KeyConflict,
    /// More than the limits allow.
    TooLarge,
    /// A media type that is not taken.
    UnsupportedMediaType,
    /// Understood, and wrong.
    Unprocessable,
    /// More requests than one caller may send; try again later.
    TooMany,
    /// Not now; try again.
    Unavailable,
    /// A fault of the service.
    Internal,
}

impl FailureKind {
    fn http(self) -> StatusCode {
        match self {
            FailureKind::NotUnderstood => StatusCode::BAD_REQUEST,
            FailureKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            FailureKind::Forbidden => StatusCode::FORBIDDEN,
            FailureKind::NotFound => StatusCode::NOT_FOUND,
            FailureKind::KeyConflict => StatusCode::CONFLICT,
            FailureKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            FailureKind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            FailureKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            FailureKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
            FailureKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            FailureKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn grpc(self) -> Code {
        match self {
            FailureKind::NotUnderstood | FailureKind::UnsupportedMediaType | FailureKind::Unprocessable => {
                Code::InvalidArgument
            }
            FailureKind::Unauthenticated => Code::Unauthenticated,
            FailureKind::Forbidden => Code::PermissionDenied,
            FailureKind::NotFound => Code::NotFound,
            FailureKind::KeyConflict => Code::AlreadyExists,
            FailureKind::TooLarge | FailureKind::TooMany => Code::ResourceExhausted,
            FailureKind::Unavailable => Code::Unavailable,
            FailureKind::Internal => Code::Internal,
        }
    }

    fn slug(self) -> &'static str {
        match self {
            FailureKind::NotUnderstood => "not-understood",
            FailureKind::Unauthenticated => "unauthenticated",
            FailureKind::Forbidden => "forbidden",
            FailureKind::NotFound => "not-found",
            FailureKind::KeyConflict => "key-conflict",
            FailureKind::TooLarge => "too-large",
            FailureKind::UnsupportedMediaType => "unsupported-media-type",
            FailureKind::Unprocessable => "unprocessable",
            FailureKind::TooMany => "too-many",
            FailureKind::Unavailable => "unavailable",
            FailureKind::Internal => "internal",
        }
    }

    fn title(self) -> Text {
        match self {
            FailureKind::NotUnderstood => {
                Text::of("Không hiểu được yêu cầu", "The request could not be understood")
            }
            FailureKind::Unauthenticated => Text::of("Chưa rõ ai gửi yêu cầu", "Who is asking is not known"),
            FailureKind::Forbidden => Text::of("Không được phép", "Not allowed"),
            FailureKind::NotFound => Text::of("Không tìm thấy", "Not found"),
            FailureKind::KeyConflict => Text::of(
                "Khóa chống trùng đã dùng cho nội dung khác",
                "The idempotency key was used with other content",
            ),
            FailureKind::TooLarge => Text::of("Quá lớn", "Too large"),
            FailureKind::UnsupportedMediaType => {
                Text::of("Không nhận loại nội dung này", "Media type not taken")
            }
            FailureKind::Unprocessable => Text::of("Hiểu được, nhưng có lỗi", "Understood, and wrong"),
            FailureKind::TooMany => Text::of("Quá nhiều yêu cầu", "Too many requests"),
            FailureKind::Unavailable => Text::of("Hiện chưa phục vụ được", "Not available now"),
            FailureKind::Internal => Text::of("Lỗi của hệ thống", "A fault of the service"),
        }
    }
}

/// How long to wait where nothing else is said.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why an operation did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    kind: FailureKind,
    detail: Text,
    findings: Vec<Finding>,
    /// How long to wait before it is tried again.
    retry_after: Option<Duration>,
    #[source]
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    /// A failure a caller may read.
    pub fn new(kind: FailureKind, detail: Text) -> Failure {
        Failure { kind, detail, findings: vec![], retry_after: None, cause: None }
    }

    /// One thing that was found wrong.
    pub fn of(kind: FailureKind, finding: Finding) -> Failure {
        let detail = finding.said(&finding.path);
        Failure::new(kind, detail).with_findings(vec![finding])
    }

    /// With everything found wrong.
    #[must_use]
    pub fn with_findings(self, findings: Vec<Finding>) -> Failure {
        Failure { findings, ..self }
    }

    /// With how long to wait before it is tried again: `Retry-After` on REST, `google.rpc.RetryInfo` on gRPC.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Failure {
        Failure { retry_after: Some(wait), ..self }
    }

    /// A fault whose cause only the operator sees.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
        Failure {
            cause: Some(cause.into()),
            ..Failure::new(
                FailureKind::Internal,
                Text::of(
                    "hệ thống không thực hiện được; nguyên nhân có trong nhật ký của hệ thống",
                    "the service could not do this; its log says why",
                ),
            )
        }
    }

    /// Something the service needs is away; its cause only the operator sees.
    pub fn unavailable(detail: Text, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Failure {
        Failure { cause: Some(cause.into()), ..Failure::new(FailureKind::Unavailable, detail) }
    }

    /// How a stream ends whose service stops.
    pub fn stopping() -> Failure {
        let detail =
            Text::of("bản sao này đang dừng: hãy kết nối lại", "this replica is stopping: connect again");
        Failure::new(FailureKind::Unavailable, detail)
    }

    /// Its kind.
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// What a caller may read, in both languages.
    pub fn detail(&self) -> &Text {
        &self.detail
    }

    /// Everything found wrong.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How long to wait before it is tried again; nothing where that would not help.
    pub fn retry_after(&self) -> Option<Duration> {
        let usual = matches!(self.kind, FailureKind::Unavailable | FailureKind::TooMany);
        self.retry_after.or_else(|| usual.then_some(RETRY_AFTER))
    }

    /// Whether it is the service's fault, or its state.
    fn is_ours(&self) -> bool {
        matches!(self.kind, FailureKind::Unavailable | FailureKind::Internal)
    }

    /// The trace to quote when asking about it: what went wrong is in the log under it.
    fn trace_id(&self) -> Option<String> {
        self.is_ours().then(trace::id).flatten()
    }

    /// Logs what the caller does not see. Called once, where the failure becomes an answer.
    fn log(&self) {
        if let Some(cause) = &self.cause {
            tracing::error!(kind = self.kind.slug(), cause = %Chain(cause.as_ref()), "{}", self.detail.in_language(Language::English));
        }
    }
}

struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: Text,
    status: u16,
    detail: &'a Text,
    #[serde(skip_serializing_if = "<[Finding]>::is_empty")]
    findings: &'a [Finding],
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.log();
        let status = self.kind.http();
        let problem = Problem {
            r#type: format!("urn:tonghop:problem:{}", self.kind.slug()),
            title: self.kind.title(),
            status: status.as_u16(),
            detail: &self.detail,
            findings: &self.findings,
            trace_id: self.trace_id(),
        };
        let mut response = (status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        say(headers, Language::spoken());
        if self.kind == FailureKind::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after() {
            // Whole seconds, and never too few.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}

/// gRPC carries a status in headers, of which proxies and clients commonly take 8 KiB, with bytes in base64 and
/// other than ASCII in percent signs. So findings are carried up to these bytes, the rest is counted.
const FINDING_BYTES: usize = 3000;
/// Bytes of one finding, and of the message.
const TEXT_BYTES: usize = 600;

/// The beginning of a text, cut between characters.
fn beginning(text: &str) -> String {
    if text.len() <= TEXT_BYTES {
        return text.to_owned();
    }
    let end = (0..=TEXT_BYTES).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// Where a finding is, and what it says, in words.
fn in_words(finding: &Finding) -> (String, String) {
    let language = Language::spoken();
    let place = match finding.line {
        Some(line) => {
            let line = format!("{} {line}", language.choose("dòng", "line"));
            let parts = [finding.path.clone(), line, finding.column.clone()];
            parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ")
        }
        None => finding.path.clone(),
    };
    let mut text = finding.said(&finding.code).to_string();
    if !finding.hint.is_empty() {
        text.push_str("; ");
        text.push_str(&finding.hint.to_string());
    }
    (beginning(&place), beginning(&text))
}

impl From<Failure> for tonic::Status {
    fn from(failure: Failure) -> tonic::Status {
        failure.log();
        let mut details = ErrorDetails::new();
        let (mut bytes, mut carried) = (0, 0);
        for (place, text) in failure.findings.iter().map(in_words) {
            bytes += place.len() + text.len();
            if carried > 0 && bytes > FINDING_BYTES {
                break;
            }
            details.add_bad_request_violation(place, text);
            carried += 1;
        }
        if let Some(trace_id) = failure.trace_id() {
            details.set_request_info(trace_id, "");
        }
        details.set_retry_info(failure.retry_after());
        let mut message = beginning(&failure.detail.to_string());
        if carried < failure.findings.len() {
            let more = Text::of(
                format!(" (chi tiết nêu {carried} phát hiện đầu tiên)"),
                format!(" (the first {carried} findings are in the details)"),
            );
            message.push_str(&more.to_string());
        }
        tonic::Status::with_error_details(failure.kind.grpc(), message, details)
    }
}

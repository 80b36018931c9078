//! Totals as a file: fetched over REST, since that is where files are, on the channel that gRPC goes over.

use std::io::Write;
use std::path::Path;

use axum::body::{Body, to_bytes};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio_stream::StreamExt;
use tonghop_export::Format;
use tonghop_proto::query::GetTotalsRequest;
use tonghop_runtime::trace::TracedChannel;
use tower::ServiceExt;
use url::form_urlencoded::Serializer;

use crate::trouble::{Trouble, chain};

/// Bytes of a refusal that are read.
const LONGEST_REFUSAL: usize = 1 << 20;

/// The format that a file's name says.
///
/// # Errors
/// Where it ends in none of them.
pub fn format(path: &Path) -> Result<Format, Trouble> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    Format::of_extension(extension).ok_or_else(|| {
        let all = Format::ALL.map(|format| format!(".{}", format.extension())).join(", ");
        Trouble::Usage(format!("--out {}: a file's name ends in one of {all}", path.display()))
    })
}

/// Where REST has the file of a question.
fn address(format: Format, question: &GetTotalsRequest) -> String {
    let number = |number: i64| if number == 0 { String::new() } else { number.to_string() };
    let all = [
        ("indicator", question.indicator.clone()),
        ("unit", question.unit.clone()),
        ("period", question.period.clone()),
        ("breakdown", question.breakdown.clone()),
        ("by", question.by.clone()),
        ("dimension", question.by_dimension.clone()),
        ("map", question.map.clone()),
        ("programme", question.programme.clone()),
        ("level", question.level.clone()),
        ("last", number(question.last.into())),
        ("compare", question.compare.clone()),
        ("share", question.share.clone()),
        ("rank", if question.rank { "true".to_owned() } else { String::new() }),
        ("as_of", number(question.as_of)),
        ("review", question.review.clone()),
        ("figures", question.figures.clone()),
        ("at_least", number(question.at_least)),
    ];
    let mut query = Serializer::new(String::new());
    query.extend_pairs(all.iter().filter(|(_, value)| !value.is_empty()));
    format!("/v1/export/totals.{}?{}", format.extension(), query.finish())
}

/// Fetches the file of a question, and writes it whole or not at all; how many bytes it has.
///
/// # Errors
/// Where the question is refused, the file is cut short, or cannot be written.
pub async fn fetch(channel: TracedChannel, question: &GetTotalsRequest, to: &Path) -> Result<u64, Trouble> {
    let away =
        |error: &dyn std::error::Error| Trouble::refused(format!("the file did not come: {}", chain(error)));
    let unwritten = |error: std::io::Error| Trouble::refused(format!("{}: {error}", to.display()));
    let asked = http::Request::get(address(format(to)?, question));
    let asked = asked.body(tonic::body::Body::empty()).map_err(|e| away(&e))?;
    let answer = channel.oneshot(asked).await.map_err(|e| away(&e))?;
    let (head, body) = answer.into_parts();
    let body = Body::new(body);
    if !head.status.is_success() {
        let said = to_bytes(body, LONGEST_REFUSAL).await.unwrap_or_default();
        return Err(refusal(head.status, &said));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).map_err(unwritten)?;
    let (mut pieces, mut bytes) = (body.into_data_stream(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|e| away(&e))?;
        bytes += piece.len() as u64;
        file.write_all(&piece).map_err(unwritten)?;
    }
    file.as_file().sync_all().map_err(unwritten)?;
    file.persist(to).map_err(|e| unwritten(e.error))?;
    Ok(bytes)
}

/// What a problem says, in the words of the command line.
fn refusal(status: http::StatusCode, said: &[u8]) -> Trouble {
    let problem: Value = serde_json::from_slice(said).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let reason = match text(&problem["detail"]) {
        detail if detail.is_empty() => status.to_string(),
        detail => detail,
    };
    let findings = problem["findings"].as_array().into_iter().flatten();
    let hints = findings.map(|finding| text(&finding["hint"])).filter(|hint| !hint.is_empty()).collect();
    Trouble::refused(reason).with_findings(hints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_that_the_name_says() {
        assert_eq!(format(Path::new("a.b/tips.xlsx")), Ok(Format::Xlsx));
        assert!(matches!(format(Path::new("tips.pdf")), Err(Trouble::Usage(_))));
        assert!(matches!(format(Path::new("csv")), Err(Trouble::Usage(_))));
    }

    #[test]
    fn a_question_is_asked_with_what_was_typed_and_nothing_else() {
        let question = GetTotalsRequest {
            indicator: "tg01".into(),
            unit: "VN".into(),
            breakdown: "reporter=cong-an|topic=a".into(),
            rank: true,
            ..GetTotalsRequest::default()
        };
        assert_eq!(
            address(Format::Parquet, &question),
            "/v1/export/totals.parquet?indicator=tg01&unit=VN&breakdown=reporter%3Dcong-an%7Ctopic%3Da&rank=true"
        );
    }

    #[test]
    fn a_refusal_says_what_the_service_says() {
        let said = br#"{"detail":"unit: got none","findings":[{"hint":"GET /v1/units lists them"}]}"#;
        let lines = refusal(http::StatusCode::NOT_FOUND, said).lines();
        assert_eq!(lines, ["unit: got none", "  GET /v1/units lists them"]);
        assert_eq!(refusal(http::StatusCode::BAD_GATEWAY, b"").lines(), ["502 Bad Gateway"]);
    }
}

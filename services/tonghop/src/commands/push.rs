//! `tonghop push`: reports, as files.

use std::path::{Path, PathBuf};

use clap::Args;
use sha2::{Digest, Sha256};
use tonghop_access::{is_issued, is_token};
use tonghop_ingestion::{CSV, JSON, XLSX};
use tonghop_proto::ingestion::{Document, Finding, SubmitRequest, SubmitResponse};
use tonghop_runtime::Text;

use crate::arguments::ServerArguments;
use crate::client::Client;
use crate::output::{complain, say_all};
use crate::progress::Progress;
use crate::trouble::Trouble;

/// What `push` takes.
#[derive(Debug, Args)]
pub struct PushArguments {
    /// Reports; the extension says what they are: .xlsx, .csv or .json.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Idempotency key, for a single file; left out, it follows from the content, so that the same file pushed
    /// twice is a replay.
    #[arg(long)]
    pub idempotency_key: Option<String>,
    /// The reporting system. A JSON report may name its own [default: the one that the key is for; tonghop-push where
    /// it is for none].
    #[arg(long)]
    pub source: Option<String>,
    /// A note that stays with the submission.
    #[arg(long, default_value = "")]
    pub note: String,
    /// How numbers are written as text: vi (37.853 and 2,2) or en (37,853 and 2.2); left out, as plain decimals. A form
    /// of `tonghop form` says its own.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub locale: String,
    /// Give the same findings and store nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Where the services are.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Pushes every file, each as a submission of its own. One that is refused does not hold up the others.
///
/// # Errors
/// Where any of them was refused.
pub async fn run(arguments: PushArguments) -> Result<(), Trouble> {
    if arguments.idempotency_key.is_some() && arguments.files.len() > 1 {
        return Err(Trouble::Usage(
            "--idempotency-key is for a single file: one key names one submission".to_owned(),
        ));
    }
    let client = Client::connect(&arguments.server).await?;
    let mut progress = Progress::new("reports", arguments.files.len() as u64, true);
    let mut refused = vec![];
    for file in &arguments.files {
        match push(&client, file, &arguments).await {
            Ok(response) => {
                let lines = receipt(&file.display().to_string(), &response, arguments.dry_run);
                progress.around(|| say_all(lines));
            }
            Err(trouble) => refused.push(trouble),
        }
        progress.step();
    }
    progress.finish();
    // What exits last is shown by the caller; what was refused before it, here.
    let last = refused.pop();
    for trouble in &refused {
        trouble.lines().into_iter().for_each(complain);
    }
    last.map_or(Ok(()), Err)
}

async fn push(client: &Client, file: &Path, arguments: &PushArguments) -> Result<SubmitResponse, Trouble> {
    let place = file.display().to_string();
    let media_type = media_type(file).map_err(|t| t.at(&place))?;
    let content = std::fs::read(file)
        .map_err(|error| Trouble::refused(format!("cannot be read: {error}")).at(&place))?;
    let key = arguments.idempotency_key.clone().unwrap_or_else(|| key_of(&content));
    client
        .submit(SubmitRequest {
            idempotency_key: key,
            source: source(arguments)?,
            note: arguments.note.clone(),
            document: Some(Document {
                media_type: media_type.to_owned(),
                content,
                locale: arguments.locale.clone(),
            }),
            dry_run: arguments.dry_run,
            ..SubmitRequest::default()
        })
        .await
        .map_err(|trouble| trouble.at(&place))
}

/// A key that was given to a reporting system says itself which it is, and so does a token.
fn source(arguments: &PushArguments) -> Result<String, Trouble> {
    if let Some(source) = &arguments.source {
        return Ok(source.clone());
    }
    let key = arguments.server.key.read()?;
    let says_itself = key.is_some_and(|key| is_issued(&key) || is_token(&key));
    Ok(if says_itself { String::new() } else { "tonghop-push".to_owned() })
}

fn media_type(file: &Path) -> Result<&'static str, Trouble> {
    match file.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => Ok(CSV),
        Some("json") => Ok(JSON),
        Some("xlsx") => Ok(XLSX),
        Some("xls") => Err(Trouble::refused(
            "this is the old Excel format: open it in Excel or LibreOffice and save it as .xlsx",
        )),
        _ => Err(Trouble::refused(
            "what it is follows from the extension, and only .xlsx, .csv and .json are taken",
        )),
    }
}

/// A key that follows from the content.
pub fn key_of(content: &[u8]) -> String {
    format!("sha256-{}", hexadecimal(&Sha256::digest(content)))
}

/// Bytes as hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A receipt in lines, its warnings below it.
pub fn receipt(what: &str, response: &SubmitResponse, dry_run: bool) -> Vec<String> {
    let receipt = response.receipt.clone().unwrap_or_default();
    let mut lines = if dry_run {
        let would = Text::of(
            format!("{what}: sẽ được nhận; chỉ kiểm tra thử, không lưu gì"),
            format!("{what}: would be taken; dry run, nothing was stored"),
        );
        vec![would.to_string()]
    } else {
        let (position, figures) = (receipt.position, receipt.figures);
        let [vi, en] = match response.replayed {
            true => ["đã nhận từ trước", "already taken"],
            false => ["đã nhận", "taken"],
        };
        let taken = Text::of(
            format!("{what}: {vi} ở vị trí {position}, {figures} số liệu"),
            format!("{what}: {en} at position {position}, {figures} figures"),
        );
        vec![taken.to_string(), format!("  id      {}", receipt.id), format!("  digest  {}", receipt.digest)]
    };
    let warning = Text::of("cảnh báo", "warning");
    lines.extend(response.warnings.iter().map(|w| format!("  {warning} {}", finding(w))));
    lines
}

/// A finding in one line: `place: what it is`.
pub fn finding(finding: &Finding) -> String {
    let (line, got, expected) = (
        Text::of("dòng", "line"),
        Text::of("nhận được", "got").to_string(),
        Text::of("cần", "expected").to_string(),
    );
    let place = match (finding.line, finding.path.as_str()) {
        (0, "") => String::new(),
        (0, path) => format!("{path}: "),
        // A cell has its row and column in its name.
        (_, path) if path.contains('!') => format!("{path}: "),
        (at, _) if finding.column.is_empty() => format!("{line} {at}: "),
        (at, _) => format!("{line} {at}, {}: ", finding.column),
    };
    let mut text = format!("{place}{}", finding.code);
    let mut separator = ": ";
    for (name, what) in [(got, &finding.got), (expected, &finding.expected), (String::new(), &finding.hint)] {
        if !what.is_empty() {
            let name = if name.is_empty() { String::new() } else { format!("{name} ") };
            text.push_str(&format!("{separator}{name}{what}"));
            separator = "; ";
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonghop_proto::ingestion::Receipt;

    #[test]
    fn the_extension_says_what_a_report_is() {
        assert_eq!(media_type(Path::new("a.csv")), Ok("text/csv"));
        assert_eq!(media_type(Path::new("b/c.JSON")), Ok("application/json"));
        assert_eq!(media_type(Path::new("biểu.xlsx")), Ok(XLSX));
        assert!(media_type(Path::new("report.docx")).is_err());
        assert!(media_type(Path::new("report.xls")).is_err());
        assert!(media_type(Path::new("report")).is_err());
    }

    #[test]
    fn the_same_content_has_the_same_key() {
        assert_eq!(key_of(b"abc"), "sha256-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_ne!(key_of(b"abc"), key_of(b"abd"));
    }

    #[test]
    fn a_receipt_says_taken_or_already_taken_and_lists_its_warnings() {
        let mut response = SubmitResponse {
            receipt: Some(Receipt {
                id: "0198".into(),
                position: 12,
                digest: "ab".into(),
                figures: 15,
                ..Receipt::default()
            }),
            replayed: false,
            warnings: vec![Finding {
                code: "differs_much".into(),
                line: 4,
                column: "value".into(),
                got: "9".into(),
                hint: "look again".into(),
                ..Finding::default()
            }],
        };
        assert_eq!(
            receipt("a.csv", &response, false),
            [
                "a.csv: taken at position 12, 15 figures",
                "  id      0198",
                "  digest  ab",
                "  warning line 4, value: differs_much: got 9; look again",
            ]
        );
        response.replayed = true;
        assert!(receipt("a.csv", &response, false)[0].contains("already taken at position 12"));
        assert!(receipt("a.csv", &response, true)[0].contains("nothing was stored"));
    }
}

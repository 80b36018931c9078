//! Frozen reviews: a name for a position of the ledger, kept in the ledger itself.
//!
//! The name is the entry's idempotency key under a source of its own, so the ledger gives each name once.

use std::sync::Arc;

use prost::Message;
use serde_json::json;
use tonghop_access::{Caller, Role};
use tonghop_proto::ledger::ReviewRecord;
use tonghop_runtime::{Failure, FailureKind, Finding, Text, trace};
use tonghop_store::{Appended, Content, EntryKind, NewEntry, Premise, Receipt};
use uuid::Uuid;

use crate::in_force::none_loaded;
use crate::service::{Ingestion, JSON};
use crate::writer::failure;

/// Under which reviews are in the ledger. No system reports under it.
pub(crate) const SOURCE: &str = "tonghop-reviews";
/// The longest name, and the longest note, in bytes.
const LONGEST_NAME: usize = 100;
const LONGEST_NOTE: usize = 1000;
/// How often it is tried again because a registry came in between.
const MOST_TRIES: usize = 5;

/// A review that is in the ledger.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// Of the entry that names it.
    pub receipt: Receipt,
    /// Its name.
    pub name: String,
    /// The position that it is a name for.
    pub position: i64,
    /// Whether it was there before.
    pub replayed: bool,
}

impl Ingestion {
    /// Freezes everything up to a position, or with 0 everything there is, under a name.
    ///
    /// # Errors
    /// Where the name is malformed, or given to another position or with another note already; where there is no such
    /// position.
    pub async fn freeze_review(
        self: &Arc<Self>,
        caller: &Caller,
        name: &str,
        position: i64,
        note: &str,
    ) -> Result<Frozen, Failure> {
        caller.require(Role::Administer)?;
        check_name(name)?;
        check_note(note)?;
        for _ in 0..MOST_TRIES {
            if let Some(known) = self.ledger.receipt_by_key(SOURCE, name).await.map_err(failure)? {
                return self.known_review(known, name, position, note).await;
            }
            let rules = self.known.rules(&self.ledger).await?;
            caller.still(&rules.keys, (self.now)())?;
            rules.in_force().ok_or_else(none_loaded)?;
            let head = self.ledger.head().await.map_err(failure)?.map_or(0, |head| head.position);
            if position < 0 || position > head {
                return Err(wrong(
                    FailureKind::Unprocessable,
                    "no_such_position",
                    "position",
                    &position.to_string(),
                    Text::of(
                        format!("từ 1 đến {head} là vị trí cuối cùng, hoặc 0 để chỉ vị trí đó"),
                        format!("1 to {head}, the last there is, or 0 for that"),
                    ),
                    Text::of("chưa có thì không chốt được", "what is not there yet cannot be frozen"),
                ));
            }
            let frozen = if position == 0 { head } else { position };
            let document = json!({ "name": name, "position": frozen, "note": note }).to_string();
            let entry = NewEntry {
                id: Uuid::now_v7(),
                kind: EntryKind::Review,
                source: SOURCE.to_owned(),
                idempotency_key: name.to_owned(),
                content: Content::new(JSON, document),
                skeleton: None,
                record: ReviewRecord { name: name.to_owned(), position: frozen }.encode_to_vec().into(),
                figures: 0,
                received_at: (self.now)(),
                note: note.to_owned(),
                actor: caller.actor(),
                premise: Premise::Rules(rules.position),
                trace_parent: trace::parent(),
            };
            let prepared = self.ledger.prepare(entry).map_err(failure)?;
            match self.writer.append(prepared).await? {
                Appended::New(receipt) => {
                    return Ok(Frozen { receipt, name: name.to_owned(), position: frozen, replayed: false });
                }
                Appended::Replayed(known) | Appended::Conflict(known) => {
                    return self.known_review(known, name, position, note).await;
                }
                Appended::Outdated => {}
            }
        }
        let detail = Text::of(
            "đang nạp danh mục; hãy thử lại với cùng tên khi xong",
            "registries are being loaded; try again with the same name when that is done",
        );
        Err(Failure::new(FailureKind::Unavailable, detail))
    }

    /// What a name was given to before, where that is what it is asked to be given to.
    async fn known_review(
        &self,
        known: Receipt,
        name: &str,
        position: i64,
        note: &str,
    ) -> Result<Frozen, Failure> {
        let entry = self.ledger.entry(known.position).await.map_err(failure)?;
        let entry = entry.ok_or_else(|| Failure::internal(format!("no entry at {}", known.position)))?;
        let record = ReviewRecord::decode(entry.record.as_slice()).map_err(Failure::internal)?;
        if (position != 0 && position != record.position) || note != known.note {
            return Err(wrong(
                FailureKind::KeyConflict,
                "review_exists",
                "name",
                name,
                Text::of(
                    format!("vị trí {} với ghi chú {:?}, như đã chốt", record.position, known.note),
                    format!(
                        "position {} with the note {:?}, which it was given to",
                        record.position, known.note
                    ),
                ),
                Text::of(
                    "kỳ chốt số liệu không bao giờ thay đổi: hãy chốt vị trí khác với tên khác",
                    "a review is never changed: freeze another position under another name",
                ),
            ));
        }
        Ok(Frozen { receipt: known, name: name.to_owned(), position: record.position, replayed: true })
    }
}

/// That a review may be called so.
///
/// # Errors
/// Where it may not.
pub fn check_name(name: &str) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(plain) {
        return Ok(());
    }
    let got: String = name.chars().take(LONGEST_NAME).collect();
    Err(wrong(
        FailureKind::Unprocessable,
        "malformed_name",
        "name",
        &got,
        Text::of(
            format!("từ 1 đến {LONGEST_NAME} chữ cái a đến z, chữ số, gạch nối, gạch dưới và dấu chấm"),
            format!("1 to {LONGEST_NAME} letters a to z, digits, hyphens, underscores and points"),
        ),
        Text::of(
            "đặt mã ngắn, ví dụ so-ket-2028; nội dung cho người đọc thì ghi ở ghi chú",
            "give a short code, as so-ket-2028; what people are to read is the note",
        ),
    ))
}

/// That a review may have such a note.
///
/// # Errors
/// Where it may not.
pub fn check_note(note: &str) -> Result<(), Failure> {
    if note.len() <= LONGEST_NOTE && !note.chars().any(|c| c.is_control() && c != '\n') {
        return Ok(());
    }
    Err(wrong(
        FailureKind::Unprocessable,
        "malformed_note",
        "note",
        &format!("{} byte", note.len()),
        Text::of(
            format!("nhiều nhất {LONGEST_NOTE} byte văn bản thường"),
            format!("at most {LONGEST_NOTE} bytes of plain text"),
        ),
        Text::of("rút ngắn lại, và bỏ các ký tự điều khiển", "shorten it, and leave out control characters"),
    ))
}

fn wrong(kind: FailureKind, code: &str, path: &str, got: &str, expected: Text, hint: Text) -> Failure {
    let (code, path, got) = (code.to_owned(), path.to_owned(), Text::same(got));
    Failure::of(kind, Finding { code, path, got, expected, hint, ..Finding::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_short_code() {
        for name in ["so-ket-2028", "2013..2023", "A_1"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "sơ-kết", "a b", "a/b", "a\n", &"x".repeat(LONGEST_NAME + 1)] {
            assert_eq!(
                check_name(name).expect_err("a refusal").findings()[0].code,
                "malformed_name",
                "{name}"
            );
        }
    }
}

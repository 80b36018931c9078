//! As of when a question is answered, and by which registry.

use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use tonghop_core::Date;
use tonghop_core::registry::{Registry, UnitLookup};
use tonghop_core::unit::UnitId;
use tonghop_runtime::{Failure, FailureKind, Text};
use tonghop_store::Snapshot;

use crate::{Query, ask, store_failure};

/// As of when a request asks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct When<'a> {
    /// Everything up to this position has to be in.
    pub(crate) at_least: i64,
    /// Nothing after this position; 0 for now.
    pub(crate) as_of: i64,
    /// The position of this review; empty for none.
    pub(crate) review: &'a str,
    /// The position of the first page, where this is a later one.
    pub(crate) pinned: Option<i64>,
    /// Of approved figures only.
    pub(crate) approved_only: bool,
}

impl When<'_> {
    /// The position that has to be rolled up before there can be an answer.
    ///
    /// # Errors
    /// Where the request contradicts itself.
    pub(crate) fn needs(&self) -> Result<i64, Failure> {
        if self.as_of < 0 {
            return Err(ask::finding(
                FailureKind::NotUnderstood,
                "malformed_position",
                "as_of",
                self.as_of.to_string(),
                Text::of("một vị trí của sổ cái, từ 1", "a position of the ledger, from 1"),
                Text::of("bỏ trống để hỏi tại thời điểm này", "leave it out to ask as of now"),
            ));
        }
        if self.as_of > 0 && !self.review.is_empty() {
            return Err(ask::finding(
                FailureKind::NotUnderstood,
                "two_positions",
                "review",
                self.review,
                Text::of("as_of hoặc review", "either as_of or review"),
                Text::of(
                    "kỳ chốt số liệu là tên của một vị trí: chỉ giữ một trong hai",
                    "a review is a name for a position: leave one of them out",
                ),
            ));
        }
        Ok(self.at_least.max(self.as_of).max(self.pinned.unwrap_or(0)))
    }
}

/// As of when a view is, and how what is kept now is read as of then.
#[derive(Debug, Default)]
pub(crate) struct Moment {
    /// The position, of a view of the past.
    past: Option<i64>,
    /// When the entry at that position was received.
    time: Option<Timestamp>,
    /// The review whose position it is.
    review: String,
    /// Whether the registry of then is not the one in force now.
    other_registry: bool,
    /// The registry that tiles are arranged by, where they are not where the one of then would have them.
    kept_under: Option<Arc<Registry>>,
}

impl Moment {
    /// The position and time, of a view of the past.
    pub(crate) fn past(&self) -> Option<(i64, Option<Timestamp>)> {
        self.past.map(|position| (position, self.time))
    }

    /// The review asked for; empty for none.
    pub(crate) fn review(&self) -> &str {
        &self.review
    }

    /// The last position whose revisions are seen.
    pub(crate) fn limit(&self) -> i64 {
        self.past.unwrap_or(i64::MAX)
    }

    /// Whether summaries, which the registry in force made, may be used.
    pub(crate) fn has_summaries(&self) -> bool {
        !self.other_registry
    }

    /// Whether tiles are not arranged as the registry of then would have them.
    pub(crate) fn is_moved(&self) -> bool {
        self.kept_under.is_some()
    }

    /// Which unit of the registry of then a figure is of that is kept as one of `unit`, for a period that ends on a
    /// day. Codes are what figures are reported under, so the code says it.
    pub(crate) fn unit(&self, registry: &Registry, unit: UnitId, day: Date) -> Option<UnitId> {
        let Some(now) = &self.kept_under else { return Some(unit) };
        match registry.unit_on(&now.unit(unit).code, day) {
            UnitLookup::Found(unit) => Some(unit),
            UnitLookup::OtherTime(_) | UnitLookup::Unknown => None,
        }
    }
}

/// A moment, and the registries that go with it.
pub(crate) struct Moments {
    pub(crate) moment: Moment,
    /// That of the moment.
    pub(crate) registry: Arc<Registry>,
    /// The one in force now.
    pub(crate) present: Arc<Registry>,
}

/// Registries held at most: the present one, and some of the past.
const HELD: usize = 4;

impl Query {
    /// The moment that is asked for, and its registries.
    pub(crate) async fn moment(&self, snapshot: &Snapshot, when: When<'_>) -> Result<Moments, Failure> {
        let checkpoint = snapshot.checkpoint();
        let review = self.review(snapshot, when.review).await?;
        let asked = when.pinned.or(review).unwrap_or(when.as_of);
        let review = when.review.to_owned();
        let Some(present_at) = checkpoint.registry_position else {
            let detail = Text::of(
                "chưa nạp danh mục nào: hãy nạp bằng `tonghop registry load`",
                "no registry is loaded yet: load one with `tonghop registry load`",
            );
            return Err(Failure::new(FailureKind::Unavailable, detail));
        };
        let present = self.registry_of(snapshot, present_at).await?;
        if asked == 0 || asked == checkpoint.position {
            let (registry, moment) = (Arc::clone(&present), Moment { review, ..Moment::default() });
            return Ok(Moments { moment, registry, present });
        }
        let effects = snapshot.effects(&[asked]).await.map_err(store_failure)?;
        let time = effects.first().map(|effect| effect.received_at);
        let moment = Moment { past: Some(asked), time, review, ..Moment::default() };
        if asked >= present_at {
            return Ok(Moments { moment, registry: Arc::clone(&present), present });
        }
        let Some(at) = snapshot.registry_position_at(asked).await.map_err(store_failure)? else {
            return Err(not_kept(asked, present_at));
        };
        let then = self.registry_of(snapshot, at).await?;
        let moment = Moment { other_registry: true, ..moment };
        if then.keeps_figures_in_place(&present) {
            return Ok(Moments { moment, registry: then, present });
        }
        if !then.keeps_meanings(&present) {
            return Err(changed_meaning(asked, at, present_at));
        }
        let moment = Moment { kept_under: Some(Arc::clone(&present)), ..moment };
        Ok(Moments { moment, registry: then, present })
    }

    /// The position of a review; none where none is asked for.
    async fn review(&self, snapshot: &Snapshot, name: &str) -> Result<Option<i64>, Failure> {
        if name.is_empty() {
            return Ok(None);
        }
        ask::bounded("review", name)?;
        let found = snapshot.review(name).await.map_err(store_failure)?;
        let found = found.ok_or_else(|| {
            ask::finding(
                FailureKind::NotFound,
                "unknown_review",
                "review",
                name,
                Text::of("tên của một kỳ chốt số liệu", "the name of a frozen review"),
                Text::of(
                    "xem danh sách ở GET /v1/reviews; kỳ vừa chốt chỉ có sau khi vị trí của nó được tổng hợp: at_least",
                    "GET /v1/reviews lists them; one frozen a moment ago is there once its position is rolled up: \
                     at_least",
                ),
            )
        })?;
        Ok(Some(found.position))
    }

    /// The registry that was loaded at a position.
    pub(crate) async fn registry_of(
        &self,
        snapshot: &Snapshot,
        position: i64,
    ) -> Result<Arc<Registry>, Failure> {
        let held = || self.registries.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            || held().iter().find(|(at, _)| *at == position).map(|(_, registry)| Arc::clone(registry));
        if let Some(registry) = known() {
            return Ok(registry);
        }
        // It takes a tenth of a second, of a processor and of memory: one reads it for all who ask meanwhile.
        let _reading = self.reading_registry.lock().await;
        if let Some(registry) = known() {
            return Ok(registry);
        }
        let record = snapshot.registry_loaded_at(position).await.map_err(store_failure)?;
        let Some(record) = record else {
            return Err(Failure::internal(format!("the registry of position {position} is not stored")));
        };
        let reading = tokio::task::spawn_blocking(move || tonghop_proto::registry_draft::read(&record));
        let registry = Arc::new(reading.await.map_err(Failure::internal)?.map_err(Failure::internal)?);
        let mut held = held();
        if held.len() >= HELD {
            // The newest is the one in force, which most questions ask for.
            let oldest = held.iter().enumerate().min_by_key(|(_, (at, _))| *at).map(|(i, _)| i);
            oldest.map(|i| held.swap_remove(i));
        }
        held.push((position, Arc::clone(&registry)));
        Ok(registry)
    }
}

fn not_kept(asked: i64, present: i64) -> Failure {
    ask::finding(
        FailureKind::Unprocessable,
        "registry_not_kept",
        "as_of",
        asked.to_string(),
        or_later(present),
        Text::of(
            "danh mục của thời điểm đó không được lưu: khi ấy chưa có, hoặc do phiên bản chương trình trước tổng hợp; \
             lập lại số tổng hợp sẽ có lại",
            "the registry of that time is not kept: there was none yet, or an earlier version of the program rolled \
             it up; a rebuild of the totals brings it back",
        ),
    )
}

fn changed_meaning(asked: i64, then: i64, present: i64) -> Failure {
    ask::finding(
        FailureKind::Unprocessable,
        "registry_changed_meaning",
        "as_of",
        asked.to_string(),
        or_later(present),
        Text::of(
            format!(
                "chỉ tiêu hoặc lịch báo cáo trong danh mục ở vị trí {then} có nghĩa khác trong danh mục ở vị trí \
                 {present}, là danh mục đang dùng để lưu số liệu"
            ),
            format!(
                "indicators or calendars of the registry of position {then} mean something else in that of position \
                 {present}, by which figures are kept now"
            ),
        ),
    )
}

fn or_later(position: i64) -> Text {
    Text::of(format!("vị trí {position} hoặc sau đó"), format!("position {position} or a later one"))
}

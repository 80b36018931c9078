//! Frozen reviews: which there are.

use tonghop_access::Caller;
use tonghop_proto::query as pb;
use tonghop_runtime::{Failure, FailureKind};
use tonghop_store::Review;

use crate::cursor;
use crate::moment::When;
use crate::{Query, ask, store_failure};

impl Query {
    /// Lists frozen reviews, which are public, in the order of their names. The cursor is the name of the last one.
    ///
    /// # Errors
    /// What is wrong with the request.
    pub async fn reviews(
        &self,
        caller: &Caller,
        request: &pb::ListReviewsRequest,
    ) -> Result<pb::ListReviewsResponse, Failure> {
        let when = When { at_least: request.at_least, ..When::default() };
        if request.page_token.len() > cursor::LARGEST_PAGE {
            let got = format!("{} byte", request.page_token.len());
            let (expected, hint) = (cursor::page_before(), cursor::first_page());
            return Err(ask::finding(
                FailureKind::NotUnderstood,
                "malformed_cursor",
                "cursor",
                got,
                expected,
                hint,
            ));
        }
        let view = self.view(caller, when).await?;
        let size = cursor::size(request.page_size);
        let found = view.snapshot.reviews(&request.page_token, size as u64 + 1).await;
        let mut found = found.map_err(store_failure)?;
        let more = found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| more).map(|last| last.name.clone());
        Ok(pb::ListReviewsResponse {
            as_of: Some(view.as_of()),
            reviews: found.into_iter().map(shown).collect(),
            next_page_token: next.unwrap_or_default(),
        })
    }
}

fn shown(review: Review) -> pb::Review {
    pb::Review {
        name: review.name,
        position: review.position,
        note: review.note,
        frozen_at: review.frozen_at.to_string(),
    }
}

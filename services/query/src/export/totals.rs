//! Totals as rows of a file, a page at a time.

use std::sync::Arc;

use tonghop_access::Caller;
use tonghop_export::About;
use tonghop_proto::query as pb;
use tonghop_rest::parameters::TotalsFile;
use tonghop_runtime::Failure;

use super::asked::{Asking, request};
use super::stream::Rows;
use crate::Query;
use crate::moment::When;

/// The pages of one question, all as of the position of the first.
pub(super) struct TotalRows {
    query: Arc<Query>,
    caller: Caller,
    request: pb::GetTotalsRequest,
    as_of: pb::AsOf,
    about: About,
    /// The page that was read, until it is asked for.
    page: Option<pb::GetTotalsResponse>,
}

impl TotalRows {
    /// With the first page read, so that a wrong question fails as a whole.
    pub(super) async fn begin(
        query: &Arc<Query>,
        caller: Caller,
        asked: &TotalsFile,
    ) -> Result<TotalRows, Failure> {
        let request = request(asked);
        let page = query.totals(&caller, &request).await?;
        let as_of = page.as_of.clone().unwrap_or_default();
        let pinned = Some(as_of.position);
        let view = query.view(&caller, When { review: &asked.review, pinned, ..When::default() }).await?;
        let about = Asking::totals(asked).of(&view, &as_of, page.count).await?;
        Ok(TotalRows { query: Arc::clone(query), caller, request, as_of, about, page: Some(page) })
    }
}

impl Rows for TotalRows {
    type Row = pb::Total;

    fn as_of(&self) -> &pb::AsOf {
        &self.as_of
    }

    fn about(&self) -> &About {
        &self.about
    }

    async fn next(&mut self) -> Result<Option<Vec<pb::Total>>, Failure> {
        let page = match self.page.take() {
            Some(page) => page,
            None if self.request.page_token.is_empty() => return Ok(None),
            None => self.query.totals(&self.caller, &self.request).await?,
        };
        let position = page.as_of.as_ref().map_or(0, |as_of| as_of.position);
        if position != self.as_of.position {
            let (first, now) = (self.as_of.position, position);
            return Err(Failure::internal(format!("a page is as of {now}, and the first was of {first}")));
        }
        self.request.page_token = page.next_page_token;
        Ok(Some(page.totals))
    }
}

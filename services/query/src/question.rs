//! What a question asks, found out without looking at a figure.

use std::sync::Arc;

use tonghop_access::Caller;
use tonghop_core::registry::Registry;
use tonghop_proto::query::GetTotalsRequest;
use tonghop_runtime::Failure;

use crate::pivot::Pivot;
use crate::sight::Sight;
use crate::totals::{Asked, MOST_PAGED};

/// How many totals a request of whoever asks comes to, by a registry that is in force; and where the page after its first
/// entry would start.
///
/// # Errors
/// What is wrong with the request, that the caller may not ask it.
pub fn totals(
    caller: &Caller,
    registry: &Arc<Registry>,
    request: &GetTotalsRequest,
) -> Result<(usize, String), Failure> {
    let asked = Asked::read(request)?;
    let sight = Sight::new(caller, registry, Arc::clone(registry));
    let pivot = Pivot::read(&sight, request, MOST_PAGED)?;
    Ok((pivot.count(), asked.next(1, 1, pivot.count())))
}

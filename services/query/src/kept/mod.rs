//! Answers that are kept, as the bytes they were sent as, and given again for as long as they are still the answer.
//!
//! An answer is kept under what was asked and under the state of the tiles that it was given in: the position, the
//! ledger's digest there, and the epoch that wrote it. Before it is given again, it is found out which state is the
//! [present](crate::present) one. So whatever changes a total, also a registry, a rebuild of another ledger, or another
//! process that took over, makes what was kept useless at once; no message has to arrive for that. What is kept nowhere is
//! worked out without a transaction, and again within one where the state was not the same afterwards. Aggregation's
//! stream adds the one thing that the state does not tell, that a rebuild may have mended what was damaged: nothing is
//! kept while the stream is not there, and nothing from before such a message.
//!
//! Nothing here knows what the operations do.

mod answers;
mod front;
mod request;

pub(crate) use answers::Answers;
pub use front::keep_answers;

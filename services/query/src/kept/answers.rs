//! The answers themselves, within a bound.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::Response;
use http_body_util::{BodyExt, Full};
use tokio::sync::OnceCell;
use tonghop_store::StandingAt;

/// What is kept at most, in bytes: about 60,000 answers of one total, or 2,000 of a whole programme.
const MOST: usize = 64 << 20;
/// What an entry takes beside its bytes.
const BESIDE: usize = 512;
/// A larger answer is not kept.
pub(super) const LARGEST: usize = 1 << 20;

/// An answer as it was sent.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Of gRPC.
    pub(super) trailers: Option<HeaderMap>,
}

impl Answer {
    /// To be sent.
    pub(super) fn response(&self) -> Response {
        let bytes = self.body.clone();
        let body = match self.trailers.clone() {
            None => Body::from(bytes),
            Some(trailers) => Body::new(Full::new(bytes).with_trailers(async move { Some(Ok(trailers)) })),
        };
        let mut response = Response::new(body);
        *response.headers_mut() = self.headers.clone();
        response
    }
}

/// An answer, once somebody has worked it out; nothing where it cannot be kept.
pub(super) type Slot = Arc<OnceCell<Option<Arc<Answer>>>>;

/// The answers that are kept, all of one state.
///
/// They are held in two halves: what is asked for moves to the young one, and when that is full, what lies in the old
/// one is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    at: Option<StandingAt>,
    /// How often everything was forgotten.
    cleared: u64,
    young: HashMap<Box<[u8]>, (Slot, usize)>,
    old: HashMap<Box<[u8]>, (Slot, usize)>,
    /// Of the young ones.
    bytes: usize,
}

impl Answers {
    /// Forgets everything.
    pub(crate) fn clear(&self) {
        let mut held = self.held();
        let cleared = held.cleared + 1;
        *held = Held { cleared, ..Held::default() };
    }

    /// How many are kept, and their bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        let held = self.held();
        let old = held.old.values().map(|(_, bytes)| bytes).sum::<usize>();
        (held.young.len() + held.old.len(), held.bytes + old)
    }

    /// Where the answer to something is, or will be; and how often everything had been forgotten.
    pub(super) fn slot(&self, at: StandingAt, asked: &[u8]) -> (Slot, u64) {
        let mut held = self.held();
        if held.at != Some(at) {
            let earlier =
                held.at.is_some_and(|known| (at.epoch, at.position) < (known.epoch, known.position));
            if earlier {
                // Somebody who looked before the others: nobody will ask for that state again.
                return (Slot::default(), held.cleared);
            }
            let cleared = held.cleared;
            *held = Held { at: Some(at), cleared, ..Held::default() };
        }
        let cleared = held.cleared;
        if let Some((slot, _)) = held.young.get(asked) {
            return (Arc::clone(slot), cleared);
        }
        let (slot, bytes) = held.old.remove(asked).unwrap_or_else(|| (Slot::default(), asked.len() + BESIDE));
        held.insert(asked, Arc::clone(&slot), bytes);
        (slot, cleared)
    }

    /// Counts an answer that was worked out. Nothing where it is not held any more.
    pub(super) fn count(&self, asked: &[u8], answer: &Answer) {
        let mut held = self.held();
        if let Some((slot, bytes)) = held.young.remove(asked) {
            held.bytes -= bytes;
            held.insert(asked, slot, asked.len() + BESIDE + answer.body.len());
        }
    }

    /// Whether everything was forgotten since.
    pub(super) fn cleared_since(&self, cleared: u64) -> bool {
        self.held().cleared != cleared
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn insert(&mut self, asked: &[u8], slot: Slot, bytes: usize) {
        if self.bytes + bytes > MOST / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.young.insert(asked.into(), (slot, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: i64) -> StandingAt {
        StandingAt { position, ledger_digest: [0; 32], epoch: 1 }
    }

    fn answer(bytes: usize) -> Arc<Answer> {
        Arc::new(Answer { headers: HeaderMap::new(), body: vec![7; bytes].into(), trailers: None })
    }

    fn put(answers: &Answers, position: i64, asked: &[u8], bytes: usize) {
        let (slot, _) = answers.slot(at(position), asked);
        let answer = answer(bytes);
        slot.set(Some(Arc::clone(&answer))).expect("nobody has answered before");
        answers.count(asked, &answer);
    }

    fn has(answers: &Answers, position: i64, asked: &[u8]) -> bool {
        answers.slot(at(position), asked).0.initialized()
    }

    #[test]
    fn what_was_kept_in_one_state_is_gone_in_the_next() {
        let answers = Answers::default();
        put(&answers, 1, b"a", 10);
        assert!(has(&answers, 1, b"a"));
        assert!(!has(&answers, 2, b"a"));
        assert!(!has(&answers, 1, b"a"), "a state that is past is not come back to");
        let other = StandingAt { ledger_digest: [9; 32], ..at(2) };
        put(&answers, 2, b"b", 10);
        assert!(!answers.slot(other, b"b").0.initialized(), "another ledger at the same position");
    }

    #[test]
    fn it_keeps_within_its_bound_and_keeps_what_is_asked_for() {
        let answers = Answers::default();
        put(&answers, 1, b"wanted", 100);
        for n in 0_u32..200 {
            put(&answers, 1, &n.to_be_bytes(), LARGEST);
            assert!(has(&answers, 1, b"wanted"));
            assert!(answers.size().1 <= MOST + LARGEST, "{:?}", answers.size());
        }
        assert!(!has(&answers, 1, &0_u32.to_be_bytes()), "what nobody asks for goes");
    }

    #[test]
    fn clearing_forgets_and_is_told() {
        let answers = Answers::default();
        let (_, cleared) = answers.slot(at(1), b"a");
        put(&answers, 1, b"b", 10);
        assert!(!answers.cleared_since(cleared));
        answers.clear();
        assert!(answers.cleared_since(cleared));
        assert_eq!(answers.size(), (0, 0));
    }
}

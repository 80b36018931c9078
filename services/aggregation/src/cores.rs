//! Work on many things at once.

use rayon::prelude::*;

/// How many items are worth a thread of their own, by what each takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Each {
    /// Some microseconds.
    Little = 256,
    /// A tenth of a millisecond.
    Some = 32,
    /// A millisecond.
    Much = 4,
}

/// Works on all items, on as many threads as there are cores where there are many items: those of the
/// [pool](crate::behind) that this is called in. The results come in their order.
pub(crate) fn on_all_cores<T: Sync, R: Send>(
    each: Each,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    if items.len() < each as usize || rayon::current_num_threads() == 1 {
        return items.iter().map(work).collect();
    }
    let work = &work;
    // No thread is woken for less than this.
    items.par_iter().with_min_len(each as usize / 4).map(work).collect()
}

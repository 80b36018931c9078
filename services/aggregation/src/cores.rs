//! Work on many things at once.

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

/// Works on all items, on as many threads as there are cores where there are many items; the results come in their
/// order.
pub(crate) fn on_all_cores<T: Sync, R: Send>(
    each: Each,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if items.len() < each as usize || cores == 1 {
        return items.iter().map(work).collect();
    }
    let work = &work;
    std::thread::scope(|scope| {
        let chunks = items.chunks(items.len().div_ceil(cores));
        let threads: Vec<_> =
            chunks.map(|chunk| scope.spawn(move || chunk.iter().map(work).collect::<Vec<R>>())).collect();
        let joined = threads.into_iter().map(|t| t.join().unwrap_or_else(|p| std::panic::resume_unwind(p)));
        joined.flatten().collect()
    })
}

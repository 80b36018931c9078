//! Where a process has its memory from.

/// The allocator of every process that serves: each `main.rs` names it as its own.
pub use mimalloc::MiMalloc as Allocator;

/// Has the system give memory in its usual pages of a few kilobytes, not in huge ones.
///
/// The allocator asks for huge pages, which are cleared as a whole when one byte is touched. Whatever takes memory that it did
/// not have, the first pushes after a start above all, waits for that: it was a quarter of the time of a month (docs/performance.md).
/// To be called before anything else is done. Where the system knows of no such choice, everything is as ever.
pub fn in_small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "memory comes in huge pages where the system likes them");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn a_process_can_do_without_huge_pages() {
        super::in_small_pages();
        assert_eq!(rustix::thread::transparent_huge_pages_are_disabled(), Ok(true));
    }
}

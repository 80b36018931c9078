//! What the process takes of its machine, where the system tells (Linux).

use std::sync::Arc;

use prometheus_client::metrics::gauge::Gauge;

use crate::metrics::Metrics;

/// Registers memory and open files.
pub(crate) fn register(metrics: &Arc<Metrics>) {
    if resident_bytes().is_none() {
        return;
    }
    let (memory, files) = (Gauge::<i64>::default(), Gauge::<i64>::default());
    metrics.register(|registry| {
        let help = "Memory that the process has in use";
        registry.register("process_resident_memory_bytes", help, memory.clone());
        registry.register("process_open_fds", "Files and sockets that the process has open", files.clone());
    });
    metrics.before_each_scrape(move || {
        memory.set(resident_bytes().unwrap_or(0));
        files.set(open_files().unwrap_or(0));
        std::future::ready(())
    });
}

fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn open_files() -> Option<i64> {
    i64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}

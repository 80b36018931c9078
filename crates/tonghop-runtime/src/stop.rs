//! The word to stop, as everything that runs on hears it.

use tokio::sync::watch;

/// Says the word.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Hears the word; clones hear the same.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stopper {
    /// Nobody is told yet.
    #[expect(clippy::new_without_default, reason = "a stopper is made where a process is put together")]
    pub fn new() -> Stopper {
        Stopper(watch::Sender::new(false))
    }

    /// What hears this one.
    pub fn stop(&self) -> Stop {
        Stop(self.0.subscribe())
    }

    /// Tells all.
    pub fn tell(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Resolves when it is time to stop; at once if it has been. The stopper's end counts as the word.
    pub async fn told(&self) {
        let _ = self.0.clone().wait_for(|told| *told).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_listens_late_hears_it_too_and_so_does_who_lost_the_stopper() {
        let stopper = Stopper::new();
        let early = stopper.stop();
        stopper.tell();
        early.told().await;
        stopper.stop().told().await;
        let lost = Stopper::new().stop();
        lost.told().await;
    }
}

use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime with several threads, as an application has. `block_on` may be called from any number of threads at once.
#[derive(Debug)]
pub struct Runner(Runtime);

impl Runner {
    /// A runtime of its own.
    #[must_use]
    pub fn new() -> Self {
        Self(Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
    }

    /// Waits for work, on the calling thread.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.0.block_on(work)
    }

    /// The runtime, to spawn on.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        self.0.handle()
    }
}

impl Default for Runner {
    fn default() -> Self {
        Self::new()
    }
}

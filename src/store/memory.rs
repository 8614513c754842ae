/// Placeholder
#[derive(Debug)]
pub struct MemoryStore;
/// Placeholder
#[derive(Debug)]
pub struct MemoryStoreBuilder;

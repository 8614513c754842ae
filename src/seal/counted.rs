use std::io;

/// Counts the bytes that are written and keeps none: how long a JSON text would be.
#[derive(Default)]
pub(crate) struct Counted(pub(crate) usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

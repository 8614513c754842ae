//! Draws that a seed decides: the same seed draws the same every time.

/// A xorshift generator.
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn of(seed: u64) -> Self {
        let mut draws = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        // The first draw is nearly the same for neighbouring seeds.
        draws.below(2);
        draws
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let drawn = (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % u64::try_from(bound).unwrap();
        usize::try_from(drawn).unwrap()
    }

    pub(super) fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

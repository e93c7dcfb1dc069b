//! Randomness that a seed draws again.

/// A stream of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The run's own stream under this name, so that tests beside one another draw different numbers.
    ///
    /// # Panics
    /// Where the run has a seed that is no number.
    pub fn named(name: &str) -> Self {
        // A run without `cargo xtask test` draws the same samples each time.
        let seed = std::env::var("WINDLASS_TEST_SEED").map_or(1, |seed| seed.parse().expect("a seed"));
        let mixed =
            name.bytes().fold(seed, |mixed, byte| (mixed ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        Self(mixed)
    }

    /// What the stream began with, or where it is.
    pub fn seed(&self) -> u64 {
        self.0
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end.max(1)
    }

    /// A moment within a time.
    pub fn moment(&mut self, within: std::time::Duration) -> std::time::Duration {
        let micros = u64::try_from(within.as_micros()).unwrap_or(u64::MAX);
        std::time::Duration::from_micros(self.below(micros))
    }
}

/// How long matrices are run: whole or as a sample, and which part of them.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Whether all of it is wanted.
    pub is_full: bool,
    part: u64,
    parts: u64,
}

impl Extent {
    /// As the environment says.
    ///
    /// # Panics
    /// Where it names a part that is none.
    pub fn of_run() -> Self {
        let is_full = std::env::var_os("WINDLASS_TEST_FULL").is_some();
        let shard = std::env::var("WINDLASS_TEST_SHARD").unwrap_or_else(|_| "1/1".to_owned());
        let (part, parts) = shard.split_once('/').expect("a shard is K/N");
        Self { is_full, part: part.parse().expect("a shard"), parts: parts.parse().expect("shards") }
    }

    /// Whether the case with this number belongs to this part.
    pub fn has(&self, number: usize) -> bool {
        number as u64 % self.parts == self.part - 1
    }

    /// Whether it is one of several parts.
    pub fn is_part(&self) -> bool {
        self.parts > 1
    }

    /// How many trials there are in all parts together. Each part draws for all of them, and makes those that it has:
    /// so all parts of a run make the same trials as an undivided one.
    pub fn of(&self, sample: usize, full: usize) -> usize {
        if self.is_full { full } else { sample }
    }

    /// Whether a test that cannot be divided is this part's to run in full. Its number is that of its target.
    pub fn is_full_for(&self, target: &crate::Target) -> bool {
        let targets = crate::targets().expect("the run's targets");
        let number = targets.iter().position(|other| other == target).unwrap_or_default();
        self.is_full && self.has(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trial_is_one_part_s() {
        for parts in 1..6 {
            let all: Vec<_> = (1..=parts).map(|part| Extent { is_full: true, part, parts }).collect();
            for number in 0..20 {
                assert_eq!(all.iter().filter(|part| part.has(number)).count(), 1, "{number} of {parts}");
            }
        }
    }
}

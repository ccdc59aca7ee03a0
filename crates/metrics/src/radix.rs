//! Radix sort by key, for items that fit in a few bytes.

use crate::score::Key;

/// Something ranked by a key.
pub(crate) trait Item: Copy + Default + Send + Sync {
    type Key: Key;
    fn key(self) -> Self::Key;
}

impl<K: Key> Item for K {
    type Key = K;
    #[inline(always)]
    fn key(self) -> K {
        self
    }
}

/// Longest slice sorted at once: it bounds the scratch memory of a thread.
pub(crate) const RUN: usize = 8 << 20;

/// Below this a comparison sort is quicker.
const SMALL: usize = 1024;

/// Digits this wide keep the table of one pass within the second-level cache.
const DIGIT_BITS: u32 = 11;

/// Sorts by ascending key on all threads of the current pool.
pub(crate) fn sort<T: Item>(items: &mut [T]) {
    if items.len() <= RUN {
        sort_run(items);
        return;
    }
    let middle = items.len() / 2;
    items.select_nth_unstable_by_key(middle, |item| item.key());
    let (low, high) = items.split_at_mut(middle);
    rayon::join(|| sort(low), || sort(high));
}

/// Sorts by ascending key, least significant digit first, on this thread. Only the bits in which keys differ are looked at.
pub(crate) fn sort_run<T: Item>(items: &mut [T]) {
    if items.len() < SMALL {
        items.sort_unstable_by_key(|item| item.key());
        return;
    }
    let first = items[0].key();
    let (low, high) = items.iter().fold((first, first), |(low, high), item| {
        (low.min(item.key()), high.max(item.key()))
    });
    let bits = 64 - high.distance(low).leading_zeros();
    if bits == 0 {
        return;
    }
    let passes = bits.div_ceil(DIGIT_BITS);
    let width = bits.div_ceil(passes);
    let mask = (1_usize << width) - 1;
    let mut tables = vec![0_usize; (passes as usize) << width];
    for item in items.iter() {
        let distance = item.key().distance(low);
        for (pass, table) in tables.chunks_exact_mut(mask + 1).enumerate() {
            table[(distance >> (pass as u32 * width)) as usize & mask] += 1;
        }
    }
    let mut scratch = vec![T::default(); items.len()];
    let (mut source, mut target) = (&mut *items, scratch.as_mut_slice());
    let mut in_scratch = false;
    for (pass, table) in tables.chunks_exact_mut(mask + 1).enumerate() {
        let mut next = 0;
        for entry in table.iter_mut() {
            next += std::mem::replace(entry, next);
        }
        let shift = pass as u32 * width;
        for &item in source.iter() {
            let entry = &mut table[(item.key().distance(low) >> shift) as usize & mask];
            target[*entry] = item;
            *entry += 1;
        }
        std::mem::swap(&mut source, &mut target);
        in_scratch = !in_scratch;
    }
    if in_scratch {
        target.copy_from_slice(source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, modulus: u64) -> Vec<u64> {
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 20) % modulus
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn sorts_like_the_standard_library() {
        for (count, modulus) in [
            (0, 9),
            (1, 9),
            (900, 50),
            (5000, 1),
            (5000, 3),
            (70_000, 1 << 24),
            (70_000, 1 << 44),
        ] {
            let mut expected = numbers(count, modulus);
            let mut found = expected.clone();
            let mut narrow: Vec<u32> = expected.iter().map(|&n| n as u32).collect();
            let mut expected_narrow = narrow.clone();
            expected.sort_unstable();
            expected_narrow.sort_unstable();
            sort(&mut found);
            sort(&mut narrow);
            assert_eq!(found, expected);
            assert_eq!(narrow, expected_narrow);
        }
    }

    #[test]
    fn slices_beyond_one_run_are_split() {
        let mut found: Vec<u32> = numbers(RUN + 3, 1 << 30)
            .iter()
            .map(|&n| n as u32)
            .collect();
        sort(&mut found);
        assert!(found.is_sorted());
    }
}

//! Items in groups that fit into memory.

use std::iter;

/// Takes items together that follow each other: at most `most` of them, and as many as `bytes` have room for, but at least one. Each
/// item comes with the bytes that it takes.
///
/// ```
/// let items = [(5, 'a'), (5, 'b'), (5, 'c'), (99, 'd'), (1, 'e')];
/// let groups: Vec<String> = ckaad_data::groups(items, 2, 50).map(|group| group.into_iter().collect()).collect();
/// assert_eq!(groups, ["ab", "c", "d", "e"]);
/// ```
pub fn groups<T>(
    items: impl IntoIterator<Item = (u64, T)>,
    most: usize,
    bytes: u64,
) -> impl Iterator<Item = Vec<T>> {
    let mut items = items.into_iter().peekable();
    iter::from_fn(move || {
        let (mut taken, first) = items.next()?;
        let mut group = vec![first];
        while group.len() < most
            && let Some((more, item)) =
                items.next_if(|(more, _)| taken.saturating_add(*more) <= bytes)
        {
            taken += more;
            group.push(item);
        }
        Some(group)
    })
}

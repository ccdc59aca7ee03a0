//! Where settings are not the paper's.

use super::measured::RowResults;

/// What the settings of all rows differ in, and what those of some.
pub(super) fn settings(rows: &[RowResults]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for row in rows {
        for text in &row.differs {
            if all.contains(text) {
                continue;
            }
            all.push(text.clone());
        }
    }
    all.into_iter()
        .map(|text| {
            // Rows without labels have no labelled classes to differ in; only differences between like rows are worth a word.
            let holders: Vec<&str> = rows
                .iter()
                .filter(|row| row.differs.contains(&text))
                .filter_map(|row| row.category.as_deref())
                .collect();
            let categories = rows.iter().filter(|row| row.category.is_some()).count();
            if holders.is_empty() || holders.len() == categories {
                return text;
            }
            let mut names = holders;
            names.sort_unstable();
            names.dedup();
            format!("{text} in {}", names.join(", "))
        })
        .collect()
}

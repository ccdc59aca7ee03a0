//! Which detectors are compared.

use toml::{Table, Value};

use super::detectors;
use crate::EngineError;

/// The `[detector]` tables of the detectors with these names, for [`Config::resolve_each`](crate::Config::resolve_each): those of
/// [`detectors`] in their order of preference, then the others by name.
///
/// # Errors
/// As [`detectors`].
pub fn detectors_named(mut names: Vec<String>) -> Result<Vec<Table>, EngineError> {
    let is = |table: &Table, name: &str| table.get("name").and_then(Value::as_str) == Some(name);
    let mut tables = detectors()?;
    tables.retain(|table| names.iter().any(|name| is(table, name)));
    names.retain(|name| !tables.iter().any(|table| is(table, name)));
    names.sort_unstable();
    names.dedup();
    let named = |name| Table::from_iter([("name".to_owned(), Value::String(name))]);
    tables.extend(names.into_iter().map(named));
    Ok(tables)
}

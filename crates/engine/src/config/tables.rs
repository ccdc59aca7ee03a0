//! What is done to tables of settings, whatever is in them.

use std::path::Path;

use toml::{Table, Value};

/// Lays the entries of `over` over `base`; tables are merged, everything else is replaced. Settings of one detector are
/// none of another's: the table of a detector of another name takes the place of the whole.
pub fn lay_over(base: &mut Table, over: Table) {
    let name = |table: &Table| Some(table.get("detector")?.get("name")?.clone());
    if let Some(chosen) = name(&over)
        && name(base).is_some_and(|before| before != chosen)
    {
        base.remove("detector");
    }
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Joins every path among the settings to `folder`; absolute ones stay as they are.
pub(super) fn make_absolute(settings: &mut Table, folder: &Path) {
    let join = |table: &mut Table, key: &str| {
        if let Some(Value::String(path)) = table.get_mut(key)
            && let Some(joined) = folder.join(path.as_str()).to_str()
        {
            *path = joined.to_owned();
        }
    };
    join(settings, "weights");
    join(settings, "feature_cache_dir");
    join(settings, "textures");
    let Some(Value::Table(data)) = settings.get_mut("data") else {
        return;
    };
    join(data, "root");
    join(data, "split");
    if let Some(Value::Table(folders)) = data.get_mut("folders") {
        for key in ["normal", "anomalous", "test", "masks"] {
            join(folders, key);
        }
    }
}

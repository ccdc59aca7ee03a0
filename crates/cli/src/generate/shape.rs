//! A JSON schema, read for people.

use serde_json::{Value, json};

/// What a value may look like: a part of a schema, and the whole that its references lead into.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    root: &'a Value,
    part: &'a Value,
}

impl<'a> Shape<'a> {
    pub(super) fn root(root: &'a Value) -> Self {
        Self { root, part: root }
    }

    fn at(self, part: &'a Value) -> Self {
        Self { part, ..self }
    }

    /// What a reference leads to; of an optional value, the value.
    fn resolved(self) -> Self {
        if let Some(reference) = self.part["$ref"].as_str() {
            let path = reference.trim_start_matches('#');
            let part = self.root.pointer(path).unwrap_or(&Value::Null);
            return self.at(part).resolved();
        }
        let some = |choice: &&Value| choice["type"] != "null";
        match self.part["anyOf"].as_array() {
            Some(choices) if choices.iter().filter(some).count() == 1 => {
                let part = choices.iter().find(some).unwrap_or(&Value::Null);
                self.at(part).resolved()
            }
            _ => self,
        }
    }

    /// The keys of a table, and what they hold.
    pub(super) fn properties(self) -> impl Iterator<Item = (&'a str, Self)> {
        let properties = self.resolved().part["properties"].as_object();
        properties
            .into_iter()
            .flatten()
            .map(move |(name, part)| (name.as_str(), self.at(part)))
    }

    pub(super) fn property(self, name: &str) -> Option<Self> {
        let mut properties = self.properties();
        properties.find(|(key, _)| *key == name).map(|(_, of)| of)
    }

    /// The alternative in which a key has that value.
    pub(super) fn choice(self, key: &str, value: &str) -> Option<Self> {
        let found = |choice: &Self| {
            choice
                .property(key)
                .is_some_and(|of| of.part["const"] == value)
        };
        self.choices().find(found)
    }

    fn choices(self) -> impl Iterator<Item = Self> {
        let part = self.resolved().part;
        let choices = part["oneOf"].as_array().or(part["anyOf"].as_array());
        let choices = choices.into_iter().flatten();
        choices
            .filter(|choice| choice["type"] != "null")
            .map(move |choice| self.at(choice))
    }

    /// Whether it is a table with keys of its own.
    pub(super) fn is_table(self) -> bool {
        self.properties().next().is_some() && self.choices().next().is_none()
    }

    /// The type, in words.
    pub(super) fn kind(self) -> String {
        let part = self.resolved().part;
        if let Some(names) = part["enum"].as_array() {
            return list(names.iter().map(|name| format!("`{name}`")));
        }
        if !part["const"].is_null() {
            return format!("`{}`", part["const"]);
        }
        if self.choices().next().is_some() {
            return list(self.choices().map(Self::kind));
        }
        match self.type_name() {
            "integer" => "whole number".to_owned(),
            "boolean" => "`true` or `false`".to_owned(),
            "string" => "text".to_owned(),
            "array" if part["items"].is_object() => {
                format!("list of: {}", self.at(&part["items"]).kind())
            }
            "object" => match self.properties().collect::<Vec<_>>().as_slice() {
                // A choice that holds something.
                [(key, of)] if of.part["const"].is_null() => {
                    format!("`{{ {key} = ... }}` ({})", of.kind())
                }
                _ => "table".to_owned(),
            },
            other => other.to_owned(),
        }
    }

    fn type_name(self) -> &'a str {
        let kind = &self.resolved().part["type"];
        let mut names = kind.as_array().into_iter().flatten().chain([kind]);
        let name = names.find_map(|name| name.as_str().filter(|name| *name != "null"));
        name.unwrap_or("")
    }

    /// What it is, and what each of its choices is, in a line.
    pub(super) fn description(self) -> String {
        let said = |part: &Value| part["description"].as_str().map(in_a_line);
        let mut text = said(self.part)
            .or_else(|| said(self.resolved().part))
            .unwrap_or_default();
        for choice in self.choices() {
            if let (Some(what), false) = (said(choice.part), choice.kind().is_empty()) {
                let name = choice.kind();
                text = format!("{text} {name}: {what}").trim().to_owned();
            }
        }
        text
    }

    /// Values that are probably out of range.
    pub(super) fn extremes(self) -> Vec<Value> {
        match self.type_name() {
            "integer" => vec![json!(0), json!(1_u64 << 52)],
            "number" => vec![json!(-1.0), json!(1e300)],
            "array" => vec![json!([])],
            _ => Vec::new(),
        }
    }
}

fn list(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    names.dedup();
    names.join(", ")
}

/// Without what means something in a table, and without links into code.
fn in_a_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('|', "\\|")
        .replace("[`", "`")
        .replace("`]", "`")
}

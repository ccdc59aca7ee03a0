use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::DetectorSettings;
use crate::ckaad::{self, Method};

/// A detector in a fusion. A configuration names it (`"probe"`; `"cka-patch"` and the like are methods of `ckaad`) or gives it a table with
/// settings, as `[detector]` has.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Member(DetectorSettings);

impl Member {
    /// That of a name which is known to the program.
    pub(super) fn with_defaults(name: &str) -> Self {
        named::<serde::de::value::Error>(name).unwrap_or_default()
    }

    /// What its losses are called: the name of the system, or of the method where a system has several.
    pub fn name(&self) -> &'static str {
        match &self.0 {
            DetectorSettings::Ckaad(settings) => settings.method.name(),
            others => others.name(),
        }
    }
}

impl Deref for Member {
    type Target = DetectorSettings;

    fn deref(&self) -> &DetectorSettings {
        &self.0
    }
}

impl JsonSchema for Member {
    fn schema_name() -> Cow<'static, str> {
        "Member".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<DetectorSettings>();
        json_schema!({
            "description": "The name of a detector or of a method of ckaad, or a table with its name and settings",
            "anyOf": [{"type": "string"}, table],
        })
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = Member;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a detector, or a table with its name and settings")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Member, E> {
        named(name)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Member, A::Error> {
        DetectorSettings::deserialize(MapAccessDeserializer::new(table)).map(Member)
    }
}

fn named<E: Error>(name: &str) -> Result<Member, E> {
    if let Some(method) = Method::ALL.into_iter().find(|method| method.name() == name) {
        let settings = ckaad::Settings {
            method,
            ..ckaad::Settings::default()
        };
        return Ok(Member(DetectorSettings::Ckaad(settings)));
    }
    let table = MapDeserializer::new(std::iter::once(("name", name)));
    DetectorSettings::deserialize(table).map(Member)
}

//! Whether a value is as a JSON schema says. The part of draft 2020-12 that the schemas of the program use; anything else in a schema is an error, so
//! that nothing is passed over. A key that an object's schema does not name is an error, too, though schemas allow it: what is printed is described.

use serde_json::Value;

/// Words that say nothing about values.
const NOTES: [&str; 7] = [
    "$schema",
    "$defs",
    "title",
    "description",
    "default",
    "format",
    "deprecated",
];

/// What is wrong with a value, by its place in it; empty if nothing is.
pub(crate) fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let words = match schema {
        Value::Bool(true) => return,
        Value::Object(words) => words,
        other => panic!("no schema: {other}"),
    };
    let mut wrong = |what: String| found.push(format!("{at}: {what}"));
    for (word, said) in words {
        match word.as_str() {
            word if NOTES.contains(&word) => {}
            "type" if !is_one_of(said, value) => wrong(format!("{value} is no {said}")),
            "const" if said != value => wrong(format!("{value} is not {said}")),
            "enum" if !list(said).contains(value) => wrong(format!("{value} is none of {said}")),
            "minimum" if is_less(value.as_f64(), said.as_f64()) => {
                wrong(format!("{value} < {said}"))
            }
            "maximum" if is_less(said.as_f64(), value.as_f64()) => {
                wrong(format!("{value} > {said}"))
            }
            "minItems" if is_less(length(value), said.as_f64()) => {
                wrong(format!("fewer than {said}"))
            }
            "maxItems" if is_less(said.as_f64(), length(value)) => {
                wrong(format!("more than {said}"))
            }
            "required" => {
                for key in list(said) {
                    if value.is_object() && value.get(key.as_str().unwrap()).is_none() {
                        wrong(format!("{key} is missing"));
                    }
                }
            }
            "type" | "const" | "enum" | "minimum" | "maximum" | "minItems" | "maxItems" => {}
            "$ref"
            | "properties"
            | "additionalProperties"
            | "items"
            | "prefixItems"
            | "oneOf"
            | "anyOf"
            | "allOf" => {}
            other => panic!("the check of schemas does not know `{other}`"),
        }
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#'));
        check(root, target.unwrap(), value, at, found);
    }
    for part in list(&schema["allOf"]) {
        check(root, part, value, at, found);
    }
    alternatives(root, schema, value, at, found);
    parts(root, schema, value, at, found);
}

/// `oneOf` and `anyOf`.
fn alternatives(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for word in ["oneOf", "anyOf"] {
        let tried = list(&schema[word]).iter().map(|alternative| {
            let mut wrong = Vec::new();
            check(root, alternative, value, at, &mut wrong);
            wrong
        });
        let tried: Vec<Vec<String>> = tried.collect();
        let fit = tried.iter().filter(|wrong| wrong.is_empty()).count();
        if !tried.is_empty() && (fit == 0 || (word == "oneOf" && fit > 1)) {
            // What is nearly right is told best.
            let nearest = tried.iter().min_by_key(|wrong| wrong.len()).unwrap();
            found.push(format!("{at}: {fit} of {word} fit: {}", nearest.join("; ")));
        }
    }
}

/// What objects and lists hold.
fn parts(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Value::Object(entries) = value {
        let named = schema["properties"].as_object();
        for (key, value) in entries {
            let at = format!("{at}/{key}");
            match (
                named.and_then(|named| named.get(key)),
                schema.get("additionalProperties"),
            ) {
                (Some(schema), _) => check(root, schema, value, &at, found),
                (None, Some(Value::Bool(false))) => found.push(format!("{at} is not described")),
                (None, Some(schema)) => check(root, schema, value, &at, found),
                (None, None) if named.is_some() => found.push(format!("{at} is not described")),
                (None, None) => {}
            }
        }
    }
    if let Value::Array(items) = value {
        let first = list(&schema["prefixItems"]);
        for (index, item) in items.iter().enumerate() {
            if let Some(schema) = first.get(index).or(schema.get("items")) {
                check(root, schema, item, &format!("{at}/{index}"), found);
            }
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn length(value: &Value) -> Option<f64> {
    value.as_array().map(|items| items.len() as f64)
}

/// Whether both are numbers, and the first is the smaller.
fn is_less(a: Option<f64>, b: Option<f64>) -> bool {
    a.zip(b).is_some_and(|(a, b)| a < b)
}

fn is_one_of(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type: {other}"),
    };
    match types {
        Value::Array(types) => types.iter().any(is),
        lone => is(lone),
    }
}

#[test]
fn what_a_schema_forbids_is_found() {
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "a": {"type": ["integer", "null"], "minimum": 0},
            "b": {"$ref": "#/$defs/pair"},
            "c": {"oneOf": [{"const": "x"}, {"type": "object", "properties": {"y": {"type": "string"}}, "required": ["y"]}]},
        },
        "required": ["a"],
        "$defs": {"pair": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}},
    });
    let wrong = |value: Value| problems(&schema, &value).join("\n");
    assert_eq!(
        wrong(serde_json::json!({"a": 1, "b": [0.5, 1], "c": {"y": "z"}})),
        ""
    );
    assert_eq!(wrong(serde_json::json!({"a": null, "c": "x"})), "");
    for (value, said) in [
        (serde_json::json!({"a": -1}), "/a: -1 < 0"),
        (serde_json::json!({"a": 0.5}), "/a: 0.5 is no"),
        (serde_json::json!({}), "\"a\" is missing"),
        (serde_json::json!({"a": 1, "d": 1}), "/d is not described"),
        (serde_json::json!({"a": 1, "b": [1]}), "/b: fewer than 2"),
        (
            serde_json::json!({"a": 1, "b": [1, "2"]}),
            "/b/1: \"2\" is no",
        ),
        (serde_json::json!({"a": 1, "c": {"y": 2}}), "0 of oneOf fit"),
        (serde_json::json!([]), "[] is no"),
    ] {
        assert!(
            wrong(value.clone()).contains(said),
            "{value}: {}",
            wrong(value.clone())
        );
    }
}

//! Schemas that no derive can say: values, numbers, closed lists, matchers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::texts::{HostPattern, Prefix};
use crate::canonical::Value;
use crate::capability::Matcher;
use crate::capability::limits::MEMBERS_MAX;
use crate::wire::{ContractVersion, Operation};
use crate::{CONTRACT_VERSION, Code};

/// The name of an operation.
pub(crate) fn operation_name(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = Operation::ALL.iter().map(|it| it.as_str()).collect();
    json_schema!({ "type": "string", "enum": names })
}

impl JsonSchema for ContractVersion {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ContractVersion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "const": CONTRACT_VERSION })
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let codes: Vec<&str> = Code::ALL.iter().map(|it| it.as_str()).collect();
        json_schema!({
            "type": "string",
            "enum": codes,
            "description": "A registered kernel code; `orket explain CODE` says what it means.",
        })
    }
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Any JSON value with a canonical form: no key twice in an object, texts without half a surrogate pair, at most 992 levels, integers of at most 4,300 digits, and floats that are finite as doubles. 1 and 1.0 are two values.",
        })
    }
}

impl JsonSchema for Matcher {
    fn schema_name() -> Cow<'static, str> {
        "Matcher".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let values = generator.subschema_for::<Value>().to_value();
        let variants = [
            (
                "path_under",
                generator.subschema_for::<Prefix>().to_value(),
                true,
                "A text that is a portable relative path equal to one of these or below it; `.` stands for any such path.",
            ),
            (
                "host_in",
                generator.subschema_for::<HostPattern>().to_value(),
                true,
                "A text that is a host, or an `http` or `https` URL with a host, among these; `*.example.org` stands for every host below it. A host that ends in a number must be a dotted quad.",
            ),
            (
                "starts_with",
                values.clone(),
                false,
                "An array that begins with these values.",
            ),
            (
                "one_of",
                values,
                false,
                "One of these values; none stands twice. 1 and 1.0 are two values.",
            ),
        ];
        let variants = variants.map(|(name, items, is_set, description)| {
            let mut list = json_schema!({ "type": "array", "items": items, "minItems": 1, "maxItems": MEMBERS_MAX });
            if is_set {
                list.insert("uniqueItems".to_owned(), true.into());
            }
            json_schema!({
                "type": "object",
                "description": description,
                "properties": { name: list },
                "required": [name],
                "additionalProperties": false,
            })
        });
        json_schema!({
            "description": "What an argument must be. A value in a list has at most 4,096 bytes of canonical JSON.",
            "oneOf": variants,
        })
    }
}

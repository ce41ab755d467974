//! The fields that a route speaks of: `id:int,name:string`.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// How many fields there may be.
const LIMIT_FIELDS: usize = 100;

/// The fields of a route, in the order in which they were typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema(Vec<Field>);

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: FieldType,
    /// Whether it may be missing; written as `?` behind the type.
    pub is_optional: bool,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// True or false.
    Bool,
    /// A text.
    String,
}

impl FieldType {
    const ALL: [FieldType; 4] = [
        FieldType::Int,
        FieldType::Float,
        FieldType::Bool,
        FieldType::String,
    ];

    /// Returns the word.
    pub const fn as_str(self) -> &'static str {
        match self {
            FieldType::Int => "int",
            FieldType::Float => "float",
            FieldType::Bool => "bool",
            FieldType::String => "string",
        }
    }
}

impl Schema {
    /// Returns the fields.
    pub fn fields(&self) -> &[Field] {
        &self.0
    }
}

impl FromStr for Schema {
    type Err = Error;

    fn from_str(text: &str) -> Result<Schema, Error> {
        let mut fields: Vec<Field> = Vec::new();
        for (index, part) in text.split(',').enumerate() {
            let fault = |reason: String| Error::SchemaParseFailed {
                field: index + 1,
                reason,
            };
            let field = field(part.trim()).map_err(fault)?;
            if fields.iter().any(|it| it.name == field.name) {
                return Err(fault(format!("{} is there twice", field.name)));
            }
            if index >= LIMIT_FIELDS {
                return Err(fault(format!("more than {LIMIT_FIELDS} fields")));
            }
            fields.push(field);
        }
        Ok(Schema(fields))
    }
}

fn field(text: &str) -> Result<Field, String> {
    let (name, kind) = text
        .split_once(':')
        .ok_or_else(|| format!("{text:?} has no type"))?;
    let (name, kind) = (name.trim(), kind.trim());
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_name {
        return Err(format!("{name:?} is no name of a field"));
    }
    let (word, is_optional) = match kind.strip_suffix('?') {
        Some(word) => (word, true),
        None => (kind, false),
    };
    let kind = FieldType::ALL.into_iter().find(|it| it.as_str() == word);
    Ok(Field {
        name: name.to_owned(),
        kind: kind.ok_or_else(|| {
            format!("{word:?} is no type; there are int, float, bool and string, each with ? if it may be missing")
        })?,
        is_optional,
    })
}

impl fmt::Display for Schema {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, field) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let mark = if field.is_optional { "?" } else { "" };
            write!(
                formatter,
                "{comma}{}:{}{mark}",
                field.name,
                field.kind.as_str()
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Schema;

    #[test]
    fn a_schema_is_a_list_of_fields() {
        let schema: Schema = " id:int, name : string?,_x:bool,y2:float".parse().unwrap();
        assert_eq!(schema.to_string(), "id:int,name:string?,_x:bool,y2:float");
        assert_eq!(schema.to_string().parse::<Schema>().unwrap(), schema);
        for text in [
            "",
            "id",
            "id:",
            ":int",
            "id:int,",
            "id:int,,name:string",
            "id:integer",
            "9:int",
            "a b:int",
            "id:int??",
            "id:int,id:string",
            "a-b:int",
            "é:int",
            "id:Int",
        ] {
            assert!(text.parse::<Schema>().is_err(), "{text:?} was accepted");
        }
    }
}

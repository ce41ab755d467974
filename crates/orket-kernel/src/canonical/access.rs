//! Hands the parts of a value to serde and remembers where they lie.

use std::collections::{BTreeMap, btree_map};
use std::vec;

use serde::de::{
    self, DeserializeSeed, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::deserializer::from_text;
use super::{DeserializeError, Value};
use crate::Pointer;

/// The elements of an array.
pub(super) struct Elements {
    rest: vec::IntoIter<Value>,
    index: usize,
}

impl Elements {
    pub(super) fn new(elements: Vec<Value>) -> Elements {
        Elements {
            rest: elements.into_iter(),
            index: 0,
        }
    }

    /// Refuses elements that the type did not ask for.
    pub(super) fn finish(self) -> Result<(), DeserializeError> {
        match self.rest.len() {
            0 => Ok(()),
            more => {
                let expected = format!("an array of length {}", self.index);
                Err(de::Error::invalid_length(
                    self.index + more,
                    &expected.as_str(),
                ))
            }
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Elements {
    type Error = DeserializeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DeserializeError> {
        let Some(value) = self.rest.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        let inside = |error: DeserializeError| error.inside(&Pointer::root().index(index));
        seed.deserialize(value).map(Some).map_err(inside)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// The members of an object.
pub(super) struct Members {
    rest: btree_map::IntoIter<String, Value>,
    current: Option<(String, Value)>,
}

impl Members {
    pub(super) fn new(members: BTreeMap<String, Value>) -> Members {
        Members {
            rest: members.into_iter(),
            current: None,
        }
    }

    /// Refuses members that the type did not ask for.
    pub(super) fn finish(mut self) -> Result<(), DeserializeError> {
        match self.rest.next() {
            None => Ok(()),
            Some((key, _)) => Err(de::Error::custom(format!("the member {key:?} is too much"))),
        }
    }
}

impl<'de> MapAccess<'de> for &mut Members {
    type Error = DeserializeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DeserializeError> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        let read = seed
            .deserialize(Key(&key))
            .map_err(|error| error.inside(&Pointer::root().key(&key)))?;
        self.current = Some((key, value));
        Ok(Some(read))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DeserializeError> {
        let missing = || DeserializeError::custom("a type asked for a value before its key");
        let (key, value) = self.current.take().ok_or_else(missing)?;
        seed.deserialize(value)
            .map_err(|error| error.inside(&Pointer::root().key(&key)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// A key, which is text but may stand for a boolean or an integer: those are what a map key can be written from.
struct Key<'a>(&'a str);

macro_rules! keys_by_parsing {
    ($($method:ident => $visit:ident),+ $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
            match self.0.parse() {
                // One value has one text: `01` and `+1` are no keys of a map over integers.
                Ok(value) if <_ as ToString>::to_string(&value) == self.0 => visitor.$visit(value),
                _ => visitor.visit_str(self.0),
            }
        })+
    };
}

impl<'de> serde::Deserializer<'de> for Key<'_> {
    type Error = DeserializeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        visitor.visit_str(self.0)
    }

    keys_by_parsing! {
        deserialize_bool => visit_bool,
        deserialize_i8 => visit_i8,
        deserialize_i16 => visit_i16,
        deserialize_i32 => visit_i32,
        deserialize_i64 => visit_i64,
        deserialize_i128 => visit_i128,
        deserialize_u8 => visit_u8,
        deserialize_u16 => visit_u16,
        deserialize_u32 => visit_u32,
        deserialize_u64 => visit_u64,
        deserialize_u128 => visit_u128,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DeserializeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        from_text(self.0).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

/// The name of an enum variant and what it holds.
pub(super) struct Variant {
    name: String,
    value: Option<Value>,
}

impl Variant {
    pub(super) fn new(name: String, value: Option<Value>) -> Variant {
        Variant { name, value }
    }
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = DeserializeError;
    type Variant = Variant;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Variant), DeserializeError> {
        let variant = seed.deserialize(from_text(&self.name))?;
        Ok((variant, self))
    }
}

impl Variant {
    /// Reads what the variant holds, which must be there.
    fn read<T>(
        self,
        read: impl FnOnce(Value) -> Result<T, DeserializeError>,
    ) -> Result<T, DeserializeError> {
        let missing = || {
            let expected = &"a variant that holds a value";
            DeserializeError::invalid_type(Unexpected::UnitVariant, expected)
        };
        let value = self.value.ok_or_else(missing)?;
        read(value).map_err(|error| error.inside(&Pointer::root().key(&self.name)))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = DeserializeError;

    fn unit_variant(self) -> Result<(), DeserializeError> {
        match self.value {
            None => Ok(()),
            Some(_) => Err(de::Error::invalid_type(
                Unexpected::NewtypeVariant,
                &"a variant without a value",
            )),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DeserializeError> {
        self.read(|value| seed.deserialize(value))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        self.read(|value| serde::Deserializer::deserialize_seq(value, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DeserializeError> {
        self.read(|value| serde::Deserializer::deserialize_struct(value, "", fields, visitor))
    }
}

/// A value that travels as its text, in a variant named by a token.
pub(super) struct Marked {
    token: &'static str,
    text: String,
}

impl Marked {
    pub(super) fn new(token: &'static str, text: String) -> Marked {
        Marked { token, text }
    }
}

impl<'de> EnumAccess<'de> for Marked {
    type Error = DeserializeError;
    type Variant = Variant;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Variant), DeserializeError> {
        let variant = seed.deserialize(from_text(self.token))?;
        Ok((
            variant,
            Variant::new(self.token.to_owned(), Some(Value::String(self.text))),
        ))
    }
}

//! Collects the parts of an array or an object that a type hands over.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{self, Error as _};

use super::serializer::Serializer;
use super::text_serializer::TextSerializer;
use super::{SerializeError, Value};

/// Puts what an enum variant holds under the name of the variant.
pub(super) fn wrap(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(name) => Value::Object(BTreeMap::from([(name.to_owned(), value)])),
        None => value,
    }
}

/// Collects the elements of an array.
pub(super) struct Elements {
    pub(super) inner: Serializer,
    pub(super) elements: Vec<Value>,
    pub(super) variant: Option<&'static str>,
}

impl Elements {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        self.elements.push(value.serialize(self.inner)?);
        Ok(())
    }

    fn finish(self) -> Result<Value, SerializeError> {
        Ok(wrap(self.variant, Value::Array(self.elements)))
    }
}

/// Collects the members of an object.
pub(super) struct Members {
    pub(super) inner: Serializer,
    pub(super) members: BTreeMap<String, Value>,
    pub(super) key: Option<String>,
    pub(super) variant: Option<&'static str>,
}

impl Members {
    fn insert<T: Serialize + ?Sized>(
        &mut self,
        key: String,
        value: &T,
    ) -> Result<(), SerializeError> {
        if self.members.contains_key(&key) {
            return Err(SerializeError::DuplicateKey { key });
        }
        self.members.insert(key, value.serialize(self.inner)?);
        Ok(())
    }

    fn finish(self) -> Result<Value, SerializeError> {
        Ok(wrap(self.variant, Value::Object(self.members)))
    }
}

macro_rules! collect {
    ($collector:ident as $($trait:ident::$method:ident($($key:ident)?)),+ $(,)?) => {
        $(impl ser::$trait for $collector {
            type Ok = Value;
            type Error = SerializeError;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> Result<(), SerializeError> {
                collect!(@put self, value $(, $key)?)
            }

            fn end(self) -> Result<Value, SerializeError> {
                self.finish()
            }
        })+
    };
    (@put $self:ident, $value:ident) => { $self.push($value) };
    (@put $self:ident, $value:ident, $key:ident) => { $self.insert($key.to_owned(), $value) };
}

collect!(
    Elements as SerializeSeq::serialize_element(),
    SerializeTuple::serialize_element(),
    SerializeTupleStruct::serialize_field(),
    SerializeTupleVariant::serialize_field(),
);
collect!(
    Members as SerializeStruct::serialize_field(key),
    SerializeStructVariant::serialize_field(key),
);

impl ser::SerializeMap for Members {
    type Ok = Value;
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), SerializeError> {
        let key = key.serialize(TextSerializer {
            is_human_readable: true,
        })?;
        match self.key.replace(key) {
            None => Ok(()),
            Some(_) => Err(SerializeError::custom("a map gave a key without a value")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SerializeError> {
        let missing = || SerializeError::custom("a map gave a value without a key");
        let key = self.key.take().ok_or_else(missing)?;
        self.insert(key, value)
    }

    fn end(self) -> Result<Value, SerializeError> {
        if self.key.is_some() {
            return Err(SerializeError::custom("a map gave a key without a value"));
        }
        self.finish()
    }
}

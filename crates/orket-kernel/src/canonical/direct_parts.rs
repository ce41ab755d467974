//! Writes the parts of an array or an object as a type hands them over.

use serde::Serialize;
use serde::ser::{self, Error as _};

use super::direct_serializer::Out;
use super::members::{Keys, OpenObject};
use super::text_serializer::TextSerializer;
use super::{SerializeError, writer};

type Done = Result<(), SerializeError>;

/// Writes the elements of an array.
pub(super) struct Elements<'a> {
    out: &'a mut Out,
    is_empty: bool,
    /// Whether an object for the variant's name lies around it.
    is_variant: bool,
}

impl<'a> Elements<'a> {
    pub(super) fn open(out: &'a mut Out, is_variant: bool) -> Result<Elements<'a>, SerializeError> {
        out.enter(b'[')?;
        Ok(Elements {
            out,
            is_empty: true,
            is_variant,
        })
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        if !self.is_empty {
            self.out.text.push(b',');
        }
        self.is_empty = false;
        self.out.part(value)
    }

    fn close(self) -> Done {
        self.out.leave(b']');
        if self.is_variant {
            self.out.leave(b'}');
        }
        Ok(())
    }
}

/// Writes the members of an object.
pub(super) struct Object<'a> {
    out: &'a mut Out,
    object: OpenObject,
    /// Where its keys begin among the keys of all open objects.
    first_key: usize,
    is_empty: bool,
    /// Whether a key waits for its value.
    has_key: bool,
    /// Whether an object for the variant's name lies around it.
    is_variant: bool,
}

impl<'a> Object<'a> {
    pub(super) fn open(out: &'a mut Out, is_variant: bool) -> Result<Object<'a>, SerializeError> {
        out.enter(b'{')?;
        Ok(Object {
            object: out.members.open(out.text.len(), &mut out.order),
            first_key: out.keys.len(),
            out,
            is_empty: true,
            has_key: false,
            is_variant,
        })
    }

    fn write_key(&mut self, key: &str) {
        let out = &mut *self.out;
        if !self.is_empty {
            out.text.push(b',');
        }
        self.is_empty = false;
        let place = out.keys.len()..out.keys.len() + key.len();
        out.keys.extend_from_slice(key.as_bytes());
        let keys = Keys {
            input: &[],
            decoded: &out.keys,
        };
        let start = out.text.len();
        out.members
            .add(&mut self.object, place, start, keys, &out.order);
        writer::write_key(key, &mut out.text);
    }

    fn insert<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Done {
        self.write_key(key);
        self.out.part(value)
    }

    fn close(self) -> Done {
        let out = self.out;
        let keys = Keys {
            input: &[],
            decoded: &out.keys,
        };
        let end = out.text.len();
        out.members
            .close(self.object, end, keys, &mut out.order)
            .ok_or_else(|| SerializeError::custom("a key is given twice"))?;
        out.keys.truncate(self.first_key);
        out.leave(b'}');
        if self.is_variant {
            out.leave(b'}');
        }
        Ok(())
    }
}

macro_rules! parts {
    ($part:ident as $($trait:ident::$method:ident($($key:ident)?)),+ $(,)?) => {
        $(impl ser::$trait for $part<'_> {
            type Ok = ();
            type Error = SerializeError;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> Done {
                parts!(@put self, value $(, $key)?)
            }

            fn end(self) -> Done {
                self.close()
            }
        })+
    };
    (@put $self:ident, $value:ident) => { $self.push($value) };
    (@put $self:ident, $value:ident, $key:ident) => { $self.insert($key, $value) };
}

parts!(
    Elements as SerializeSeq::serialize_element(),
    SerializeTuple::serialize_element(),
    SerializeTupleStruct::serialize_field(),
    SerializeTupleVariant::serialize_field(),
);
parts!(
    Object as SerializeStruct::serialize_field(key),
    SerializeStructVariant::serialize_field(key),
);

impl ser::SerializeMap for Object<'_> {
    type Ok = ();
    type Error = SerializeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        let key = key.serialize(TextSerializer {
            is_human_readable: true,
        })?;
        if self.has_key {
            return Err(SerializeError::custom("a map gave a key without a value"));
        }
        self.has_key = true;
        self.write_key(&key);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        if !self.has_key {
            return Err(SerializeError::custom("a map gave a value without a key"));
        }
        self.has_key = false;
        self.out.part(value)
    }

    fn end(self) -> Done {
        if self.has_key {
            return Err(SerializeError::custom("a map gave a key without a value"));
        }
        self.close()
    }
}

//! The references inside a links object, each with its place.

use crate::Pointer;
use crate::canonical::Value;

/// One item of a links object that should be a reference.
#[derive(Clone, Copy)]
pub(crate) struct Reference<'a> {
    pub(crate) slot: &'a str,
    index: Option<usize>,
    item: &'a Value,
}

impl<'a> Reference<'a> {
    /// Returns the item itself, whatever it is.
    pub(super) fn item(&self) -> &'a Value {
        self.item
    }

    /// Returns the type that the reference names.
    pub(crate) fn dto_type(&self) -> &'a str {
        self.text("type")
    }

    /// Returns the id that the reference names.
    pub(crate) fn id(&self) -> &'a str {
        self.text("id")
    }

    /// Returns the relationship label; empty if the reference has none.
    pub(crate) fn relationship(&self) -> &'a str {
        self.text("relationship")
    }

    /// Returns the place of the reference, below the place of its triplet: `/links/<slot>` or `/links/<slot>/<index>`.
    pub(crate) fn place(&self, triplet: &Pointer) -> Pointer {
        let slot = triplet.key("links").key(self.slot);
        match self.index {
            Some(index) => slot.index(index),
            None => slot,
        }
    }

    fn text(&self, key: &str) -> &'a str {
        let text = self.item.get(key).and_then(Value::as_str);
        text.unwrap_or_default()
    }
}

/// Lists the references of a links object, in the order of slots and then of items; none if it is no object.
pub(crate) fn references(links: &Value) -> impl Iterator<Item = Reference<'_>> {
    let slots = links.as_object().into_iter().flatten();
    slots.flat_map(|(slot, held)| {
        let (single, items) = match held.as_array() {
            Some(items) => (None, items),
            None => (Some(held), [].as_slice()),
        };
        let one = single.into_iter().map(move |item| Reference {
            slot,
            index: None,
            item,
        });
        let many = items
            .iter()
            .enumerate()
            .map(move |(index, item)| Reference {
                slot,
                index: Some(index),
                item,
            });
        one.chain(many)
    })
}

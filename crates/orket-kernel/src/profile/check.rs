//! The check that makes a draft a profile.

use std::collections::BTreeSet;

use super::{
    Cardinality, DeterminismRules, DtoType, LabelRule, LinkSlot, PROFILE_VERSION, ProfileDraft,
    ProfileError, ProfileFault, RawIdRules, Relationship,
};
use crate::Pointer;
use crate::limits::{
    DECLARED_PLACES_MAX, POINTER_LENGTH_MAX_BYTES, PROFILE_NAME_LENGTH_MAX_BYTES, RAW_ID_KEYS_MAX,
    RELATIONSHIPS_MAX, SLOTS_PER_TYPE_MAX, TYPES_MAX, WORD_LENGTH_MAX_BYTES,
};

type Checked = Result<(), ProfileError>;

/// Returns the first fault of the draft. Relationships are checked before the slots that rest on them, everything else in the
/// order in which it stands in [`ProfileDraft`].
pub(super) fn check(draft: &ProfileDraft) -> Checked {
    let root = Pointer::root();
    if draft.profile_version != PROFILE_VERSION {
        let fault = ProfileFault::Version(cut(&draft.profile_version));
        return fail(root.key("profile_version"), fault);
    }
    let name = &draft.name;
    let is_name = !name.is_empty() && name.len() <= PROFILE_NAME_LENGTH_MAX_BYTES;
    if !is_name || name.chars().any(char::is_control) {
        return fail(root.key("name"), ProfileFault::Name(cut(name)));
    }
    let place = root.key("relationships");
    let count = draft.relationships.len();
    at_most(&place, "relationships", count, RELATIONSHIPS_MAX)?;
    for (label, relationship) in &draft.relationships {
        let place = place.key(label);
        word(&place, label)?;
        check_relationship(&place, draft, relationship)?;
    }
    let place = root.key("types");
    at_most(&place, "types", draft.types.len(), TYPES_MAX)?;
    for (name, dto_type) in &draft.types {
        let place = place.key(name);
        word(&place, name)?;
        check_type(&place, draft, name, dto_type)?;
    }
    check_raw_ids(&root.key("raw_ids"), &draft.raw_ids)?;
    check_determinism(&root.key("determinism"), &draft.determinism)
}

fn check_type(place: &Pointer, draft: &ProfileDraft, name: &str, dto_type: &DtoType) -> Checked {
    let slots = place.key("slots");
    at_most(&slots, "slots", dto_type.slots.len(), SLOTS_PER_TYPE_MAX)?;
    for (slot_name, slot) in &dto_type.slots {
        let place = slots.key(slot_name);
        word(&place, slot_name)?;
        check_slot(&place, draft, name, slot)?;
    }
    for (index, slot_name) in dto_type.order_insensitive.iter().enumerate() {
        let fault = match dto_type.slots.get(slot_name) {
            None => ProfileFault::NotASlot(cut(slot_name)),
            Some(slot) if slot.cardinality == Cardinality::One => {
                ProfileFault::NotAnArraySlot(slot_name.clone())
            }
            Some(_) => continue,
        };
        return fail(place.key("order_insensitive").index(index), fault);
    }
    Ok(())
}

fn check_slot(place: &Pointer, draft: &ProfileDraft, from: &str, slot: &LinkSlot) -> Checked {
    known_types(&place.key("targets"), draft, &slot.targets)?;
    let place = place.key("labels");
    if slot.labels.is_empty() && draft.references.label == LabelRule::Required {
        return fail(place, ProfileFault::NoLabels);
    }
    for (index, label) in slot.labels.iter().enumerate() {
        let Some(relationship) = draft.relationships.get(label) else {
            return fail(place.index(index), ProfileFault::UnknownLabel(cut(label)));
        };
        if !slot.targets.iter().any(|to| relationship.joins(from, to)) {
            return fail(place.index(index), ProfileFault::LabelNeverFits(cut(label)));
        }
    }
    Ok(())
}

fn check_relationship(place: &Pointer, draft: &ProfileDraft, of: &Relationship) -> Checked {
    if let Some(from) = &of.from {
        known_types(&place.key("from"), draft, from)?;
    }
    known_types(&place.key("to"), draft, &of.to)
}

fn check_raw_ids(place: &Pointer, rules: &RawIdRules) -> Checked {
    let keys = place.key("keys");
    at_most(&keys, "id keys", rules.keys.len(), RAW_ID_KEYS_MAX)?;
    for (index, key) in rules.keys.iter().enumerate() {
        word(&keys.index(index), key)?;
    }
    match &rules.allowed_at {
        Some(text) => pointer(place.key("allowed_at"), text),
        None => Ok(()),
    }
}

fn check_determinism(place: &Pointer, rules: &DeterminismRules) -> Checked {
    let place = place.key("declared_at");
    let count = rules.declared_at.len();
    at_most(&place, "places", count, DECLARED_PLACES_MAX)?;
    if rules.required && rules.declared_at.is_empty() {
        return fail(place, ProfileFault::NoPlace);
    }
    let mut seen = BTreeSet::new();
    for (index, text) in rules.declared_at.iter().enumerate() {
        pointer(place.index(index), text)?;
        if !seen.insert(text) {
            let fault = ProfileFault::RepeatedPointer(cut(text));
            return fail(place.index(index), fault);
        }
    }
    Ok(())
}

fn known_types(place: &Pointer, draft: &ProfileDraft, names: &BTreeSet<String>) -> Checked {
    if names.is_empty() {
        return fail(place.clone(), ProfileFault::NoTypes);
    }
    let unknown = |name: &&String| !draft.types.contains_key(*name);
    match names.iter().enumerate().find(|(_, name)| unknown(name)) {
        Some((index, name)) => fail(place.index(index), ProfileFault::UnknownType(cut(name))),
        None => Ok(()),
    }
}

fn at_most(place: &Pointer, what: &'static str, count: usize, limit: usize) -> Checked {
    if count <= limit {
        return Ok(());
    }
    let fault = ProfileFault::TooMany { what, count, limit };
    fail(place.clone(), fault)
}

fn word(place: &Pointer, text: &str) -> Checked {
    let is_word = text.len() <= WORD_LENGTH_MAX_BYTES
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if is_word {
        return Ok(());
    }
    fail(place.clone(), ProfileFault::Word(cut(text)))
}

fn pointer(place: Pointer, text: &str) -> Checked {
    let is_member = !text.is_empty() && text.len() <= POINTER_LENGTH_MAX_BYTES;
    if is_member && Pointer::parse(text).is_some() {
        return Ok(());
    }
    fail(place, ProfileFault::Pointer(cut(text)))
}

/// Shortens what somebody else wrote, so that a message stays a message.
fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

fn fail(place: Pointer, fault: ProfileFault) -> Checked {
    Err(ProfileError::new(place, fault))
}

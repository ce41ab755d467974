//! `validate_links_against_index`: link integrity of one triplet (kernel API §2.3, Spec-002 §4).

use crate::{KernelIssue, StateView, Triplet, issue, pipeline};

/// Looks up every id that the links of a triplet name, in the order Self → Staging → Committed, and returns what is missing
/// as `E_LSI_ORPHAN_REFERENCE`, in the total order of issues.
///
/// Self is the id that the triplet's own body defines. Staging and Committed are what `view` shows: lay the staged turns over
/// the committed state with [`Layered`](crate::Layered). A stem that the view shows and the triplet gives another id no
/// longer defines its old one. Locations point into the triplet: `/links/…`.
///
/// Fail-closed: an id that is visible as another type than the reference names is `E_DTO_LINKS_INVALID` (`target_type`); links
/// that are not made of references are `E_BASE_SHAPE_INVALID`, and nothing is looked up then; a state that cannot be read is
/// `E_LSI_CORRUPT_RECORD`.
///
/// # Limitations
/// Only links are asked about: neither the slots and labels of a profile, nor whether another stem defines the triplet's id.
///
/// ```
/// use orket_kernel::{Code, EmptyView, Stem, Triplet, object, validate_links_against_index};
///
/// let reference = |id: &str| object! { "type" => "card", "id" => id, "relationship" => "depends_on" };
/// let card = Triplet {
///     stem: Stem::parse("card/A")?,
///     body: object! { "dto_type" => "card", "id" => "card/A" },
///     links: object! { "depends_on" => vec![reference("card/A"), reference("card/B")] },
///     manifest: object! { "order_insensitive" => Vec::new() },
/// };
/// let issues = validate_links_against_index(&card, &EmptyView);
/// assert_eq!(issues.len(), 1);
/// assert_eq!(issues[0].code, Code::LsiOrphanReference);
/// assert_eq!(issues[0].location.as_str(), "/links/depends_on/1/id");
/// # Ok::<(), orket_kernel::InvalidName>(())
/// ```
pub fn validate_links_against_index(triplet: &Triplet, view: &dyn StateView) -> Vec<KernelIssue> {
    let mut issues = pipeline::run_links(triplet, view);
    issue::sort(&mut issues);
    issues
}

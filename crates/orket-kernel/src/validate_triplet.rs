//! `validate_triplet`: the five stages over one triplet, without an index (kernel API §2.3).

use crate::{KernelIssue, Profile, Triplet, issue, pipeline};

/// Applies the five stages in their fixed order to one triplet and returns what they find, in the total order of issues.
///
/// Fail-closed: the triplet is valid only if nothing that is returned is a failure; if `base_shape` fails, no later stage
/// runs. Locations point into the triplet: `/body/…`, `/links/…`, `/manifest/…`.
///
/// # Limitations
/// There is no index, hence nothing is asked that needs one: whether links name visible ids
/// ([`validate_links_against_index`](crate::validate_links_against_index) asks that), whether another stem defines the id,
/// whether the content that a body names is kept. There is no run either, so no tool call is judged. A triplet that passes
/// here can still fail in its turn.
///
/// ```
/// use orket_kernel::{Profile, Stem, Triplet, object, validate_triplet};
///
/// let mut epic = Triplet {
///     stem: Stem::parse("epic/first_light")?,
///     body: object! { "dto_type" => "epic", "id" => "epic/first_light" },
///     links: object! {},
///     manifest: object! { "order_insensitive" => Vec::new() },
/// };
/// assert!(validate_triplet(&Profile::orket(), &epic).is_empty());
///
/// epic.links = object! { "card" => object! { "type" => "card", "id" => "card/A", "relationship" => "verifies" } };
/// let issues = validate_triplet(&Profile::orket(), &epic);
/// assert_eq!(issues[0].location.as_str(), "/links/card");
/// # Ok::<(), orket_kernel::InvalidName>(())
/// ```
pub fn validate_triplet(profile: &Profile, triplet: &Triplet) -> Vec<KernelIssue> {
    let mut issues = pipeline::run_triplet(profile, triplet);
    issue::sort(&mut issues);
    issues
}

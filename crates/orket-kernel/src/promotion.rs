//! The promotion of a staged turn: what the index has to change, as data (Spec-002 §5 to §7).

mod collision;

use std::collections::BTreeMap;

use crate::issue::{self, KernelIssue, Stage};
use crate::{
    Code, Digest, Payload, Pointer, ReadError, RefSource, RunId, StagedTurn, StateView, Stem,
    TripletRecord, TurnId, object,
};

/// What the index has to do to promote one turn. Promotion removes no object (Law 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromotionPlan {
    /// The run.
    pub run_id: RunId,
    /// The turn; it must follow the last promoted turn of the run (Law 2).
    pub turn_id: TurnId,
    /// Records to put, each with the id that its body defines.
    pub put: Vec<(TripletRecord, String)>,
    /// Stems to delete.
    pub delete: Vec<Stem>,
    /// Stems whose references go before `insert` is applied: every stem that is put or deleted (Pruning Law).
    pub prune: Vec<Stem>,
    /// References to insert: the referenced id and the place of the reference.
    pub insert: Vec<(String, RefSource)>,
    /// Objects to keep.
    pub objects: BTreeMap<Digest, Payload>,
}

impl PromotionPlan {
    /// Tells whether the plan leaves the state as it is.
    pub fn is_noop(&self) -> bool {
        self.put.is_empty() && self.delete.is_empty()
    }
}

/// What a promotion reports.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PromotionReport {
    /// [`CONTRACT_VERSION`](crate::CONTRACT_VERSION).
    #[cfg_attr(feature = "schema", schemars(extend("const" = crate::CONTRACT_VERSION)))]
    pub contract_version: String,
    /// The run.
    pub run_id: RunId,
    /// The turn.
    pub turn_id: TurnId,
    /// The generation that the promotion made.
    pub generation: u64,
    /// The digest of the whole committed state after it.
    pub state_digest: Digest,
    /// `I_PROMOTION_PASS` or `I_NOOP_PROMOTION`, and `I_REF_MULTISOURCE` where it applies; sorted.
    pub issues: Vec<KernelIssue>,
    /// The same as event lines.
    pub events: Vec<String>,
}

/// Makes the plan that promotes `staged` over `committed`, and the issues that its report will carry.
///
/// Stems that are staged with the content they already have are left alone.
///
/// # Errors
/// Fails if the committed state cannot be read.
pub fn plan_promotion(
    staged: &StagedTurn,
    committed: &dyn StateView,
) -> Result<(PromotionPlan, Vec<KernelIssue>), ReadError> {
    let mut plan = PromotionPlan {
        run_id: staged.run_id.clone(),
        turn_id: staged.turn_id,
        put: Vec::new(),
        delete: Vec::new(),
        prune: Vec::new(),
        insert: Vec::new(),
        // Also where nothing else changes: a replay needs what came with the turn.
        objects: staged.objects.clone(),
    };
    for (stem, triplet) in &staged.triplets {
        let before = committed.triplet(stem)?;
        let is_same = before.is_some_and(|before| {
            before.body_digest == triplet.record.body_digest
                && before.links_digest == triplet.record.links_digest
                && before.manifest_digest == triplet.record.manifest_digest
        });
        if !is_same {
            plan.put.push((triplet.record.clone(), triplet.id.clone()));
            plan.prune.push(stem.clone());
            plan.insert.extend(triplet.references.iter().cloned());
        }
    }
    for stem in &staged.deletions {
        if !staged.triplets.contains_key(stem) {
            plan.delete.push(stem.clone());
            plan.prune.push(stem.clone());
        }
    }
    plan.prune.sort();
    plan.insert.sort();
    let issues = report_issues(&plan, committed)?;
    Ok((plan, issues))
}

fn report_issues(
    plan: &PromotionPlan,
    committed: &dyn StateView,
) -> Result<Vec<KernelIssue>, ReadError> {
    let mut issues = vec![if plan.is_noop() {
        KernelIssue::new(
            Stage::Determinism,
            Code::NoopPromotion,
            Pointer::root(),
            "the turn changes nothing",
            object! {},
        )
    } else {
        KernelIssue::new(
            Stage::Determinism,
            Code::PromotionPass,
            Pointer::root(),
            "the turn was promoted whole",
            object! { "put" => plan.put.len() as u64, "deleted" => plan.delete.len() as u64 },
        )
    }];
    issues.extend(collision::issues(plan, committed)?);
    issue::sort(&mut issues);
    Ok(issues)
}

//! The capability jail (Law 8): deny by default, decided by the policy that was fixed at the start of the run.
//!
//! A [`Policy`] is a list of [`Rule`]s as data; what no rule lists is denied, and nothing in a [`ToolRequest`] can widen
//! it. [`authorize`] decides one call and returns the audit record, a [`Decision`]. [`resolve_capability`] says in
//! advance what a role may use in a step, and [`reconsider`] what another policy would have said to past calls.
//!
//! ```
//! use orket_kernel::capability::{Action, Policy, ToolRequest, Verdict, authorize};
//! use orket_kernel::{RunId, canonical, object};
//!
//! let policy = Policy::from_value(canonical::parse(br#"{
//!     "policy_version": "capability_policy/v1",
//!     "enabled": true,
//!     "rules": [{
//!         "role": "coder", "task": "build", "tools": ["write_file"],
//!         "arguments": {"/path": {"path_under": ["agent_output/src"]}},
//!         "match": [{"arguments": {"path": "agent_output/src/main.rs"}}],
//!         "no_match": [{"arguments": {"path": "agent_output/srcx"}}]
//!     }]
//! }"#)?)?;
//! let request = ToolRequest {
//!     role: "coder".into(),
//!     task: "build".into(),
//!     tool: "write_file".into(),
//!     action: Action::WRITE,
//!     arguments: object! { "path" => "agent_output/../orket.toml" },
//! };
//! let decision = authorize(&policy, &RunId::parse("demo-1")?, 0, &request);
//! assert_eq!(decision.verdict, Verdict::Denied);
//! assert_eq!(decision.argument.as_ref().map(|place| place.as_str()), Some("/path"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! The jail compares texts: it opens no file, follows no symbolic link and resolves no name. A path that a rule allows
//! still passes the path authority of the tool, and a host name may lead to any address.

mod action;
mod authorize;
mod check;
mod decision;
mod error;
mod host;
pub(crate) mod limits;
mod matcher;
mod path;
mod plan;
mod policy;
mod reconsideration;
mod request;
mod rule;

pub use action::Action;
pub use authorize::authorize;
pub use decision::{DECISION_VERSION, Decision, DecisionFault, Reason, Verdict};
pub use error::{PolicyError, PolicyFault};
pub use matcher::Matcher;
pub use plan::{CapabilityPlan, Mode, PLAN_VERSION, PlannedRule, resolve_capability};
pub use policy::{POLICY_VERSION, Policy, PolicyDocument};
pub use reconsideration::{ReconsiderError, Reconsidered, reconsider};
pub use request::ToolRequest;
pub use rule::{Example, Rule};

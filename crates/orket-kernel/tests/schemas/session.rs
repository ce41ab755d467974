//! One session with a kernel in memory: every operation, granted and refused, as JSON in and JSON out.

use orket_kernel::wire::{self, CallError, Operation};
use orket_kernel::{Kernel, MemoryStore, canonical};
use serde_json::{Value, json};

/// One call: the operation, what was asked, and what was answered.
pub(crate) struct Exchange {
    pub(crate) operation: Operation,
    pub(crate) request: Value,
    pub(crate) answer: Value,
}

/// A kernel in memory and what was said to it.
struct Session {
    kernel: Kernel<MemoryStore>,
    exchanges: Vec<Exchange>,
}

impl Session {
    /// Calls an operation and returns its result.
    fn call(&mut self, operation: Operation, mut request: Value) -> Value {
        request["contract_version"] = json!("kernel_api/v1");
        let bytes = serde_json::to_vec(&request).unwrap();
        let answer = wire::call(Some(&self.kernel), operation, &bytes)
            .unwrap_or_else(|error| panic!("{operation}: {error}\n{request}"));
        let answer: Value = serde_json::from_slice(&answer.to_bytes().unwrap()).unwrap();
        let result = answer["result"].clone();
        self.exchanges.push(Exchange {
            operation,
            request,
            answer,
        });
        result
    }
}

/// An envelope with a rule of every kind of matcher.
pub(crate) fn envelope(run_id: &str) -> Value {
    json!({
        "contract_version": "kernel_api/v1",
        "run_id": run_id,
        "workflow": "flow",
        "policy": policy(),
        "profile": profile(),
        "model_profile": "venue",
        "visibility_mode": "local_only",
        "plugins": [{ "id": "linter", "version": "1.2.0+b", "digest": "0".repeat(64) }],
        "evidence": "retain",
        "host": { "anything": [1, 2.5, null] },
    })
}

pub(crate) fn policy() -> Value {
    json!({
        "policy_version": "capability_policy/v1",
        "enabled": true,
        "rules": [{
            "role": "coder",
            "task": "build",
            "tools": ["write_file", "fetch"],
            "actions": ["write", "call"],
            "arguments": {
                "/path": { "path_under": ["src", ".hidden/a b"] },
                "/url": { "host_in": ["example.org", "*.example.net", "192.0.2.7"] },
                "/command": { "starts_with": ["cargo", 1] },
                "/mode": { "one_of": [null] },
            },
        }],
    })
}

/// A profile with one type that may link to itself.
pub(crate) fn profile() -> Value {
    json!({
        "profile_version": "profile/v1",
        "name": "notes/v1",
        "types": { "note": {
            "slots": { "next": { "cardinality": "many", "targets": ["note"], "labels": [] } },
            "order_insensitive": [],
        }},
        "relationships": { "follows": { "cardinality": "many", "from": null, "to": ["note"] } },
        "references": { "label": "optional" },
        "raw_ids": { "keys": ["note_id"], "allowed_at": "/allowed" },
        "determinism": { "declared_at": [], "required": false, "sorted": true },
    })
}

pub(crate) fn turn(turn_id: &str) -> Value {
    json!({
        "turn_id": turn_id,
        "triplets": [note("a", &[]), note("b", &["a"])],
        "deletions": [],
        "tool_calls": [tool_request("delete_file")],
        "refusals": [],
        "outcomes": [{ "seen": true }],
    })
}

fn note(name: &str, next: &[&str]) -> Value {
    let next: Vec<Value> = next
        .iter()
        .map(|next| json!({ "type": "note", "id": next, "relationship": "follows" }))
        .collect();
    json!({
        "stem": format!("note/{name}"),
        "body": { "dto_type": "note", "id": name },
        "links": { "next": next },
        "manifest": {},
    })
}

/// A call that the policy grants if it is one of `write_file`.
pub(crate) fn tool_request(tool: &str) -> Value {
    json!({
        "role": "coder",
        "task": "build",
        "tool": tool,
        "arguments": {
            "path": "src/a",
            "url": "https://example.org/x",
            "command": ["cargo", 1, "test"],
            "mode": null,
        },
    })
}

/// Says everything there is to say to a kernel, and returns what was said.
pub(crate) fn exchanges() -> Vec<Exchange> {
    use Operation as Do;

    let mut session = Session {
        kernel: Kernel::new(MemoryStore::new()),
        exchanges: Vec::new(),
    };
    let envelope = json!({ "envelope": envelope("run-1") });
    let handle = session.call(Do::StartRun, envelope)["run_handle"].clone();
    let stranger = json!({ "run_id": "nobody", "envelope_digest": "f".repeat(64) });

    let mut passing = turn("turn-0001");
    passing["tool_calls"] = json!([]);
    let execute = |handle: &Value, turn: Value| {
        let attachments = json!([{ "text": "told" }, { "hex": "00ff" }]);
        json!({ "run_handle": handle, "turn_input": turn, "attachments": attachments })
    };
    session.call(Do::ExecuteTurn, execute(&stranger, turn("turn-0001")));
    session.call(Do::ExecuteTurn, execute(&handle, turn("turn-0001")));
    let turn_result =
        session.call(Do::ExecuteTurn, execute(&handle, passing))["turn_result"].clone();

    let triplet = note("c", &["nowhere"]);
    for run_handle in [&handle, &Value::Null] {
        let request = json!({ "run_handle": run_handle, "triplet": triplet });
        session.call(Do::ValidateLinksAgainstIndex, request);
    }
    let request = json!({ "profile": profile(), "triplet": triplet });
    session.call(Do::ValidateTriplet, request);
    for turn_id in ["turn-0007", "turn-0001"] {
        session.call(
            Do::CommitTurn,
            json!({ "run_handle": handle, "turn_id": turn_id }),
        );
    }
    let request = json!({ "run_handle": handle, "turn_id": "turn-0002", "stems": ["note/b"] });
    session.call(Do::StageDeletions, request);
    let artifact = json!({ "name": "prompt", "schema": "prompt/v1", "content": "x" });
    let request = json!({ "run_handle": handle, "trace_bundle": { "artifacts": [artifact] } });
    session.call(Do::WriteTraceArtifacts, request);

    let own = json!({ "policy": { "run_id": "elsewhere", "policy": policy() } });
    for by in [
        json!({ "run_handle": stranger }),
        json!({ "run_handle": handle }),
        own,
    ] {
        let request = json!({ "by": by, "role": "coder", "task": "build" });
        session.call(Do::ResolveCapability, request);
        for tool in ["delete_file", "write_file"] {
            let request = json!({ "by": by, "ordinal": 3, "tool_request": tool_request(tool) });
            session.call(Do::AuthorizeToolCall, request);
        }
    }
    for (outcome, commit) in [("PASS", false), ("PASS", true), ("FAIL", false)] {
        let request = json!({ "run_handle": handle, "outcome": outcome, "commit": commit });
        session.call(Do::FinishRun, request);
    }

    let recorded = json!({ "recorded": {
        "contract_version": "kernel_api/v1",
        "turns": [turn_result],
        "state_digest": "a".repeat(64),
    }});
    for run in [&recorded, &json!({ "run_id": "run-1" })] {
        session.call(Do::CompareRuns, json!({ "run_a": run, "run_b": recorded }));
    }
    for run_id in ["nobody", "run-1"] {
        session.call(
            Do::ReplayRun,
            json!({ "run_descriptor": { "run_id": run_id } }),
        );
    }
    session.call(Do::EmitEvent, json!({ "issue": issue() }));
    session.exchanges
}

pub(crate) fn issue() -> Value {
    json!({
        "level": "INFO", "stage": "determinism", "code": "I_NOOP_PROMOTION", "location": "/turns/0",
        "message": "nothing to do", "details": {},
    })
}

/// The answers to requests that cannot be read: no JSON, JSON of another form, and a contradiction.
pub(crate) fn invalid_answers() -> Vec<Value> {
    let requests: [&[u8]; 3] = [b"{", b"{}", b"[1e999]"];
    let answers = requests.into_iter().map(|request| {
        let error = wire::call::<MemoryStore>(None, Operation::EmitEvent, request).unwrap_err();
        assert!(matches!(error, CallError::Request(_)));
        let answer = error.answer(Operation::EmitEvent).unwrap();
        serde_json::from_slice(&canonical::serialize(&answer).unwrap()).unwrap()
    });
    answers.collect()
}

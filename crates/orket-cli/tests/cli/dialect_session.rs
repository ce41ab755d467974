//! What is read in a model's answer, and what a model is told.

use insta::assert_snapshot;
use orket_testkit::{CliEnvironment, Output};

use crate::sample::{program, sample};

fn parse(arguments: &[&str], answer: &str) -> Output {
    let arguments: Vec<&str> = ["dialect", "parse"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    CliEnvironment::empty(program()).run_with_input(&arguments, answer.as_bytes())
}

#[test]
fn calls_are_printed_with_what_was_repaired() {
    let answer = "I look first.\n```json\n{\"tool\": \"read_file\", \"args\": {\"path\": \"a{.txt\",}}\n```\n";
    assert_snapshot!(parse(&[], answer), @r#"
    $ orket dialect parse
    {
      "calls": [
        {
          "arguments": {"path":"a{.txt"},
          "name": "read_file",
          "place": {"byte":22,"line":3}
        }
      ],
      "duplicates": [],
      "prose": "I look first.",
      "refusals": [],
      "repairs": [
        {
          "after": {
            "digest": "33e8673a84411fbdf3c611f06cc52ed72638a9de484a280e37d5e012cf717362",
            "length_bytes": 53,
            "text": "{\"name\": \"read_file\", \"arguments\": {\"path\":\"a{.txt\"}}"
          },
          "before": {
            "digest": "f07f8529a66874e5ceffb4dcc1e95f248bd8e6f47e17c71854875e662fb10f40",
            "length_bytes": 50,
            "text": "{\"tool\": \"read_file\", \"args\": {\"path\": \"a{.txt\",}}"
          },
          "kind": "other_member",
          "place": {"byte":22,"line":3}
        },
        {
          "after": {
            "digest": "03ce358e041db7cf4fe10b95cc17e1e241ee913f00d63a07609efe1bdacf8299",
            "length_bytes": 49,
            "text": "args\": {\"path\": \"a{.txt\"}}"
          },
          "before": {
            "digest": "f07f8529a66874e5ceffb4dcc1e95f248bd8e6f47e17c71854875e662fb10f40",
            "length_bytes": 50,
            "text": "args\": {\"path\": \"a{.txt\",}}"
          },
          "kind": "trailing_comma",
          "place": {"byte":22,"line":3}
        }
      ]
    }
    [exit 0]
    "#);
}

#[test]
fn what_is_refused_says_where_and_what_to_write() {
    let environment = sample();
    environment.write(
        "tools.json",
        r#"[{"name": "read_file", "description": "", "parameters": {}}, {"name": "write_file", "description": "", "parameters": {}}]"#,
    );
    let answer = "Now I write.\n<tool_call>\n{\"name\": \"wirte_file\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n{\"name\": \"read_file\", \"argu";
    let arguments = [
        "dialect",
        "parse",
        "--dialect",
        "hermes",
        "--tools",
        "tools.json",
        "-",
    ];
    assert_snapshot!(environment.run_with_input(&arguments, answer.as_bytes()), @r#"
    $ orket dialect parse --dialect hermes --tools tools.json -
    {
      "calls": [],
      "duplicates": [],
      "prose": "Now I write.\n<tool_call>\n{\"name\": \"wirte_file\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n{\"name\": \"read_file\", \"argu",
      "refusals": [
        {
          "instead": "call one of read_file, write_file",
          "message": "there is no tool \"wirte_file\"; the nearest name is write_file",
          "place": {"byte":25,"line":3},
          "reason": "unknown_tool"
        },
        {
          "instead": "write the call on lines of its own, as valid JSON:\n<tool_call>{\"name\": \"TOOL\", \"arguments\": {…}}</tool_call>",
          "message": "the answer ends within this call",
          "place": {"byte":78,"line":5},
          "reason": "truncated"
        }
      ],
      "repairs": []
    }
    [exit 1]
    "#);
}

#[test]
fn strict_refuses_what_would_be_repaired() {
    let answer = "{\"name\": \"read_file\", \"arguments\": {\"path\": \"a\",}}";
    parse(&["--dialect", "json_lines"], answer).assert_code(0);
    let strict = parse(&["--dialect", "json_lines", "--strict"], answer);
    strict.assert_code(1);
    assert!(
        strict
            .stdout
            .contains("a comma stands before a closing bracket")
    );
    let right = "{\"name\": \"read_file\", \"arguments\": {\"path\": \"a\"}}";
    parse(&["--dialect", "json_lines", "--strict"], right).assert_code(0);
}

#[test]
fn tools_and_dialects_of_a_project_are_used() {
    let environment = sample();
    environment.write(
        "tools.json",
        r#"[{"name": "paint", "description": "Paints.", "parameters": {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}}]"#,
    );
    environment.write(
        "model/dialects/ours.json",
        r#"{"name": "ours", "description": "Ours.", "form": {"kind": "tagged_json", "opening": "<do>", "closing": "</do>"}, "tool_member": "tool", "arguments_member": "args", "instructions": ["Tools:", "{tools}", "So:", "{example}"]}"#,
    );
    assert_snapshot!(environment.run(&["dialect", "show", "ours", "--tools", "tools.json"]), @r#"
    $ orket dialect show ours --tools tools.json
    Tools:
    {"description":"Paints.","name":"paint","parameters":{"properties":{"colour":{"type":"string"}},"required":["colour"],"type":"object"}}
    So:
    <do>
    {"tool": "paint", "args": {"colour":"…"}}
    </do>
    [exit 0]
    "#);
    environment.write(
        "answer.txt",
        "<do>{\"tool\": \"paint\", \"args\": {\"colour\": \"red\"}}</do>",
    );
    assert_snapshot!(
        environment.run(&["dialect", "parse", "--dialect", "ours", "--tools", "tools.json", "answer.txt"]),
        @r#"
    $ orket dialect parse --dialect ours --tools tools.json answer.txt
    {
      "calls": [
        {
          "arguments": {"colour":"red"},
          "name": "paint",
          "place": {"byte":4,"line":1}
        }
      ],
      "duplicates": [],
      "prose": "",
      "refusals": [],
      "repairs": []
    }
    [exit 0]
    "#
    );
}

#[test]
fn what_cannot_be_used_is_named() {
    let environment = sample();
    assert_snapshot!(environment.run(&["dialect", "show", "klingon"]), @r#"
    $ orket dialect show klingon
    -- standard error --
    orket: there is no dialect "klingon"; there are hermes, json, json_lines, llama, mistral, native, qwen_coder
    [exit 3]
    "#);
    environment.write(
        "model/dialects/bad.json",
        r#"{"name": "bad", "description": "", "form": {"kind": "bare_json"}}"#,
    );
    assert_snapshot!(environment.run(&["dialect", "show", "bad"]), @r#"
    $ orket dialect show bad
    -- standard error --
    orket: model/dialects/bad.json: /instructions: write {tools} exactly once
    [exit 3]
    "#);
    environment.write("tools.json", "{}");
    assert_snapshot!(environment.run(&["dialect", "show", "json", "--tools", "tools.json"]), @r#"
    $ orket dialect show json --tools tools.json
    -- standard error --
    orket: tools.json: invalid type: map, expected a sequence, at pointer ""; a file of tools is a list of objects with name, description and parameters
    [exit 3]
    "#);
    assert_snapshot!(environment.run(&["dialect", "show", "native"]), @r#"
    $ orket dialect show native
    -- standard error --
    the dialect native tells the model nothing in the prompt: the server does
    [exit 0]
    "#);
    assert_snapshot!(environment.run(&["dialect", "parse", "nosuch.txt"]), @r#"
    $ orket dialect parse nosuch.txt
    -- standard error --
    orket: nosuch.txt cannot be read: No such file or directory (os error 2)
    [exit 3]
    "#);
}

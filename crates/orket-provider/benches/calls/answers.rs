//! Long answers: what models write, and what would hurt a reader most.

use orket_kernel::object;
use orket_ports::dialect::Dialect;
use orket_ports::model::{ToolCall, ToolOffer};
use orket_provider::dialect;

/// An answer and how many calls it holds.
pub(crate) struct Answer {
    pub(crate) name: &'static str,
    pub(crate) dialect: Dialect,
    pub(crate) text: String,
    pub(crate) calls: usize,
}

const PROSE: &str = "The handler reads the `body` first, and then (see [the page](https://example.org)) it \
writes *one* record; a second call would find nothing to do. Größe und Übermaß, 你好，世界。\n\n- a point\n- another\n\n";

const SOURCE: &str = "fn main() {\n    let name = std::env::args().nth(1).unwrap_or_else(|| \"world\".into());\n    \
for (n, c) in name.chars().enumerate() {\n        println!(\"{n:>4}: {c:?} {{}} \\\\ {}\", n * 2);\n    }\n}\n\n";

const DATA: &str = "  {\"id\": 17, \"title\": \"a record of \\\"data\\\"\", \"tags\": [\"x\", \"y\"], \"size\": 1.25, \"ok\": true},\n";

pub(crate) fn tools() -> Vec<ToolOffer> {
    ["read_file", "write_file", "list_directory", "update_issue_status"]
        .iter()
        .map(|name| ToolOffer {
            name: (*name).to_owned(),
            description: String::new(),
            parameters: object! {
                "type" => "object",
                "properties" => object! { "path" => object! { "type" => "string" }, "content" => object! { "type" => "string" } },
            },
        })
        .collect()
}

fn write_file(path: &str, content: String) -> ToolCall {
    ToolCall {
        name: "write_file".into(),
        arguments: object! { "path" => path, "content" => content },
    }
}

/// Repeats a text up to about a megabyte.
fn megabyte(text: &str) -> String {
    text.repeat(1_000_000 / text.len())
}

pub(crate) fn all() -> Vec<Answer> {
    let built_in = |name: &str| {
        let built_in = dialect::built_in(name);
        built_in.unwrap_or_else(|| unreachable!("{name} is built in"))
    };
    let answer = |name, dialect: &str, text, calls| Answer {
        name,
        dialect: built_in(dialect),
        text,
        calls,
    };
    let written = |dialect: &str, calls: &[ToolCall]| dialect::write(&built_in(dialect), calls);
    let large = [write_file("a.rs", megabyte(SOURCE))];
    let many: Vec<ToolCall> = (0..200)
        .map(|number| write_file(&format!("{number}.rs"), SOURCE.repeat(20)))
        .collect();
    let mixed = format!(
        "<think>\n{}</think>\n{}{}\n{}",
        PROSE.repeat(2000),
        PROSE.repeat(500),
        written("json", &many[..20]),
        PROSE.repeat(500)
    );
    let raw = written("json_lines", &large).replace("\\n", "\n");
    vec![
        answer("prose", "json", megabyte(PROSE), 0),
        answer("source code in prose", "json", megabyte(SOURCE), 0),
        answer(
            "source code in fences",
            "json",
            format!("```rust\n{}```\n", megabyte(SOURCE)),
            0,
        ),
        answer(
            "a list of data in a fence",
            "json",
            format!("```json\n[\n{}  {{}}\n]\n```", megabyte(DATA)),
            0,
        ),
        answer("one large file, `json`", "json", written("json", &large), 1),
        answer(
            "one large file, `hermes`",
            "hermes",
            written("hermes", &large),
            1,
        ),
        answer(
            "one large file, `qwen_coder`",
            "qwen_coder",
            written("qwen_coder", &large),
            1,
        ),
        answer("one large file, line feeds repaired", "json_lines", raw, 1),
        answer("200 files", "json", written("json", &many), 200),
        answer("reasoning, prose and 20 files", "json", mixed, 20),
        answer("hostile: `{`", "json", megabyte("{"), 0),
        answer("hostile: `{\"a\":`", "json", megabyte("{\"a\":"), 0),
        answer(
            "hostile: `{\"a` and a line feed",
            "json",
            megabyte("{\"a\n"),
            0,
        ),
        answer(
            "hostile: objects in broken lists",
            "json",
            megabyte("[{\"name\": \"x\", \"args\": 1},\n"),
            0,
        ),
        answer(
            "hostile: strings that could begin anywhere",
            "json",
            megabyte("{\":\":\"\n{\",\":\"\n{\",\":"),
            0,
        ),
        answer(
            "hostile: fences that open",
            "json",
            megabyte("```json\n"),
            0,
        ),
        answer(
            "hostile: backticks of many lengths",
            "json",
            megabyte("` `` ``` ```` "),
            0,
        ),
        answer(
            "hostile: `<think>` without an end",
            "json",
            megabyte("x\n<think> "),
            0,
        ),
        answer("hostile: `</think>`", "json", megabyte("</think>"), 0),
        answer(
            "hostile: a list of unknown tools",
            "json_lines",
            format!("[{}{{}}]", megabyte("{\"name\": \"x\", \"args\": {}},")),
            0,
        ),
        answer(
            "hostile: `<tool_call>`",
            "hermes",
            megabyte("<tool_call>"),
            0,
        ),
        answer(
            "hostile: parameters without an end",
            "qwen_coder",
            megabyte("<function=write_file><parameter=path>x</parameter> "),
            0,
        ),
    ]
}

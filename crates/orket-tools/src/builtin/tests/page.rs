//! The page of the tools says what the specifications say.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use orket_ports::tool::{ArgumentType, ToolSpec};

use super::schema::tools;

const PAGE: &str = "../../docs/tools.md";
const BEGIN: &str = "<!-- from the specifications: begin -->\n";
const END: &str = "<!-- from the specifications: end -->\n";

fn told(argument_type: ArgumentType) -> String {
    match argument_type {
        ArgumentType::Text { max_bytes } => format!("text, at most {max_bytes} bytes"),
        ArgumentType::OneOf(texts) => format!("`{}`", texts.join("`, `")),
        ArgumentType::Truth => "`true` or `false`".into(),
        ArgumentType::Integer { min, max } => format!("whole number, {min} to {max}"),
        ArgumentType::Texts {
            min_items,
            max_items,
            max_bytes,
            distinct,
        } => {
            let kind = if distinct { "different texts" } else { "texts" };
            format!("list of {min_items} to {max_items} {kind}, each at most {max_bytes} bytes")
        }
    }
}

fn section(spec: &ToolSpec) -> String {
    let mut text = format!("### `{}`\n\n{}\n\n", spec.name, spec.description);
    let _ = writeln!(text, "Action `{}`.\n", spec.action);
    if !spec.parameters.is_empty() {
        text.push_str("| Argument | What it is for | Type | Needed |\n|---|---|---|---|\n");
        for parameter in spec.parameters {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                parameter.name,
                parameter.description,
                told(parameter.argument_type),
                if parameter.required { "yes" } else { "no" }
            );
        }
        text.push('\n');
    }
    for limit in spec.limits {
        let _ = writeln!(
            text,
            "- At most {} {}: {}.",
            limit.most, limit.unit, limit.what
        );
    }
    if !spec.limits.is_empty() {
        text.push('\n');
    }
    let _ = writeln!(text, "```json\n{}\n```\n", spec.example);
    text
}

/// After a change of a specification: `ORKET_WRITE_PAGE=1 cargo test -p orket-tools the_page`.
#[test]
fn the_page_says_what_the_specifications_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page
        .split_once(BEGIN)
        .expect("the page marks where the tools begin");
    let (found, after) = rest
        .split_once(END)
        .expect("the page marks where the tools end");
    let sections: String = tools().iter().map(|tool| section(tool.spec())).collect();
    let expected = format!("\n{sections}");
    if std::env::var_os("ORKET_WRITE_PAGE").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(
        found, expected,
        "ORKET_WRITE_PAGE=1 cargo test -p orket-tools the_page"
    );
}

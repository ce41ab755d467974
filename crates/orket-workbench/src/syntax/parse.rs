//! A source file as its grammar reads it: where names are, and where comments and strings.

use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use tree_sitter::{Node, ParseOptions, Parser, Tree};

use super::Language;

/// How long one file may take to be parsed.
const DEADLINE: Duration = Duration::from_secs(20);

/// A piece of a source file in which a name can stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) kind: RegionKind,
    pub(crate) bytes: Range<usize>,
}

/// What a region is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegionKind {
    /// One name, whole.
    Identifier,
    /// A comment.
    Comment,
    /// The text of a string, without code that is inserted into it.
    Text,
    /// The text of a key in JSON, without its quotes.
    Key,
}

/// A source file that was parsed.
pub(crate) struct Parsed {
    language: Language,
    tree: Tree,
}

impl Parsed {
    /// Parses a source; `None` if that takes too long.
    pub(crate) fn new(language: Language, source: &[u8]) -> Option<Parsed> {
        let mut parser = Parser::new();
        parser.set_language(&language.grammar()).ok()?;
        let begin = Instant::now();
        let mut progress = |_: &tree_sitter::ParseState| {
            if begin.elapsed() > DEADLINE {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let options = ParseOptions::new().progress_callback(&mut progress);
        let mut input = |at: usize, _| source.get(at..).unwrap_or_default();
        let tree = parser.parse_with_options(&mut input, None, Some(options))?;
        Some(Parsed { language, tree })
    }

    /// Returns the line, from 1, of the first place that the grammar does not understand.
    pub(crate) fn fault(&self) -> Option<usize> {
        let root = self.tree.root_node();
        if !root.has_error() {
            return None;
        }
        let mut line = 1;
        walk(root, |node| {
            if node.is_error() || node.is_missing() {
                line = node.start_position().row + 1;
                return Visit::Stop;
            }
            if node.has_error() {
                Visit::Below
            } else {
                Visit::Beside
            }
        });
        Some(line)
    }

    /// Returns the regions, in the order of the text. None holds another.
    pub(crate) fn regions(&self) -> Vec<Region> {
        let mut regions = Vec::new();
        walk(self.tree.root_node(), |node| {
            let Some(kind) = region(self.language, node) else {
                return Visit::Below;
            };
            regions.push(Region {
                kind,
                bytes: node.byte_range(),
            });
            Visit::Beside
        });
        regions
    }

    /// Returns the statements of the top level, in the order of the text.
    pub(crate) fn statements(&self) -> Vec<Range<usize>> {
        let root = self.tree.root_node();
        let mut cursor = root.walk();
        let children: Vec<Node<'_>> = root.named_children(&mut cursor).collect();
        let statements = children
            .iter()
            .filter(|node| !node.kind().contains("comment"));
        statements.map(Node::byte_range).collect()
    }

    /// Returns where the first node of a kind with exactly this text is.
    pub(crate) fn node(&self, kind: &str, text: &str, source: &[u8]) -> Option<Range<usize>> {
        let mut found = None;
        walk(self.tree.root_node(), |node| {
            let is_it =
                node.kind() == kind && source.get(node.byte_range()) == Some(text.as_bytes());
            if is_it {
                found = Some(node.byte_range());
                return Visit::Stop;
            }
            Visit::Below
        });
        found
    }
}

enum Visit {
    Below,
    Beside,
    Stop,
}

/// Visits nodes in the order of the text, without recursion: a file may be nested as deeply as it likes.
fn walk<'tree>(root: Node<'tree>, mut visit: impl FnMut(Node<'tree>) -> Visit) {
    let mut cursor = root.walk();
    loop {
        let goes_below = match visit(cursor.node()) {
            Visit::Below => true,
            Visit::Beside => false,
            Visit::Stop => return,
        };
        if goes_below && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

fn region(language: Language, node: Node<'_>) -> Option<RegionKind> {
    if !node.is_named() {
        return None;
    }
    let kind = node.kind();
    if language == Language::Json {
        let parent = node.parent();
        let grandparent = parent.and_then(|it| it.parent());
        let is_key = kind == "string_content"
            && parent
                .zip(grandparent)
                .is_some_and(|(parent, grandparent)| {
                    grandparent.kind() == "pair"
                        && grandparent.child_by_field_name("key") == Some(parent)
                        && parent.named_child_count() == 1
                });
        return is_key.then_some(RegionKind::Key);
    }
    match kind {
        // A lifetime is written 'a and its name is another one than a.
        "lifetime" | "label" if language == Language::Rust => None,
        "identifier"
            if node
                .parent()
                .is_some_and(|it| matches!(it.kind(), "lifetime" | "label")) =>
        {
            None
        }
        "identifier"
        | "type_identifier"
        | "field_identifier"
        | "shorthand_field_identifier"
        | "property_identifier"
        | "shorthand_property_identifier"
        | "shorthand_property_identifier_pattern"
        | "statement_identifier" => Some(RegionKind::Identifier),
        "comment" | "line_comment" | "block_comment" | "html_comment" => Some(RegionKind::Comment),
        "string_content" | "string_fragment" | "jsx_text" => Some(RegionKind::Text),
        _ => None,
    }
}

//! The Dialect: how one family of models is shown its tools and writes its calls, as data; and what a reading of an
//! answer says.

use std::collections::BTreeSet;

use orket_kernel::Digest;
use orket_kernel::canonical::Value;

use crate::model::ToolCall;

/// How one family of models is spoken to: the text of an asset below `model/dialects/`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// The name, which is also the name of the file.
    pub name: String,
    /// For whom it is, in a sentence for people.
    pub description: String,
    /// The form of a call.
    pub form: CallForm,
    /// The member of a call that names the tool.
    #[serde(default)]
    pub tool_member: ToolMember,
    /// The member of a call that holds the arguments.
    #[serde(default)]
    pub arguments_member: ArgumentsMember,
    /// How each tool is listed.
    #[serde(default)]
    pub tool_list: ToolList,
    /// What the model puts around its reasoning.
    #[serde(default)]
    pub thinking: Vec<Brackets>,
    /// What the model is told, with `{tools}` and `{example}` once each; empty for a dialect without text.
    #[serde(default)]
    pub instructions: Vec<String>,
    /// The calls of the example; those whose tool is not offered are left out.
    #[serde(default)]
    pub example: Vec<ToolCall>,
    /// The repairs that are refusals instead.
    #[serde(default)]
    pub forbidden_repairs: BTreeSet<RepairKind>,
}

/// The form of a call in a text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum CallForm {
    /// The server hands calls over apart from the text.
    Native,
    /// JSON in a fenced block.
    FencedJson,
    /// JSON that stands alone on its lines.
    BareJson,
    /// JSON between two marks.
    TaggedJson(Brackets),
    /// `<tool_call>` with `<function=…>` and one `<parameter=…>` for each argument, whose value is plain text.
    FunctionTags,
}

/// Two marks and what stands between them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brackets {
    /// The mark before; it begins with `<` or `[`.
    pub opening: String,
    /// The mark after; empty if there is none.
    pub closing: String,
}

/// A member that names the tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolMember {
    /// `name`.
    #[default]
    Name,
    /// `tool`.
    Tool,
}

impl ToolMember {
    /// Returns the key.
    pub const fn key(self) -> &'static str {
        match self {
            ToolMember::Name => "name",
            ToolMember::Tool => "tool",
        }
    }
}

/// A member that holds the arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArgumentsMember {
    /// `arguments`.
    #[default]
    Arguments,
    /// `args`.
    Args,
    /// `parameters`.
    Parameters,
}

impl ArgumentsMember {
    /// Returns the key.
    pub const fn key(self) -> &'static str {
        match self {
            ArgumentsMember::Arguments => "arguments",
            ArgumentsMember::Args => "args",
            ArgumentsMember::Parameters => "parameters",
        }
    }
}

/// How the tools are listed for the model: one line of JSON each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolList {
    /// `{"name":…,"description":…,"parameters":…}`.
    #[default]
    Plain,
    /// `{"type":"function","function":{…}}`.
    Functions,
}

/// What was put right in an answer before it could be read.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum RepairKind {
    /// The call is written in the form of another dialect.
    OtherForm,
    /// The tool or the arguments stand under another member, or in a wrapper.
    OtherMember,
    /// Members that are no part of a call were left out.
    ExtraMember,
    /// The arguments are JSON inside a text.
    ArgumentsAsText,
    /// There are no arguments beside `tool`, or they are `null`; an empty object was taken.
    ArgumentsMissing,
    /// A raw control character, a line feed for instance, stands in a JSON string.
    ControlCharacter,
    /// A comma stands before a closing bracket.
    TrailingComma,
    /// `\'` stands in a JSON string.
    EscapedApostrophe,
    /// The mark before the call is missing.
    OpeningMissing,
    /// The mark after the call, or the end of its fence, is missing.
    ClosingMissing,
    /// The answer ends within its reasoning, which was left out.
    UnclosedThinking,
    /// The reasoning ends but never began; all before its end was left out.
    UnopenedThinking,
    /// Calls that repeat what was just called were left out.
    RepeatedCall,
}

impl RepairKind {
    /// All kinds.
    pub const ALL: [RepairKind; 13] = [
        RepairKind::OtherForm,
        RepairKind::OtherMember,
        RepairKind::ExtraMember,
        RepairKind::ArgumentsAsText,
        RepairKind::ArgumentsMissing,
        RepairKind::ControlCharacter,
        RepairKind::TrailingComma,
        RepairKind::EscapedApostrophe,
        RepairKind::OpeningMissing,
        RepairKind::ClosingMissing,
        RepairKind::UnclosedThinking,
        RepairKind::UnopenedThinking,
        RepairKind::RepeatedCall,
    ];
}

/// Where something stands in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The offset in bytes, from 0.
    pub byte: u64,
    /// The line, from 1.
    pub line: u64,
}

/// A part of a text, as evidence: its digest, its length, and as much of it as a person needs to see.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// The part, cut to what can be shown; it begins where before and after differ.
    pub text: String,
    /// The length of the whole part in bytes.
    pub length_bytes: u64,
    /// The digest of the whole part.
    pub digest: Digest,
}

/// Something that was put right.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repair {
    /// What was wrong.
    pub kind: RepairKind,
    /// Where the part begins.
    pub place: Place,
    /// The part as it was written.
    pub before: Excerpt,
    /// The part as it was read.
    pub after: Excerpt,
}

/// A call as it was read from a text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadCall {
    /// The name of the tool; always one that was offered.
    pub name: String,
    /// The arguments; always an object.
    pub arguments: Value,
    /// Where the call begins.
    pub place: Place,
}

/// A call that is equal to an earlier one and stays, for what lies between them may matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// The ordinal of the call, from 0.
    pub call: u64,
    /// The ordinal of the first call that is equal to it.
    pub of: u64,
}

/// Why something that was meant as a call cannot be taken as one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// The answer is longer than what is read.
    TextTooLong,
    /// The answer holds more calls than what is read.
    TooManyCalls,
    /// There is more to refuse than what is told.
    TooManyRefusals,
    /// No tool of that name was offered.
    UnknownTool,
    /// The JSON of a call breaks a rule of JSON.
    NotJson,
    /// The answer ends within a call.
    Truncated,
    /// A call stands within a sentence or a list.
    InSentence,
    /// A call is written in a form that is not read.
    UnknownForm,
    /// A call lies inside another JSON value.
    NestedCall,
    /// A list holds calls and other things.
    MixedList,
    /// Two members name a tool, or two hold arguments.
    TwoMeanings,
    /// The arguments stand beside the name of the tool.
    ArgumentsBeside,
    /// There is a name of a tool and no arguments.
    NoArguments,
    /// The arguments are no object.
    ArgumentsNotObject,
    /// The value of a parameter does not have the type that the tool declares.
    WrongType,
    /// It cannot be told where the value of a parameter ends.
    AmbiguousParameter,
    /// A repair would be needed that the dialect forbids.
    ForbiddenRepair,
    /// All that could be a call stands within the reasoning.
    OnlyThinking,
}

/// Something that was meant as a call and is not taken as one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRefusal {
    /// Why.
    pub reason: Unreadable,
    /// Where.
    pub place: Place,
    /// What is wrong, in words.
    pub message: String,
    /// What to write instead.
    pub instead: String,
}

/// What a reading makes of an answer.
///
/// # Limitations
/// With a refusal the answer as a whole is not understood, whatever calls were read beside it: take the calls from
/// [`Reading::understood`].
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The calls, in the order of the text.
    pub calls: Vec<ReadCall>,
    /// Calls that are equal to earlier ones.
    pub duplicates: Vec<Duplicate>,
    /// What was put right, in the order of the text.
    pub repairs: Vec<Repair>,
    /// What is refused, in the order of the text.
    pub refusals: Vec<CallRefusal>,
    /// What remains of the text: neither call nor reasoning.
    pub prose: String,
}

impl Reading {
    /// Returns the calls if nothing is refused.
    ///
    /// # Errors
    /// The refusals, of which there is at least one.
    pub fn understood(&self) -> Result<&[ReadCall], &[CallRefusal]> {
        if self.refusals.is_empty() {
            Ok(&self.calls)
        } else {
            Err(&self.refusals)
        }
    }
}

//! What goes wrong with an answer, and how it is cut into pieces.

/// Deviations of one answer from a good one; the default has none.
///
/// What takes the answer's place altogether (`status`, `redirect`) wins over what changes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Cuts the body into HTTP chunks of this many bytes, anywhere; otherwise each line is a chunk.
    pub split_bytes: Option<usize>,
    /// Puts this many lines into each HTTP chunk.
    pub lines_per_chunk: Option<usize>,
    /// Waits before each HTTP chunk but the first.
    pub chunk_delay_ms: u64,
    /// Waits before the head of the response, as a server does that loads the model.
    pub load_delay_ms: u64,
    /// Ends the lines with CR LF.
    pub crlf: bool,
    /// Leaves out the last line ending.
    pub no_final_newline: bool,
    /// Ends the stream properly, but without the terminal record.
    pub without_terminal_record: bool,
    /// Closes the connection in the middle of the terminal record, without an end of the stream.
    ///
    /// The client sees the connection closed, not reset; that is `reset_mid_line`.
    pub cut_mid_line: bool,
    /// As `cut_mid_line`, but the connection is reset.
    pub reset_mid_line: bool,
    /// Packs the body with gzip, whether or not it was asked for.
    pub gzip: bool,
    /// Leaves out the ids of tool calls, as older servers do.
    pub without_call_ids: bool,
    /// Sends `{"error": …}` in place of the terminal record.
    pub error_line: Option<String>,
    /// Answers with this content length in place of the content.
    pub oversized_bytes: Option<usize>,
    /// Answers with a status and a body.
    pub status: Option<Status>,
    /// Answers with status 307 and this location.
    pub redirect: Option<String>,
    /// Says that the model ran on this host.
    pub remote_host: Option<String>,
}

/// A status and a body in place of an answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The HTTP status.
    pub code: u16,
    /// The body as it stands.
    pub body: String,
}

//! Server-sent events, as far as these servers use them.

use orket_ports::model::ModelError;

/// Puts events together from the lines of a stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The data of the event that is not whole yet.
    data: Option<Vec<u8>>,
}

impl Events {
    /// Takes a line without its line feed; returns the data of the event that it ends.
    pub(super) fn line(&mut self, number: u64, line: &[u8]) -> Result<Option<Vec<u8>>, ModelError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Ok(self.data.take());
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = match colon {
            Some(0) => return Ok(None), // A comment, which keeps a connection alive.
            Some(colon) => {
                let (field, value) = line.split_at(colon);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &b""[..]),
        };
        match field {
            // llama.cpp writes an error inside a stream as a field of its own.
            b"data" | b"error" => {
                match &mut self.data {
                    Some(data) => {
                        data.push(b'\n');
                        data.extend_from_slice(value);
                    }
                    None => self.data = Some(value.to_vec()),
                }
                Ok(None)
            }
            b"event" | b"id" | b"retry" => Ok(None),
            other => Err(ModelError::Protocol {
                reason: format!(
                    "line {number} of the answer is no event: it begins with {:?}",
                    String::from_utf8_lossy(other.get(..40).unwrap_or(other))
                ),
            }),
        }
    }

    /// Returns the data of an event whose empty line is missing.
    pub(super) fn finish(&mut self) -> Option<Vec<u8>> {
        self.data.take()
    }
}

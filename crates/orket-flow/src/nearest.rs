//! The name that somebody may have meant.

/// Returns the known name that differs least from `name`, if it differs little: in a third of its characters at most. Of
/// several the first.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const NAME_MAX_BYTES: usize = 64;
    if name.len() > NAME_MAX_BYTES {
        return None;
    }
    let limit = name.chars().count().div_ceil(3);
    known
        .into_iter()
        .map(|other| (distance(name, other), other))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// Counts the characters to add, to take away or to change, whatever the case and the separators are.
fn distance(one: &str, other: &str) -> usize {
    let plain = |text: &str| -> Vec<char> {
        let characters = text.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
        characters.map(|c| c.to_ascii_lowercase()).collect()
    };
    let (one, other) = (plain(one), plain(other));
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, own) in one.iter().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        for (above, theirs) in row.iter_mut().skip(1).zip(&other) {
            let changed = diagonal + usize::from(own != theirs);
            diagonal = *above;
            left = changed.min(diagonal + 1).min(left + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_found_and_another_word_is_not() {
        let known = ["read_file", "write_file", "list_directory", "edit_file"];
        for (name, expected) in [
            ("writefile", Some("write_file")),
            ("Write-File", Some("write_file")),
            ("wirte_file", Some("write_file")),
            ("list_dirctory", Some("list_directory")),
            ("reed_file", Some("read_file")),
            ("run_command", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        let long = "write_file".repeat(10);
        assert_eq!(nearest(&long, known), None);
    }

    #[test]
    fn the_distance_is_that_of_the_textbook() {
        for (one, other, expected) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("abc", "", 3),
            ("same", "same", 0),
            ("flaw", "lawn", 2),
            ("é", "e", 1),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }
}

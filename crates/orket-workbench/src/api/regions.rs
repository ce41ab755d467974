//! USER lines: what stands between them is a person's.

use std::collections::BTreeMap;

const START: &str = "ORKET:USER-START ";
const END: &str = "ORKET:USER-END ";

/// A text cut at its USER lines.
struct Cut {
    /// All lines outside, with the USER lines themselves.
    frame: String,
    /// What stands between them, by name.
    regions: BTreeMap<String, String>,
}

fn cut(text: &str) -> Result<Cut, String> {
    let mut cut = Cut {
        frame: String::new(),
        regions: BTreeMap::new(),
    };
    let mut open: Option<(String, String)> = None;
    for line in text.split_inclusive('\n') {
        let start = line
            .split_once(START)
            .map(|(_, name)| name.trim().to_owned());
        let end = line.split_once(END).map(|(_, name)| name.trim().to_owned());
        match (open.take(), start, end) {
            (None, Some(name), None) => {
                cut.frame.push_str(line);
                open = Some((name, String::new()));
            }
            (None, None, None) => cut.frame.push_str(line),
            (Some((name, content)), None, Some(closed)) if name == closed => {
                cut.frame.push_str(line);
                if cut.regions.insert(name.clone(), content).is_some() {
                    return Err(format!("its USER lines name {name} twice"));
                }
            }
            (Some((name, mut content)), None, None) => {
                content.push_str(line);
                open = Some((name, content));
            }
            (open, start, end) => {
                let name = open
                    .map(|(name, _)| name)
                    .or(start)
                    .or(end)
                    .unwrap_or_default();
                return Err(format!("its USER lines do not fit together at {name}"));
            }
        }
    }
    match open {
        None => Ok(cut),
        Some((name, _)) => Err(format!("its USER lines do not fit together at {name}")),
    }
}

/// Returns the new text with what a person wrote in the present one, given what that was made as.
///
/// # Errors
///
/// When the present text was changed outside its USER lines, or something between them has no place in the new one.
pub(super) fn carry(present: &str, old: &str, new: &str) -> Result<String, String> {
    let present = cut(present)?;
    let old = cut(old)?;
    if present.frame != old.frame {
        return Err(
            "it was changed outside its USER lines; move the change between them or into another file".to_owned(),
        );
    }
    let places = cut(new)?.regions;
    for (name, content) in &present.regions {
        if !places.contains_key(name) && old.regions.get(name) != Some(content) {
            return Err(format!(
                "what stands in {name} would have no place any more"
            ));
        }
    }
    let mut carried = String::new();
    let mut is_inside = false;
    for line in new.split_inclusive('\n') {
        if line.contains(END) {
            is_inside = false;
        }
        if !is_inside {
            carried.push_str(line);
        }
        if let Some((_, name)) = line.split_once(START)
            && let Some(content) = present.regions.get(name.trim())
        {
            carried.push_str(content);
            is_inside = true;
        }
    }
    Ok(carried)
}

#[cfg(test)]
mod tests {
    use super::carry;

    const OLD: &str = "one\n// ORKET:USER-START a\ndefault\n// ORKET:USER-END a\nend\n";
    const NEW: &str = "two\n// ORKET:USER-START a\ndefault\n// ORKET:USER-END a\n// ORKET:USER-START b\n// ORKET:USER-END b\nend\n";

    #[test]
    fn what_a_person_wrote_is_carried_over() {
        let present = OLD.replace("default\n", "mine\n\nmore\n");
        let expected = NEW.replace("default\n", "mine\n\nmore\n");
        assert_eq!(carry(&present, OLD, NEW).unwrap(), expected);
        assert_eq!(carry(OLD, OLD, NEW).unwrap(), NEW);
        let emptied = OLD.replace("default\n", "");
        assert_eq!(
            carry(&emptied, OLD, NEW).unwrap(),
            NEW.replace("default\n", "")
        );
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for present in [
            OLD.replace("one", "ONE"),
            OLD.replace("end\n", "end\nmore\n"),
            OLD.replace("// ORKET:USER-END a\n", ""),
            OLD.replace("ORKET:USER-START a", "ORKET:USER-START z"),
            format!("{OLD}// ORKET:USER-START a\n// ORKET:USER-END a\n"),
        ] {
            assert!(carry(&present, OLD, NEW).is_err(), "{present}");
        }
        let written = NEW.replace("START b\n", "START b\nmine\n");
        assert!(carry(&written, NEW, OLD).is_err());
        assert_eq!(carry(NEW, NEW, OLD).unwrap(), OLD);
    }
}

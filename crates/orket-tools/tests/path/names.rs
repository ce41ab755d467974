//! The portable name policy: what it refuses and by which rule, and what it must accept.

use orket_tools::path::{Directory, Kind, RelativePath, RelativePathError};
use serde::Deserialize;
use serde::de::IntoDeserializer;

use crate::corpus::{self, rule_word};
use crate::{LIMIT_BYTES, RESOLUTIONS};

/// Says which rule refuses a path, in the words of the corpus, and the part that breaks it.
pub(crate) fn refusal(path: &str) -> Option<(&'static str, Option<String>)> {
    match path.parse::<RelativePath>() {
        Ok(_) => None,
        Err(RelativePathError::Empty) => Some(("empty_path", None)),
        Err(RelativePathError::TooLong { .. }) => Some(("path_too_long", None)),
        Err(RelativePathError::TooDeep { .. }) => Some(("too_deep", None)),
        Err(RelativePathError::Component {
            component, rule, ..
        }) => Some((rule_word(rule), Some(component))),
        Err(_) => Some(("an error without a word", None)),
    }
}

#[test]
fn unfit_names_are_refused_by_their_rule() {
    for case in corpus::names().unfit {
        let expected = (case.rule.as_str(), case.part);
        assert_eq!(
            refusal(&case.path),
            Some(expected),
            "{} ({:?})",
            case.name,
            case.path
        );
    }
}

#[test]
fn a_path_is_checked_where_it_is_read_from_a_document() {
    let read = |text: &'static str| {
        let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
            text.into_deserializer();
        RelativePath::deserialize(text)
    };
    assert!(read("..").is_err() && read("a/b").is_ok());
}

/// Names that people use: all are accepted, written, listed and read back.
#[test]
fn fit_names_are_accepted() {
    for resolution in RESOLUTIONS {
        for name in corpus::names().fit.into_iter().map(|fit| fit.path) {
            let scratch = tempfile::tempdir().unwrap();
            let directory = Directory::open_with(scratch.path(), resolution).unwrap();
            let path: RelativePath = name
                .parse()
                .unwrap_or_else(|error| panic!("{name:?}: {error}"));
            directory
                .write(&path, name.as_bytes(), false)
                .unwrap_or_else(|error| panic!("{name:?}: {error:?}"));
            let read = directory.read(&path, LIMIT_BYTES).unwrap();
            assert_eq!(read, name.as_bytes(), "{name:?} {resolution:?}");
            let kind = directory.kind(&path).unwrap();
            assert_eq!(kind, Some(Kind::File), "{name:?} {resolution:?}");
            let walk = directory.walk().unwrap();
            let found: Vec<&RelativePath> = walk.files.iter().map(|file| &file.path).collect();
            assert_eq!(found, [&path], "{name:?}");
            assert!(walk.others.is_empty());
            directory.remove(&path).unwrap();
            assert_eq!(directory.list(None).unwrap(), [], "{name:?} {resolution:?}");
        }
    }
}

#[test]
fn paths_are_taken_apart_by_components() {
    let path: RelativePath = "ab/cd/ef".parse().unwrap();
    assert_eq!(path.components().collect::<Vec<_>>(), ["ab", "cd", "ef"]);
    assert_eq!(
        (path.file_name(), path.parent().unwrap().as_str()),
        ("ef", "ab/cd")
    );
    assert_eq!("ab".parse::<RelativePath>().unwrap().parent(), None);
    let within = [
        ("ab", true),
        ("ab/cd", true),
        ("ab/cd/ef", true),
        ("a", false),
        ("ab/c", false),
        ("ab/cd/ef/g", false),
    ];
    for (directory, expected) in within {
        assert_eq!(
            path.starts_with(&directory.parse().unwrap()),
            expected,
            "{directory}"
        );
    }
    assert_eq!(path.join("g/h").unwrap().as_str(), "ab/cd/ef/g/h");
    assert!(path.join("../x").is_err() && path.join("/x").is_err() && path.join("").is_err());
}

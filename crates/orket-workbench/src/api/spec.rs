//! What a made file was made for, as one line in it says.

use std::collections::{BTreeMap, BTreeSet};

use super::{Method, Route, Schema};
use crate::text;

/// How the line is found.
const MARK: &str = "orket:api ";

/// A route, the methods that it answers, and its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    route: Route,
    methods: BTreeSet<Method>,
    schema: Schema,
}

impl Spec {
    pub(super) fn new(route: Route, method: Method, schema: Schema) -> Spec {
        Spec {
            route,
            methods: BTreeSet::from([method]),
            schema,
        }
    }

    /// Reads the line of a file; `None` if it has none, or one that is not understood.
    pub(super) fn find(text: &str) -> Option<Spec> {
        let (_, rest) = text.split_once(MARK)?;
        let line = rest.lines().next()?;
        let mut words = line.split(' ');
        let route = words.next()?.parse().ok()?;
        let methods = words.next()?.split(',').map(str::parse);
        let methods: BTreeSet<Method> = methods.collect::<Result<_, _>>().ok()?;
        let schema: &str = words.next()?;
        let is_part = |it: char| it.is_ascii_alphanumeric() || "_:,?".contains(it);
        let end = schema.find(|it| !is_part(it)).unwrap_or(schema.len());
        // In JSON a comma may follow behind the closing quote only.
        let schema = schema.get(..end)?.parse().ok()?;
        Some(Spec {
            route,
            methods,
            schema,
        })
    }

    pub(super) fn route(&self) -> &Route {
        &self.route
    }

    pub(super) fn methods(&self) -> impl Iterator<Item = Method> + '_ {
        self.methods.iter().copied()
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Adds the methods that the route answers already.
    pub(super) fn join(&mut self, found: &Spec) {
        self.methods.extend(found.methods());
    }

    /// Returns what can stand in a path or a template.
    pub(super) fn names(&self) -> BTreeMap<String, String> {
        let route = self.route.as_str();
        let methods: Vec<&str> = self.methods().map(Method::as_str).collect();
        let spec = format!("{route} {} {}", methods.join(","), self.schema);
        let names = [
            ("route", route.to_owned()),
            ("snake", text::snake(route)),
            ("Pascal", text::pascal(route)),
            ("camel", text::camel(route)),
            ("spec", spec),
        ];
        names.map(|(name, value)| (name.to_owned(), value)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::Spec;

    #[test]
    fn the_line_is_found_in_every_language() {
        for text in [
            "// x\n// orket:api a-b GET,POST id:int,n:string?\n",
            "{\n  \"$comment\": \"orket:api a-b GET,POST id:int,n:string?\",\n",
            "# orket:api a-b GET,POST id:int,n:string?\r\n",
        ] {
            let spec = Spec::find(text).unwrap();
            assert_eq!(spec.names()["spec"], "a-b GET,POST id:int,n:string?");
        }
        for text in [
            "",
            "orket:api",
            "orket:api a",
            "orket:api a GET",
            "orket:api a ZAP id:int",
            "orket:api A GET id:int",
        ] {
            assert!(Spec::find(text).is_none(), "{text:?}");
        }
    }
}

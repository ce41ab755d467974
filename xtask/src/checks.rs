//! The checks, one file per thing that is proved. Each takes what it judges and returns the violations it found.

pub(crate) mod code_map;
pub(crate) mod crate_roots;
pub(crate) mod dependency_page;
pub(crate) mod edges;
pub(crate) mod file_shape;
pub(crate) mod invariants;
pub(crate) mod kernel_tree;
pub(crate) mod laws;
pub(crate) mod links;
pub(crate) mod pure_sources;
pub(crate) mod schemas;
pub(crate) mod test_command;

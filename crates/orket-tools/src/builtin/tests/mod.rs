//! The built-in tools over a turn in memory and a project in a scratch directory.

mod desk;
mod page;
mod schema;
mod tables;

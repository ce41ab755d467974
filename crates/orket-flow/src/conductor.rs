//! The Conductor that adjusts nothing.

use orket_ports::{Adjustment, Conductor, SessionView};

/// Lets every step pass as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoConductor;

impl Conductor for NoConductor {
    fn before_step(&mut self, _: &SessionView) -> Adjustment {
        Adjustment::default()
    }

    fn after_step(&mut self, _: &SessionView) -> Adjustment {
        Adjustment::default()
    }
}

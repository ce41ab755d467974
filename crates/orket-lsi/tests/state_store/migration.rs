//! A database from before the tables of the port is brought forward.

use orket_kernel::{CommittedView, Kernel, StateStore};
use orket_lsi::{Store, StoreError};

use crate::housed::{Housed, run_id, two_turns};

#[test]
fn a_database_without_the_tables_of_the_port_is_brought_forward() {
    let kernel = Kernel::new(Housed::empty());
    two_turns(&kernel);
    let before = kernel.store().committed().unwrap().standing().unwrap();
    let connection = kernel.store().connection();
    let (steps, sql): (i64, _) = (
        connection
            .query_row("SELECT count(*) FROM migrations", [], |row| row.get(0))
            .unwrap(),
        "DROP TABLE finished_runs; DROP TABLE trace_artifacts; DELETE FROM migrations WHERE version = 10;",
    );
    connection.execute_batch(sql).unwrap();
    connection
        .pragma_update(None, "user_version", steps - 1)
        .unwrap();
    drop(connection);
    match Store::open_read_only(&kernel.store().home(), &[]) {
        Err(StoreError::Older { missing: 10, .. }) => {}
        other => panic!("{:?}", other.err()),
    }
    let kernel = Housed::reopened(kernel);
    let now = kernel.store().committed().unwrap();
    assert_eq!(now.standing().unwrap(), before);
    assert_eq!(now.run(&run_id("a")).unwrap().unwrap().finished, None);
}

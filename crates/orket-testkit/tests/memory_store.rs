//! The kernel's store in memory keeps every law of the port.

use orket_kernel::MemoryStore;

orket_testkit::state_store_conformance!(MemoryStore::new);

//! {{description}}

fn main() {
    println!("{}", {{snake}}::greeting("{{name}}"));
}

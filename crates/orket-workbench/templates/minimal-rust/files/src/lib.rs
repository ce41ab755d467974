//! {{description}}

/// Returns a greeting.
pub fn greeting(name: &str) -> String {
    format!("Hello, {name}!")
}

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn it_greets() {
        assert_eq!(greeting("you"), "Hello, you!");
    }
}

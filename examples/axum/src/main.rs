//! `cargo run -p example-axum`

fn main() -> Result<(), Box<dyn std::error::Error>> {
    example_application::run(example_axum::serve)
}

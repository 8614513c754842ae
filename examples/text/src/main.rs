//! `cargo run -p example-text`

fn main() -> Result<(), Box<dyn std::error::Error>> {
    example_application::run(example_text::serve)
}

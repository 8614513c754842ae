//! `cargo run -p example-poem`

fn main() -> Result<(), Box<dyn std::error::Error>> {
    example_application::run(example_poem::serve)
}

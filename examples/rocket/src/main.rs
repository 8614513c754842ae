//! `cargo run -p example-rocket`

fn main() -> Result<(), Box<dyn std::error::Error>> {
    example_application::run(example_rocket::serve)
}

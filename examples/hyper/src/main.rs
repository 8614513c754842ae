//! `cargo run -p example-hyper`

fn main() -> Result<(), Box<dyn std::error::Error>> {
    example_application::run(example_hyper::serve)
}

//! `cargo run -p example-axum-login`

fn main() -> Result<(), Box<dyn std::error::Error>> {
    example_application::run(example_axum_login::serve)
}

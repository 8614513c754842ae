//! `cargo run -p example-actix-web`

fn main() -> Result<(), Box<dyn std::error::Error>> {
    example_application::run(example_actix_web::serve)
}

"""What is linked into programs and libraries: Go modules, Rust crates, and programs known by their own strings."""

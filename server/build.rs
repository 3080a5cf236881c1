//! Makes sure that the folder of the built site exists. rust-embed resolves it at compile time: a debug build made
//! before `make site` would otherwise never find the files that come later.

use std::{env, fs, path::Path};

fn main() {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let site = Path::new(&manifest).join("../target/site");
    if let Err(error) = fs::create_dir_all(&site) {
        println!("cargo::warning=cannot create {}: {error}", site.display());
    }
    println!("cargo::rerun-if-changed=build.rs");
}

//! Which packages of a host are looked for.

use crate::inventory::{Containers, Extent, Options};

/// Which packages of a host are looked for.
#[derive(Debug, Clone, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct InventoryArgs {
    /// List only what the system's package managers know, which is at known places, so that no other
    /// file is looked at. Which kernel runs, services, settings, and which archive or repository a package came
    /// from are not told then: packages of other archives are matched as the system's own
    #[arg(long, value_name = "KIND", value_parser = ["os"])]
    only: Option<String>,
    /// Do not enter this folder of the host in the search for packages; may be repeated
    #[arg(long, value_name = "FOLDER", value_parser = absolute)]
    exclude_path: Vec<String>,
    /// Look for Go, Rust and well-known programs also in files that belong to the system's packages
    #[arg(long)]
    owned_programs: bool,
    /// Read apt's indexes of packages however large they are, to tell of each Debian package which archive it
    /// came from; with `--only os` too
    #[arg(long)]
    all_indexes: bool,
    /// Do not look for containers
    #[arg(long)]
    no_containers: bool,
    /// List the packages of images too from which no container was made
    #[arg(long, conflicts_with = "no_containers")]
    images: bool,
}

impl InventoryArgs {
    /// The wishes as the inventory takes them.
    pub fn options(&self) -> Options {
        Options {
            extent: if self.only.is_some() { Extent::System } else { Extent::All },
            excluded: self.exclude_path.clone(),
            owned_programs: self.owned_programs,
            all_indexes: self.all_indexes,
            containers: match (self.no_containers, self.images) {
                (true, _) => Containers::None,
                (false, false) => Containers::All,
                (false, true) => Containers::WithImages,
            },
            ..Options::default()
        }
    }
}

fn absolute(text: &str) -> Result<String, &'static str> {
    let is_one = text.starts_with('/') && !text.trim_matches('/').is_empty();
    is_one.then(|| text.to_owned()).ok_or("a folder below /, as the host names it")
}

//! The generated code is committed, so that nobody needs a generator to build; this regenerates it
//! and fails on a difference. `UPDATE_EXPECT=1 cargo test -p pratica-proto` rewrites it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message as _;

fn proto_files(dir: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<_> =
        fs::read_dir(dir)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            proto_files(&path, into)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            into.push(path);
        }
    }
    Ok(())
}

#[test]
fn the_committed_code_is_what_the_proto_files_say() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    proto_files(&root.join("pratica"), &mut files)?;
    let descriptors = protox::compile(&files, [root])?;
    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .out_dir(out.path())
        // Equal messages have equal bytes: requests are told apart by a hash of them.
        .btree_map(".")
        .compile_well_known_types(false)
        .compile_fds(descriptors.clone())?;
    fs::write(out.path().join("descriptors.binpb"), descriptors.encode_to_vec())?;
    // A protocol that is not ours: generated beside the others, and left out of the descriptors,
    // which are what reflection tells and what the matrix of authorisation is held against.
    let mut foreign = Vec::new();
    proto_files(&root.join("event_store"), &mut foreign)?;
    tonic_prost_build::configure()
        .out_dir(out.path())
        .btree_map(".")
        .compile_well_known_types(false)
        .compile_fds(protox::compile(&foreign, [root])?)?;

    let committed = root.join("src/gen");
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(out.path())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let fresh = fs::read(entry.path())?;
        let target = committed.join(&name);
        if update {
            fs::write(&target, &fresh)?;
        }
        let stale = fs::read(&target).unwrap_or_default();
        assert!(fresh == stale, "{name} is stale: UPDATE_EXPECT=1 cargo test -p pratica-proto");
        names.push(name);
    }
    let mut kept: Vec<String> = fs::read_dir(&committed)?
        .map(|e| e.map(|e| e.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, _>>()?;
    names.sort();
    kept.sort();
    assert_eq!(kept, names, "src/gen holds a file that no .proto makes any more");
    Ok(())
}

//! Names and release files as apt writes them, and damage to them.

use super::*;
use crate::model::Os;
use std::fs;
use std::path::Path;

const SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nLabel: Debian-Security\nSuite: oldstable-security\nCodename: bookworm-security\nSHA256:\n 00 1 main/Origin: no\n\nCodename: x\n";

fn plant(root: &Path, files: &[(&str, &[u8])]) {
    let lists = root.join(&LISTS[1..]);
    fs::create_dir_all(&lists).unwrap();
    for (name, bytes) in files {
        fs::write(lists.join(name), bytes).unwrap();
    }
}

fn context(files: &[(&str, &[u8])]) -> (HostContext, Vec<Gap>) {
    context_with(files, Indexes::Some)
}

fn context_with(files: &[(&str, &[u8])], indexes: Indexes) -> (HostContext, Vec<Gap>) {
    let root = tempfile::tempdir().unwrap();
    plant(root.path(), files);
    let tree = Tree::of_directory(root.path()).unwrap();
    let os = Os { id: "debian".to_owned(), ..Os::default() };
    let mut context = HostContext { os, ..HostContext::default() };
    let mut gaps = Vec::new();
    Archives::find(&tree).add_to(&mut context, indexes, &mut gaps);
    (context, gaps)
}

fn shown(archives: &[Archive]) -> Vec<String> {
    let word = |it: &Archive| if it.index_read { "read" } else { "left" };
    let show = |it: &Archive| {
        let (name, architecture) = (it.name(), &it.architecture);
        let publisher = it.publisher().unwrap_or("-");
        format!("{publisher} {name} {architecture} {} {}", it.index_size, word(it))
    };
    archives.iter().map(show).collect()
}

#[test]
fn an_index_has_the_publisher_of_the_release_file_beside_it() {
    let (context, gaps) = context(&[
        ("deb.debian.org_debian-security_dists_bookworm-security_InRelease", SIGNED.as_bytes()),
        (
            "deb.debian.org_debian-security_dists_bookworm-security_main_binary-amd64_Packages.lz4",
            b"12",
        ),
        ("a.example_ubuntu_dists_jammy_Release", b"Origin: A\nSuite: jammy\n"),
        ("a.example_ubuntu_dists_jammy_updates_main_binary-all_Packages", b""),
        ("a.example_ubuntu_dists_jammy_main_binary-all_Packages.diff_Index", b""),
        ("a.example_ubuntu_dists_jammy_main_i18n_Translation-en", b""),
        ("flat.example_deb_._InRelease", b"Label: no origin\n"),
        ("flat.example_deb_._Packages", b"123"),
        ("bare.example_dists_x_main_binary-arm64_Packages.xz", b""),
        ("_srv_repo_._Packages", b""),
        ("_Packages", b""),
    ]);
    assert_eq!(gaps, []);
    assert_eq!(
        shown(&context.archives),
        [
            "Debian bookworm-security/main amd64 2 read",
            "-   0 read",
            "A jammy/updates/main all 0 read",
            "- main arm64 0 read",
            "flat.example   3 read",
        ]
    );
}

#[test]
fn large_indexes_are_left_unless_an_index_of_others_has_to_be_told_from_them() {
    let own = b"Origin: Debian\nCodename: bookworm\n";
    let (half, much) = (vec![0; 5 << 20], vec![0; 9 << 20]);
    let files: [(&str, &[u8]); 6] = [
        ("d_dists_bookworm_InRelease", own),
        ("d_dists_bookworm_main_binary-amd64_Packages", &much),
        ("d_dists_bookworm_small_binary-amd64_Packages", b"1"),
        ("o_dists_x_Release", b"Origin: Other\n"),
        ("o_dists_x_main_binary-amd64_Packages", &half),
        ("o_dists_x_more_binary-amd64_Packages", &half),
    ];
    let (all, _) = context_with(&files, Indexes::All);
    assert!(all.archives.iter().all(|it| it.index_read));
    let (alone, _) = context(&files[..3]);
    assert_eq!(
        shown(&alone.archives),
        ["Debian bookworm/main amd64 9437184 left", "Debian bookworm/small amd64 1 read"]
    );
    let (context, gaps) = context(&files);
    assert_eq!(gaps, []);
    assert_eq!(
        shown(&context.archives),
        [
            "Debian bookworm/main amd64 9437184 read",
            "Debian bookworm/small amd64 1 read",
            "Other main amd64 5242880 read",
            "Other more amd64 5242880 left",
        ]
    );
}

#[test]
fn only_the_first_stanza_of_a_release_file_counts() {
    let found = release(SIGNED);
    assert_eq!(found.codename.as_deref(), Some("bookworm-security"));
    assert_eq!(found.origin.as_deref(), Some("Debian"));
    assert_eq!(release("-----BEGIN PGP SIGNED MESSAGE-----\n"), Release::default());
    assert_eq!(release(&format!("Origin: {}\n", "x".repeat(300))), Release::default());
    assert_eq!(release("Origin: a\x1b[2J\n").origin.as_deref(), Some("a\\x1b[2J"));
    assert_eq!(release("\n\nOrigin: late\n"), Release::default());
}

#[test]
fn a_release_file_of_rubbish_is_a_gap_and_names_no_publisher() {
    for text in [&b""[..], b"\0\xff\n", b"Date: x\n"] {
        let (context, gaps) =
            context(&[("h_dists_x_InRelease", text), ("h_dists_x_main_Packages", b"")]);
        assert_eq!(context.archives[0].publisher(), None);
        assert_eq!((gaps.len(), gaps[0].reason), (1, GapReason::Corrupt));
    }
}

#[test]
fn a_folder_without_end_is_a_gap() {
    let names: Vec<_> = (0..=MOST_ARCHIVES).map(|n| format!("h_{n}_Packages")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let (context, gaps) = context(&files);
    assert_eq!((context.archives.len(), gaps.len()), (MOST_ARCHIVES, 1));
    assert_eq!(gaps[0].reason, GapReason::Limit);
}

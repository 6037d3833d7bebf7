//! qcow2 images that stand on others, and those whose data are in a file of their own.

use crate::support::{BLOCK, Work, check, disk, fill, refusal};
use std::fs;

const SIZE: u64 = 6 * 1024 * 1024;

fn overlay(work: &Work, name: &str, base: &str, format: &str, options: &str) {
    let arguments = ["create", "-q", "-f", "qcow2", "-o", options, "-b", base, "-F", format, name];
    work.tool("qemu-img", &arguments);
}

fn write(work: &Work, name: &str, commands: &[&str]) {
    let mut arguments = vec!["-f", "qcow2"];
    arguments.extend(commands.iter().flat_map(|command| ["-c", command]));
    arguments.push(name);
    work.tool("qemu-io", &arguments);
}

fn witnessed(work: &Work, name: &str, case: &str) {
    check(&disk(&work.path(name)), &work.witness("qcow2", name), case);
}

#[test]
fn a_chain_reads_as_qemu_reads_it() {
    let work = Work::new();
    fill(&work.path("base"), SIZE);
    overlay(&work, "middle", "base", "raw", "cluster_size=4096");
    write(&work, "middle", &["write -P 1 100k 7k", "write -z 1M 64k", "discard 2M 64k"]);
    overlay(&work, "top", "middle", "qcow2", "extended_l2=on,cluster_size=64k");
    write(&work, "top", &["write -P 2 101k 2k", "write -P 3 3M 513", "write -z 150k 10k"]);
    witnessed(&work, "top", "three images");
    // Counted are the blocks of all, without those that only the top makes zero.
    assert!(disk(&work.path("top")).contents(BLOCK).written.is_some_and(|blocks| blocks > 1));
}

#[test]
fn past_the_end_of_a_smaller_backing_file_are_zeroes() {
    let work = Work::new();
    fill(&work.path("base"), 2 * 1024 * 1024 + 512);
    overlay(&work, "top", "base", "raw", "cluster_size=64k");
    work.tool("qemu-img", &["resize", "-q", "top", "5M"]);
    write(&work, "top", &["write -P 5 4M 10k"]);
    witnessed(&work, "top", "larger than what it stands on");
}

#[test]
fn backing_files_of_other_formats() {
    for format in ["vmdk", "vdi", "vpc", "vhdx", "qcow2"] {
        let work = Work::new();
        fill(&work.path("raw"), SIZE);
        work.tool("qemu-img", &["convert", "-f", "raw", "-O", format, "raw", "base"]);
        overlay(&work, "top", "base", format, "cluster_size=64k");
        write(&work, "top", &["write -P 9 1M 100k"]);
        witnessed(&work, "top", format);
    }
}

#[test]
fn backing_files_below_the_folder_by_relative_and_absolute_names() {
    let work = Work::new();
    fs::create_dir(work.path("sub")).expect("made");
    fill(&work.path("sub/base"), SIZE);
    // A name is relative to the image that holds it.
    overlay(&work, "sub/middle", "base", "raw", "cluster_size=64k");
    overlay(&work, "top", "sub/middle", "qcow2", "cluster_size=64k");
    write(&work, "top", &["write -P 9 1M 100k"]);
    witnessed(&work, "top", "relative");
    overlay(&work, "absolute", &work.text("sub/middle"), "qcow2", "cluster_size=64k");
    witnessed(&work, "absolute", "absolute");
}

#[test]
fn what_is_said_to_be_raw_is_not_looked_into() {
    let work = Work::new();
    fill(&work.path("other"), SIZE);
    overlay(&work, "base", "other", "raw", "cluster_size=64k");
    overlay(&work, "top", "base", "raw", "cluster_size=64k");
    let expected = work.witness("qcow2", "top");
    assert!(expected.starts_with(&fs::read(work.path("base")).expect("read")));
    check(&disk(&work.path("top")), &expected, "raw");
    // What a raw image was said not to be is not opened as that either.
    overlay(&work, "wrong", "base", "raw", "cluster_size=64k");
    fill(&work.path("base"), SIZE);
    work.tool("qemu-img", &["rebase", "-u", "-b", "base", "-F", "qcow2", "wrong"]);
    assert!(refusal(&work.path("wrong")).contains("not of the format that it is said to be"));
}

#[test]
fn an_external_data_file() {
    for options in ["data_file=data", "data_file=data,data_file_raw=on"] {
        let work = Work::new();
        fill(&work.path("raw"), SIZE);
        let head = ["convert", "-f", "raw", "-O", "qcow2", "-o", options, "raw", "image"];
        work.tool("qemu-img", &head);
        write(&work, "image", &["write -P 9 1M 100k", "write -z 3M 64k"]);
        witnessed(&work, "image", options);
    }
}

#[test]
fn internal_snapshots_do_not_change_what_is_read() {
    let work = Work::new();
    fill(&work.path("raw"), SIZE);
    work.tool("qemu-img", &["convert", "-f", "raw", "-O", "qcow2", "raw", "image"]);
    work.tool("qemu-img", &["snapshot", "-c", "before", "image"]);
    write(&work, "image", &["write -P 9 1M 100k", "discard 3M 64k"]);
    witnessed(&work, "image", "with a snapshot");
}

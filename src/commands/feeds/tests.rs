//! The command line of `feeds`, and what it does to a store.

use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

fn parse(words: &[&str]) -> Result<Args, clap::Error> {
    Ok(Cli::try_parse_from([&["feeds"], words].concat())?.args)
}

#[test]
fn the_command_line_is_checked() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
    for good in [
        &["update"] as &[&str],
        &["update", "--feed", "debian", "--url", "http://localhost/x", "--accept-shrunk"],
        &["status", "--format", "json", "--advisories", "x"],
        &["--advisories", "x", "import", "--feed", "kev", "FILE"],
    ] {
        assert!(parse(good).is_ok(), "{good:?}");
    }
    for bad in [
        &[] as &[&str],
        &["update", "--feed", "nvd"],
        &["update", "--url", "http://localhost/x"],
        &["update", "--feed", "kev", "--url", "ftp://localhost/x"],
        &["import", "FILE"],
        &["status", "--format", "xml"],
    ] {
        assert!(parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_file_is_imported_and_a_bad_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let text = |name: &str| folder.path().join(name).display().to_string();
    let (store, good, bad) = (text("store"), text("good.json"), text("bad.json"));
    let tracker = r#"{"a":{"CVE-1":{"releases":{"sid":{"status":"open"}}}}}"#;
    std::fs::write(&good, tracker).unwrap();
    std::fs::write(&bad, "{").unwrap();
    let import = |file: &str| {
        run(
            &parse(&["--advisories", &store, "import", "--feed", "debian", file]).unwrap(),
            &Progress::off(),
        )
    };
    import(&good).unwrap();
    let error = format!("{:#}", import(&bad).unwrap_err());
    assert!(error.contains("bad.json was not imported: feed debian: cut off"), "{error}");
    assert_eq!(error.matches("cut off").count(), 1, "{error}");
    assert!(import(&text("none")).is_err());
    let feeds = stored(Path::new(&store)).unwrap();
    assert_eq!((feeds.len(), feeds[0].records, &feeds[0].source), (1, 1, &good));
    run(&parse(&["--advisories", &store, "status"]).unwrap(), &Progress::off()).unwrap();
}

//! Perl's own `ExtUtils::Installed` is the witness, of what `make install` of a module wrote.

use crate::support::{Names, assert_same, has, names, output, scan};
use sidelight::model::Ecosystem;
use std::fs;

const LIST: &str = r#"
my $root = shift;
my $installed = ExtUtils::Installed->new(inc_override => ["$root/lib/perl5"], skip_cwd => 1);
for my $module (grep { $_ ne 'Perl' } $installed->modules) {
    (my $dist = $module) =~ s/::/-/g;
    my $version = $installed->version($module);
    print "$dist $version\n" if $version;
}
"#;

#[test]
fn what_make_install_wrote() {
    if !has("make")
        || output("perl", &["-MExtUtils::MakeMaker", "-e", "print 1"], "/".as_ref()) != "1"
    {
        return test_material::skip("no ExtUtils::MakeMaker; install Debian's perl and make");
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    for (module, text) in [
        ("Some::Module", "package Some::Module;\nour $VERSION = '1.02';\n1;\n"),
        ("Other", "package Other v2.3.4;\n1;\n"),
    ] {
        let source = folder.path().join(module.replace("::", "-"));
        let file = source.join("lib").join(format!("{}.pm", module.replace("::", "/")));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        let path = file.strip_prefix(&source).unwrap().display();
        let make = format!(
            "use ExtUtils::MakeMaker; WriteMakefile(NAME => '{module}', VERSION_FROM => '{path}');"
        );
        fs::write(source.join("Makefile.PL"), make).unwrap();
        output("perl", &["Makefile.PL", &format!("INSTALL_BASE={}", root.display())], &source);
        output("make", &["-s", "install"], &source);
    }
    let list = output(
        "perl",
        &["-MExtUtils::Installed", "-e", LIST, root.to_str().unwrap()],
        folder.path(),
    );
    let expected: Names = list
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect();
    assert_eq!(expected.len(), 2, "{list}");
    // Lists have whole paths, so the host is one where the folder has the same one.
    let host = folder.path().join("host");
    let there = host.join(root.strip_prefix("/").unwrap());
    fs::create_dir_all(there.parent().unwrap()).unwrap();
    fs::rename(&root, &there).unwrap();
    let found = scan(&host);
    assert_eq!(found.gaps, []);
    assert_same("perl", &names(&found.packages, Ecosystem::Cpan), &expected);
}

//! What a Java archive is, by what stands in it.
//!
//! Every `META-INF/maven/GROUP/ARTIFACT/pom.properties` is a package: a shaded archive has one for each
//! that went into it. If none of them is that of the archive itself, it is named by its file, and
//! its version is the file's or the manifest's. Its group is then that of a table of widespread artifacts,
//! or a guess from the manifest, and left out where there is nothing to guess from. An archive without any version is no package.

use super::file_name::FileName;
use super::groups;
use super::manifest::{Manifest, properties};

/// What an entry tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `MANIFEST.MF`.
    Manifest,
    /// `pom.properties`.
    Pom,
}

impl Kind {
    /// Whether the entry of this name tells anything.
    pub fn of(name: &[u8]) -> Option<Self> {
        if name == b"META-INF/MANIFEST.MF" {
            return Some(Self::Manifest);
        }
        let folders = maven_folders(name)?;
        (!folders.0.is_empty()).then_some(Self::Pom)
    }

    /// Bytes of it that are read.
    pub fn most(self) -> u64 {
        match self {
            // Those of signed archives name every class.
            Self::Manifest => 16 << 20,
            Self::Pom => 64 << 10,
        }
    }
}

/// Group and artifact in the path of a `pom.properties`, wherever its `META-INF` is.
fn maven_folders(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = name.rsplit(|byte| *byte == b'/');
    let is_pom = parts.next()? == b"pom.properties";
    let (artifact, group) = (parts.next()?, parts.next()?);
    let is_maven = parts.next()? == b"maven" && parts.next()? == b"META-INF";
    (is_pom && is_maven).then_some((group, artifact))
}

/// Maven's name of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Group, empty if it is not known.
    pub group: String,
    /// Name in the group.
    pub name: String,
    /// Version.
    pub version: String,
}

impl Artifact {
    /// The name that people write.
    pub fn full_name(&self) -> String {
        match self.group.as_str() {
            "" => self.name.clone(),
            group => format!("{group}:{}", self.name),
        }
    }
}

/// What the entries of one archive say.
#[derive(Debug, Default)]
pub struct Facts {
    poms: Vec<Artifact>,
    manifest: Manifest,
}

impl Facts {
    /// Adds what an entry says.
    pub fn add(&mut self, kind: Kind, name: &[u8], bytes: &[u8]) {
        match kind {
            Kind::Manifest => self.manifest = Manifest::parse(bytes),
            Kind::Pom => self.poms.extend(pom(name, bytes)),
        }
    }

    /// All packages of the archive at `path`.
    pub fn artifacts(mut self, path: &[u8]) -> Vec<Artifact> {
        let own = self.own(path);
        self.poms.extend(own);
        self.poms
    }

    /// The archive itself, if no `pom.properties` is its own.
    fn own(&self, path: &[u8]) -> Option<Artifact> {
        let name = FileName::parse(path)?;
        if self.poms.iter().any(|pom| name.is_of(&pom.name)) {
            return None;
        }
        let version = name.version.or_else(|| self.manifest.version())?;
        // One package of the same version is the archive under another name.
        if matches!(self.poms.as_slice(), [only] if only.version == version) {
            return None;
        }
        let known = self.manifest.group_id().or_else(|| groups::known(&name.artifact));
        let known = known.map(str::to_owned);
        let group = known.or_else(|| self.manifest.group(&name.artifact)).unwrap_or_default();
        Some(Artifact { group, name: name.artifact, version })
    }
}

/// What a `pom.properties` says; what it lacks, its path may say.
fn pom(path: &[u8], bytes: &[u8]) -> Option<Artifact> {
    let (group, artifact) = maven_folders(path)?;
    let of_path = |part: &[u8]| String::from_utf8(part.to_vec()).ok();
    let mut found = [None, None, None];
    for (key, value) in properties(bytes) {
        let index = ["groupId", "artifactId", "version"].iter().position(|known| *known == key);
        // A build that did not fill in its own words.
        if let Some(index) = index.filter(|_| !value.is_empty() && !value.contains("${")) {
            found[index] = Some(value);
        }
    }
    let [group_id, artifact_id, version] = found;
    Some(Artifact {
        group: group_id.or_else(|| of_path(group))?,
        name: artifact_id.or_else(|| of_path(artifact))?,
        version: version?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, poms: &[(&str, &str)], manifest: &str) -> Vec<String> {
        let mut facts = Facts::default();
        for (path, text) in poms {
            facts.add(Kind::of(path.as_bytes()).unwrap(), path.as_bytes(), text.as_bytes());
        }
        facts.add(Kind::Manifest, b"", manifest.as_bytes());
        let artifacts = facts.artifacts(path.as_bytes());
        artifacts.iter().map(|it| format!("{}@{}", it.full_name(), it.version)).collect()
    }

    const GUAVA: (&str, &str) = (
        "META-INF/maven/com.google.guava/guava/pom.properties",
        "#Generated\r\nversion=31.1-jre\r\ngroupId=com.google.guava\r\nartifactId = guava\r\n",
    );

    #[test]
    fn its_own_properties_are_all_there_is() {
        let guava = ["com.google.guava:guava@31.1-jre"];
        assert_eq!(found("/a/guava-31.1-jre.jar", &[GUAVA], "Bundle-Version: 31.1.0\n"), guava);
        assert_eq!(found("/a/guava.jar", &[GUAVA], ""), guava);
        assert_eq!(found("/a/renamed.jar", &[GUAVA], "Implementation-Version: 31.1-jre\n"), guava);
    }

    #[test]
    fn a_shaded_archive_is_a_package_too() {
        let other = ("META-INF/maven/g/a/pom.properties", "version=2\n");
        let all = ["com.google.guava:guava@31.1-jre", "g:a@2", "app@1.0"];
        assert_eq!(found("/x!lib/app-1.0.jar", &[GUAVA, other], ""), all);
    }

    #[test]
    fn without_properties_the_file_and_the_manifest_speak() {
        let bundle = "Bundle-SymbolicName: org.apache.ant.launcher;singleton:=true\nBundle-Version: 9\n\
                      Implementation-Version: 1.10.13\n";
        assert_eq!(
            found("/ant-launcher.jar", &[], bundle),
            ["org.apache.ant:ant-launcher@1.10.13"]
        );
        assert_eq!(found("/ant-launcher-2.jar", &[], bundle), ["org.apache.ant:ant-launcher@2"]);
        assert!(found("/app.jar", &[], "Main-Class: a\n").is_empty());
    }

    #[test]
    fn a_plugin_of_jenkins_is_of_the_group_that_it_names() {
        let plugin = "Extension-Name: git\nShort-Name: git\nGroup-Id: org.jenkins-ci.plugins\nPlugin-Version: 5.2.1\n";
        assert_eq!(found("/plugins/git.jpi", &[], plugin), ["org.jenkins-ci.plugins:git@5.2.1"]);
        let odd = plugin.replace("org.jenkins-ci.plugins", "Jenkins Plugins");
        assert_eq!(found("/plugins/git.hpi", &[], &odd), ["git@5.2.1"]);
    }

    #[test]
    fn words_that_no_build_filled_in_are_none() {
        let blank = ("META-INF/maven/g/a/pom.properties", "version=${revision}\ngroupId=g\n");
        assert_eq!(found("/a-3.jar", &[blank], ""), ["a@3"]);
    }
}

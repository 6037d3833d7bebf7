"""Reads the lockfiles and manifests below a folder: `path<TAB>name<TAB>version` lines, for tests of the same in Rust.

Written from the formats' documents, with parsers of Python, so that it shares no mistake with what it tests.
"""

import json
import os
import re
import sys
import tomllib
import xml.etree.ElementTree as ElementTree

import yaml


def pins(text):
    text = text.replace("\\\n", " ")
    for line in text.splitlines():
        found = re.match(r"\s*(\w[\w.-]*)\s*(?:\[[^]]*\])?\s*={2,3}\s*(\w[\w.+!-]*)(?![*.\w])", line)
        if found:
            yield found.groups()


def pipfile_lock(text):
    lock = json.loads(text)
    for group in ("default", "develop"):
        for name, package in lock.get(group, {}).items():
            if package.get("version", "").startswith("=="):
                yield name, package["version"].lstrip("=")


def toml_packages(text):
    lock = tomllib.loads(text)
    for package in lock.get("package", []) + lock.get("packages", []):
        if "version" in package:
            yield package["name"], package["version"]


def npm_lock(text):
    lock = json.loads(text)
    if "packages" in lock:
        for path, package in lock["packages"].items():
            if "node_modules/" in path and not package.get("link") and "version" in package:
                yield package.get("name", path.split("node_modules/")[-1]), package["version"]
    else:
        yield from npm_nested(lock.get("dependencies", {}))


def npm_nested(dependencies):
    for name, package in dependencies.items():
        version = package["version"]
        if version.startswith("npm:"):
            name, version = version[4:].rsplit("@", 1)
        if re.match(r"\d[^/:#]*$", version):
            yield name, version
        yield from npm_nested(package.get("dependencies", {}))


def yarn_lock(text):
    if "__metadata:" in text:
        for key, entry in yaml.safe_load(text).items():
            if key != "__metadata" and "@workspace:" not in entry["resolution"]:
                yield re.match(r"(@?[^@]+)@", entry["resolution"])[1], str(entry["version"])
        return
    for first, version in re.findall(r'^"?([^\n"#, ]+)[^\n]*:\n  "?version"? "([^"]+)"', text, re.M):
        alias = re.match(r"@?[^@]+@npm:(@?[^@]+)@", first)
        yield alias[1] if alias else re.match(r"(@?[^@]+)@", first)[1], version


def pnpm_lock(text):
    lock = yaml.safe_load(text)
    for key, entry in (lock.get("packages") or {}).items():
        entry = entry or {}
        bare = key.split("(")[0]
        found = re.fullmatch(r"/?((?:@[^@/]+/)?[^@/]+)@(\d[^/]*|https?:.*)", bare) or re.fullmatch(
            r"(?:[^/@]+)?/((?:@[^/]+/)?[^/]+)/(\d[^/_]*)(?:_.*)?", bare
        )
        name, version = found.groups() if found else (None, None)
        name, version = entry.get("name", name), entry.get("version", version)
        if name and version:
            yield name, str(version)


def bun_lock(text):
    lock = json.loads(re.sub(r",(\s*[}\]])", r"\1", text))
    for package in lock["packages"].values():
        name, version = package[0].rsplit("@", 1)
        if version[0].isdigit():
            yield name, version


def gemfile_lock(text):
    for section in re.findall(r"^  specs:\n((?:    .*\n)*)", text, re.M):
        for name, version in re.findall(r"^    (\S+) \(([^)-]+)", section, re.M):
            yield name, version


def deps(text):
    for key, library in json.loads(text)["libraries"].items():
        if library["type"] == "package":
            yield key.split("/")


def nuget_lock(text):
    for packages in json.loads(text)["dependencies"].values():
        for name, package in packages.items():
            if "resolved" in package:
                yield name, package["resolved"]


def packages_config(text):
    for package in ElementTree.fromstring(text).iter("package"):
        yield package.get("id"), package.get("version")


def composer(text):
    lock = json.loads(text)
    packages = lock if isinstance(lock, list) else (lock.get("packages") or []) + (lock.get("packages-dev") or [])
    for package in packages:
        yield package["name"], package["version"]


def go_mod(text, path):
    text = re.sub(r"//.*", "", text)
    lines = re.findall(r"^require\s+([^\s(]+\s+\S+)", text, re.M)
    for block in re.findall(r"^require\s*\(([^)]*)\)", text, re.M):
        lines += [line for line in block.splitlines() if line.strip()]
    required = {tuple(line.split()[:2]) for line in lines}
    replaced = re.findall(r"(\S+)(?:[ \t]+(v\S+))?[ \t]+=>[ \t]+(\S+)(?:[ \t]+(v\S+))?", text)
    names = {name for name, _ in required} | {entry[0] for entry in replaced} | {entry[2] for entry in replaced}
    for name, version in required:
        for old, for_version, new, new_version in replaced:
            if name == old and for_version in ("", version) and new_version:
                name, version = new, new_version
        yield name, version
    minor = re.search(r"^go 1\.(\d+)", text, re.M)
    if not minor or int(minor[1]) < 17:
        sums = os.path.join(os.path.dirname(path), "go.sum")
        for line in open(sums) if os.path.exists(sums) else []:
            name, version, _ = line.split()
            if name not in names and not version.endswith("/go.mod"):
                yield name, version, sums


def mix_lock(text):
    return re.findall(r'\{:hex, :(\w+), "([^"]+)"', text)


def pubspec_lock(text):
    for name, package in yaml.safe_load(text)["packages"].items():
        if package["source"] != "sdk":
            yield name, package["version"]


def package_resolved(text):
    lock = json.loads(text)
    for pin in lock.get("pins") or lock["object"]["pins"]:
        if pin["state"].get("version"):
            place = pin.get("location") or pin["repositoryURL"]
            yield re.sub(r"^https?://|\.git$", "", place), pin["state"]["version"]


def gradle(text):
    for name, version in re.findall(r"^([^#:\n]+:[^:\n]+):([^=\n]+)=", text, re.M):
        yield name, version


def package_json(text):
    package = json.loads(text)
    if "name" in package and "version" in package and package.get("private") is not True:
        yield package["name"], package["version"]


def manifest_toml(text):
    manifest = tomllib.loads(text)
    for name, entries in manifest.get("deps", manifest).items():
        for entry in entries if isinstance(entries, list) else []:
            if "version" in entry:
                yield name, entry["version"]


def renv_lock(text):
    for package in json.loads(text).get("Packages", {}).values():
        yield package["Package"], package["Version"]


def podfile_lock(text):
    for pod in yaml.safe_load(text)["PODS"]:
        name, version = re.fullmatch(r"(\S+) \((.+)\)", next(iter(pod)) if isinstance(pod, dict) else pod).groups()
        yield name.split("/")[0], version


def conan_lock(text):
    lock = json.loads(text)
    nodes = lock.get("graph_lock", {}).get("nodes", {}).values()
    references = [node.get("ref") or node.get("pref") or "" for node in nodes if "path" not in node]
    for key in ("requires", "build_requires", "python_requires"):
        references += lock.get(key, [])
    for reference in references:
        found = re.match(r"([^/@#:%]+)/([^/@#:%]+)", reference)
        if found:
            yield found.groups()


def packages_props(text):
    for package in ElementTree.fromstring(text).iter("PackageVersion"):
        yield package.get("Include"), package.get("Version")


def build_sbt_lock(text):
    for package in json.loads(text)["dependencies"]:
        yield f'{package["org"]}:{package["name"]}', package["version"]


READERS = {
    "Cargo.lock": toml_packages,
    "Directory.Packages.props": packages_props,
    "Gemfile.lock": gemfile_lock,
    "Manifest.toml": manifest_toml,
    "Package.resolved": package_resolved,
    "Pipfile.lock": pipfile_lock,
    "Podfile.lock": podfile_lock,
    "build.sbt.lock": build_sbt_lock,
    "bun.lock": bun_lock,
    "composer.lock": composer,
    "conan.lock": conan_lock,
    "datacollector.deps.json": deps,
    "gradle.lockfile": gradle,
    "mix.lock": mix_lock,
    "package-lock.json": npm_lock,
    "package.json": package_json,
    "packages.config": packages_config,
    "packages.lock.json": nuget_lock,
    "pdm.lock": toml_packages,
    "pnpm-lock.yaml": pnpm_lock,
    "poetry.lock": toml_packages,
    "pubspec.lock": pubspec_lock,
    "pylock.toml": toml_packages,
    "requirements.txt": pins,
    "renv.lock": renv_lock,
    "uv.lock": toml_packages,
    "yarn.lock": yarn_lock,
}


def read(path):
    name = os.path.basename(path)
    folder = os.path.basename(os.path.dirname(path))
    if name == "go.mod":
        return go_mod(open(path).read(), path)
    # The folders of the fixtures are named for what they hold, not as Composer names them.
    if name == "installed.json" and folder == "composer":
        return composer(open(path).read())
    reader = READERS.get(name)
    return reader(open(path, encoding="utf-8-sig").read()) if reader else []


def main():
    """A damaged file is a line with its path alone: how much of it can be read is not for this witness to say."""
    root = sys.argv[1]
    for folder, _, files in os.walk(root):
        for file in files:
            path = os.path.join(folder, file)
            try:
                lines = list(read(path))
            except Exception:
                lines = [()]
            for line in lines:
                place = line[2] if len(line) > 2 else path
                print("/" + os.path.relpath(place, root), *line[:2], sep="\t")


main()

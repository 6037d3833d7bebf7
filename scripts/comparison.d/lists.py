"""What each tool lists, in one form: type, name, version, where, and whose file it is by the tool's own word."""

import json
import re
import urllib.parse
from dataclasses import dataclass


@dataclass(frozen=True)
class Listed:
    """A package as a tool lists it, with names and versions made alike."""

    kind: str
    name: str
    version: str
    places: tuple = ()
    owner: str = ""
    locked: bool = False

    @property
    def key(self):
        return (self.kind, self.name, self.version)


# What trivy calls what package URLs call otherwise.
TRIVY = {
    "debian": "deb", "gobinary": "golang", "gomod": "golang", "python-pkg": "pypi", "pip": "pypi", "poetry": "pypi", "pipenv": "pypi", "uv": "pypi",
    "node-pkg": "npm", "npm": "npm", "yarn": "npm", "pnpm": "npm", "bun": "npm", "jar": "maven", "gemspec": "gem", "bundler": "gem",
    "rustbinary": "cargo", "cargo": "cargo", "dotnet-core": "nuget", "nuget": "nuget", "composer": "composer", "composer-vendor": "composer", "hex": "hex",
    "pub": "pub", "conda-pkg": "conda",
}  # fmt: skip
# And syft.
SYFT = {
    "go-module": "golang", "python": "pypi", "java-archive": "maven", "jenkins-plugin": "maven", "rust-crate": "cargo", "dotnet": "nuget",
    "php-composer": "composer", "php-pecl": "composer", "dart-pub": "pub", "hex": "hex", "R-package": "cran", "binary": "generic",
    "linux-kernel": "kernel", "linux-kernel-module": "kernel module", "lua-rocks": "lua",
}  # fmt: skip


def alike(kind, name, version):
    """A name and a version without what only differs by the habits of tools."""
    if kind == "pypi":
        name = re.sub(r"[-_.]+", "-", name).lower()
    if kind == "golang":
        version = version.removeprefix("v").removeprefix("go")
    if kind == "maven":
        name = name.replace("/", ":")
    if kind == "generic":
        # As CPE's dictionary writes it, and as package URLs do.
        name = name.replace("_", "-").replace("node.js", "node").replace("http-server", "httpd")
    return name, version


def listed(kind, name, version, *rest):
    return Listed(kind, *alike(kind, name, version), *rest)


def sidelight(path):
    report = json.load(open(path))
    for package in (package for asset in report["assets"] for package in asset["packages"]):
        kind, name = package["ecosystem"], package["name"]
        if kind == "nuget" or kind == "composer":
            name = package["name"]
        yield listed(kind, name, package["version"], tuple(package["evidence"]), package.get("owner") or "", package.get("state") == "locked")


def trivy(path):
    for result in json.load(open(path)).get("Results") or []:
        kind = TRIVY.get(result["Type"], result["Type"])
        for package in result.get("Packages") or []:
            version = package.get("Version", "")
            if kind == "deb":
                epoch, release = package.get("Epoch"), package.get("Release")
                version = (f"{epoch}:" if epoch else "") + version + (f"-{release}" if release else "")
            place = package.get("FilePath") or result["Target"]
            yield listed(kind, package["Name"], version, ("/" + place.lstrip("/"),))


def syft(path):
    for package in json.load(open(path))["artifacts"]:
        kind, name = SYFT.get(package["type"], package["type"]), package["name"]
        if kind == "maven":
            # Its name lacks the group, which its package URL has.
            parts = urllib.parse.unquote(package["purl"].split("?")[0].split("@")[0]).split("/")[1:]
            name = ":".join([".".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else name
        primary = [it for it in package["locations"] if (it.get("annotations") or {}).get("evidence") != "supporting"]
        places = tuple(location["path"] for location in primary or package["locations"])
        yield listed(kind, name, package["version"], places)

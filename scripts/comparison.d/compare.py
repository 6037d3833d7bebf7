"""Holds what Sidelight lists against what each peer lists: found, found under another name, explained, missed."""

import csv
import json
import pathlib
import re
from collections import Counter, defaultdict

import lists

RULES = pathlib.Path(__file__).with_name("rules.tsv")


class Owners:
    """Whose each file is by dpkg's lists; folders that were merged into /usr are one."""

    def __init__(self, root):
        self.of = {}
        for path in pathlib.Path(root, "var/lib/dpkg/info").glob("*.list"):
            for line in path.read_text(errors="replace").splitlines():
                self.of.setdefault(self.merged(line), path.name.removesuffix(".list").split(":")[0])

    @staticmethod
    def merged(path):
        return re.sub(r"^/usr/(?=(bin|sbin|lib\w*)/)", "/", path)

    def __call__(self, package):
        """The owner of the first of its files that has one, of archives that of the outermost."""
        places = (self.merged(re.split(r"[!:]", place)[0]) for place in package.places)
        return next((self.of[place] for place in places if place in self.of), "")


def gone(root):
    """Packages that dpkg remembers and whose files are not there, with their state."""
    stanzas = pathlib.Path(root, "var/lib/dpkg/status").read_text().split("\n\n")
    fields = [dict(re.findall(r"^(Package|Status|Version): (.*)", stanza, re.M)) for stanza in stanzas if stanza.strip()]
    return {(it["Package"], it["Version"]): it["Status"].split()[2] for it in fields if it["Status"].split()[2] in ("not-installed", "config-files")}


def rules():
    with open(RULES) as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if row and not row[0].startswith("#")]
    return [(re.compile(row[0]), row[1], row[2]) for row in rows]


def private(path):
    with open(path) as file:
        return json.load(file).get("private") is True


class Comparison:
    def __init__(self, out, root):
        self.ours = list(lists.sidelight(out / "sidelight.json"))
        self.peers = {"trivy vm": list(lists.trivy(out / "trivy vm.json")), "trivy rootfs": list(lists.trivy(out / "trivy rootfs.json")), "syft": list(lists.syft(out / "syft dir.json"))}
        self.root, self.owners, self.states, self.rules = str(root).rstrip("/"), Owners(root), gone(root), rules()
        self.keys = {package.key for package in self.ours}
        self.last_names = defaultdict(set)
        for package in self.ours:
            self.last_names[package.kind, self.last(package.name), package.version].add(package.name)
        self.at = defaultdict(set)
        for package in self.ours:
            for place in package.places:
                self.at[package.kind, place].add(f"{package.name} {package.version}")

    @staticmethod
    def last(name):
        return name.rsplit(":", 1)[-1].lower()

    def verdict(self, package):
        """`found`, or a verdict and why."""
        if package.key in self.keys:
            return "found", ""
        if package.kind == "deb" and (state := self.states.get((package.name, package.version))):
            return "explained", f"dpkg says `{state}`: not installed"
        text = f"{package.kind} {package.name} {package.version} {' '.join(package.places)}"
        for listed, place, why in self.rules:
            if listed.search(text) and (place == "any" or self.holds(place, package)):
                return "explained", why
        if package.kind == "maven" and self.last_names.get((package.kind, self.last(package.name), package.version)):
            return "other name", "the same archive under the group that it has at Maven Central, or none where that is not known"
        if any(self.at.get((package.kind, place)) for place in package.places):
            return "other name", "the same file under another name or version"
        return "missed", ""

    def holds(self, place, package):
        """Whether the file is of this sort, by the disk itself."""
        paths = [re.split("[!:]", path)[0] for path in package.places]
        if place == "owned":
            return bool(self.owners(package))
        return place == "private" and all(path.endswith("package.json") and private(self.root + path) for path in paths)

    def of_peer(self, peer):
        """Verdict and why to the packages, each once."""
        self.peer = peer
        outcome, seen = defaultdict(list), set()
        for package in self.peers[peer]:
            if package.key not in seen:
                seen.add(package.key)
                outcome[self.verdict(package)].append(package)
        return outcome

    def extra(self):
        """What no peer lists, by kind."""
        theirs = {package.key for packages in self.peers.values() for package in packages}
        names = {(kind, self.last(name), version) for kind, name, version in theirs}
        extra = {it.key for it in self.ours if it.key not in theirs and (it.kind, self.last(it.name), it.version) not in names}
        return extra

    def duplicates(self, packages):
        """How often a package is listed again: the same type, name and version."""
        counts = Counter(package.key for package in packages)
        return sum(count - 1 for count in counts.values())

    def twice(self, packages):
        """Packages of languages in files of the system's packages, that are not said to be."""
        return [it for it in packages if it.kind not in ("deb", "kernel", "kernel module") and not it.owner and self.owners(it)]

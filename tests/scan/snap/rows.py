"""What a YAML library finds in the files of a snap: rows.py meta|debs FILE."""

import sys

import yaml

document = yaml.safe_load(open(sys.argv[2]))
if sys.argv[1] == "meta":
    fields = [document.get(key, "") for key in ("name", "version")]
    print("\t".join(fields + [",".join(document.get("architectures", []))]))
else:
    names = document.get("packages") or document.get("primed-stage-packages")
    if not names:
        names = [name for part in document["parts"].values() for name in part.get("stage-packages", [])]
    for name, version in sorted({tuple(name.split("=", 1)) for name in names}):
        print(name + "\t" + version)

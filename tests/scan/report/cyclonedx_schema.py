"""Validates a CycloneDX document from standard input with the official schema, as strictly as it can.

Prints each error as a line and exits with 1 if there is one.
"""

import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

document = sys.stdin.read()
version = SchemaVersion.from_version(sys.argv[1])
errors = list(JsonStrictValidator(version).validate_str(document, all_errors=True) or ())
for error in errors:
    print(f"{error.data.json_path}: {error.data.message[:300]}")
sys.exit(1 if errors else 0)

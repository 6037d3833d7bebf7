"""Validates a bill of materials from standard input: CycloneDX with the official schema, as strictly as it
can, SPDX with the tools of its makers.

Prints each error as a line and exits with 1 if there is one.
"""

import json
import sys
import tempfile


def of_cyclonedx(text, version):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion.from_version(version))
    errors = validator.validate_str(text, all_errors=True) or ()
    return [f"{error.data.json_path}: {error.data.message[:300]}" for error in errors]


def of_spdx(text):
    from spdx_tools.spdx.parser.error import SPDXParsingError
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    with tempfile.NamedTemporaryFile("w", suffix=".spdx.json") as file:
        file.write(text)
        file.flush()
        try:
            document = parse_file(file.name)
        except SPDXParsingError as error:
            return error.get_messages()
    return [message.validation_message for message in validate_full_spdx_document(document)]


text = sys.stdin.read()
document = json.loads(text)
errors = of_spdx(text) if "spdxVersion" in document else of_cyclonedx(text, document["specVersion"])
for error in errors:
    print(error)
sys.exit(1 if errors else 0)

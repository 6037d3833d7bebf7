"""A call as it comes over the wire, and errors as each of AWS's protocols writes them."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

_CREDENTIAL = re.compile(r"^AWS4-\S+ Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request")
_RESOURCE = re.compile(r"^(i|vol|snap|ami)-[0-9a-f]+$")
_XML_CODE = re.compile(r"<Code>([^<]+)</Code>")
_S3_OBJECT = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
REQUEST_ID = "00000000-0000-4000-8000-000000000000"
# Services whose errors are `<ErrorResponse>`; those of EC2 and S3 have forms of their own, others are JSON.
_QUERY = {"iam", "sts", "sqs", "sns", "cloudformation", "autoscaling", "monitoring"}


@dataclass
class Call:
    """One signed request: who calls what, where, on which resources."""

    service: str
    region: str
    access_key: str
    action: str
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As IAM writes it: `ec2:DescribeInstances`."""
        return f"{self.service}:{self.action}"

    @property
    def resources(self) -> list[str]:
        """The ids of instances, volumes, snapshots and images that the parameters name."""
        values = [value for value in self.parameters.values() if isinstance(value, str)]
        return sorted({value for value in values if _RESOURCE.match(value)})

    @property
    def dry_run(self) -> bool:
        return str(self.parameters.get("DryRun", "")).lower() == "true"

    @property
    def tags_on_create(self) -> bool:
        """With tags, creating needs `ec2:CreateTags` as well."""
        return self.service == "ec2" and any(name.startswith("TagSpecification") for name in self.parameters)


def read_call(environ: dict[str, Any]) -> Call | None:
    """The call of a request; None where it is not signed. The body can be read again afterwards."""
    signed = _CREDENTIAL.match(environ.get("HTTP_AUTHORIZATION", ""))
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    if not signed:
        return None
    access_key, region, service = signed.groups()
    parameters = _parameters(environ, body)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    fallback = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"
    if service == "s3":
        fallback = _S3_OBJECT.get(environ["REQUEST_METHOD"], fallback) if _names_object(environ) else fallback
        parameters = {}
    action = target.rpartition(".")[2] or parameters.get("Action") or fallback
    return Call(service, region, access_key, action, parameters)


def _names_object(environ: dict[str, Any]) -> bool:
    """Whether the path is that of an object, and not of its bucket."""
    _, _, key = environ.get("PATH_INFO", "").lstrip("/").partition("/")
    return bool(key)


def _parameters(environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    if "json" in environ.get("CONTENT_TYPE", ""):
        try:
            parsed = json.loads(body or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}
    text = body.decode(errors="replace") or environ.get("QUERY_STRING", "")
    return dict(parse_qsl(text, keep_blank_values=True))


@dataclass
class Answer:
    """What is sent back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def error(self) -> str | None:
        """The error code, if it is one."""
        if self.status < 400:
            return None
        found = _XML_CODE.search(self.body.decode(errors="replace"))
        return found.group(1) if found else _json_code(self.body) or f"HTTP {self.status}"


def _json_code(body: bytes) -> str | None:
    try:
        return str(json.loads(body)["__type"]).rpartition("#")[2]
    except (ValueError, KeyError, TypeError):
        return None


def error(service: str, status: int, code: str, message: str) -> Answer:
    """An error in the protocol of the service."""
    if service == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
            f"</Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
        )
        return Answer(status, [("Content-Type", "text/xml;charset=UTF-8")], body.encode())
    if service in _QUERY:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(code)}</Code>"
            f"<Message>{escape(message)}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
        )
        return Answer(status, [("Content-Type", "text/xml")], body.encode())
    if service == "s3":
        body = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        return Answer(status, [("Content-Type", "application/xml")], body.encode())
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
    return Answer(status, headers, json.dumps({"__type": code, "message": message}).encode())

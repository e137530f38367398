"""Recorded example responses of the documentation, and the facts in them that are compared.

A recording has the page and section of an example, its request and its response. The facts of a response are its status, each
header, the XML namespace, and each element or member with its path and text.

Values that differ in every response (ids, dates, server versions, lengths, ETags) are compared by their form. Times in
documents are compared as points in time, because the pages write them in several formats. `{braces}` in a response mean any
text, and in a request a value that the test's scene provides. The order of elements with different names is not compared,
because clients do not depend on it. The examples omit headers that every response has.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .conftest import RawResponse

ANY = "any"

# Headers of every response, according to the documentation, and headers added by the connection. Examples may omit them.
USUAL = frozenset(
    {
        "accept-ranges",
        "content-length",
        "content-type",
        "date",
        "server",
        "x-amz-request-id",
        "x-clv-request-id",
        "x-clv-s3-version",
    }
)
FORMS = {
    "date": r"\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d ?GMT",
    "last-modified": r"\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d GMT",
    "server": r"\S+",
    "content-length": r"\d+",
    "x-clv-request-id": r"[0-9a-f-]{36}",
    "x-amz-request-id": r"[0-9a-f-]{36}",
    "RequestId": r"[0-9a-f-]{36}",
    "VersionId": r"[0-9a-f-]{36}",
    "UploadId": r"[0-9a-f-]{36}|[0-9a-f]{48}",
    "ID": r"[0-9a-f-]{36}",
    "DisplayName": r"[0-9a-f-]{36}",
    "requestId": r"[0-9A-Za-z-]+",
    "url": r"\S+",
    "expiration": r"\d+",
}
"""The form of values that differ in every response, by the name of the header, element or member."""


@dataclass
class Recording:
    """One example of the documentation."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    answer: RawResponse

    @classmethod
    def read(cls, path: Path, values: Mapping[str, str] | None = None) -> Recording:
        _, request, response = re.split(r"^=== \w+\n", path.read_text(), flags=re.MULTILINE)
        for name, value in (values or {}).items():
            request = request.replace(f"{{{name}}}", value)
        line, headers, body = _message(request)
        status, answered, document = _message(response)
        method, target = line.split(" ", 1)
        return cls(method, target, headers, body.encode(), RawResponse(int(status.split(" ")[1]), answered, document.encode()))


def _message(text: str) -> tuple[str, dict[str, str], str]:
    head, _, body = text.partition("\n\n")
    first, *lines = head.strip().splitlines()
    return first, dict(line.split(": ", 1) for line in lines), body.strip()


def _text(name: str, text: str) -> str:
    """Return the form of a value that is compared."""
    text = " ".join(text.split())
    form = FORMS.get(name)
    if form is not None and re.fullmatch(form, text):
        return f"<{name}>"
    if found := re.fullmatch(r'"[0-9a-f]{32}(-\d+)?"', text):
        return f"<etag>{found[1] or ''}"
    if re.fullmatch(r"\{[\w-]+\}", text):
        return ANY
    if found := re.fullmatch(r"\w{3}, (\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d) GMT", text):
        # Some examples have a wrong day of the week.
        return datetime.strptime(found[1], "%d %b %Y %H:%M:%S").replace(tzinfo=UTC).isoformat()
    if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", text):
        return datetime.fromisoformat(text).isoformat()
    return text


def _elements(element: ET.Element, path: str, facts: list[tuple[str, str]]) -> None:
    name = element.tag.rpartition("}")[2]
    facts.append((f"{path}/{name}", "" if len(element) else _text(name, element.text or "")))
    for child in element:
        _elements(child, f"{path}/{name}", facts)


def _members(value: Any, path: str, facts: list[tuple[str, str]]) -> None:
    for name, member in value.items():
        if isinstance(member, dict):
            _members(member, f"{path}/{name}", facts)
        else:
            facts.append((f"{path}/{name}", _text(name, str(member))))


def facts_of(response: RawResponse) -> Counter[tuple[str, str]]:
    facts = [("status", str(response.status))]
    # The Connection header does not depend on the operation.
    facts += [(n.lower(), _text(n.lower(), v)) for n, v in response.headers.items() if n.lower() != "connection"]
    if response.body.startswith(b"{"):
        _members(json.loads(response.body), "", facts)
    elif response.body:
        root = ET.fromstring(response.body)
        facts.append(("namespace", root.tag.rpartition("}")[0].lstrip("{")))
        _elements(root, "", facts)
    return Counter(facts)


def differences(example: RawResponse, ours: RawResponse) -> dict[str, tuple[list[str], list[str]]]:
    """Return the names and paths where the responses differ, with the values of the example and of the emulator."""
    theirs, mine = facts_of(example), facts_of(ours)
    found: dict[str, tuple[list[str], list[str]]] = {}
    for only, side in ((theirs - mine, 0), (mine - theirs, 1)):
        for name, value in sorted(only.elements()):
            found.setdefault(name, ([], []))[side].append(value)
    for name, (example_has, emulator_has) in list(found.items()):
        elided = not example_has and name in USUAL
        free = set(example_has) == {ANY} and len(example_has) == len(emulator_has)
        if elided or free:
            del found[name]
    return found

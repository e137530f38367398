"""Fast servers with canned responses: nginx if it is installed, otherwise a minimal asyncio server.

Both respond like an object store as far as clients look, and store nothing. All bodies repeat one block, so that the ETags that
clients verify are correct without being computed during a benchmark.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import zlib
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

MIB = 1 << 20
PART = 8 * MIB
SIZES = {"k": 1024, "s1": 1024, "s4": 4096, "s16": 16384, "s64": 65536, "s256": 262144}
PAGES, A_PAGE = 100, 1000
BUCKET, LISTED = "bench", "listed"
MODIFIED = "Fri, 20 Nov 2026 10:00:00 GMT"
XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def block(size: int) -> bytes:
    """Bytes that repeat after 8 MiB."""
    one = Random(7).randbytes(min(size, PART))
    return one * (size // len(one)) + one[: size % len(one)] if size else b""


def small(name: str) -> bytes:
    """Return an object of a size named in `SIZES`; printable text, because nginx has it in its configuration."""
    return (b"0123456789abcdef" * (SIZES[name] // 16))[: SIZES[name]]


def page(number: int) -> bytes:
    """Return a page of the listing."""
    entries = "".join(
        f"<Contents><Key>data/2026/11/{number:03}/object-{n:08}.bin</Key><LastModified>2026-11-20T10:00:00.000Z</LastModified>"
        f"<ETag>&quot;{hashlib.md5(str(n).encode()).hexdigest()}&quot;</ETag><Size>{n * 37}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for n in range(number * A_PAGE, (number + 1) * A_PAGE)
    )
    last = number == PAGES - 1
    more = "" if last else f"<NextContinuationToken>p{number + 1}</NextContinuationToken>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult {XMLNS}><Name>{LISTED}</Name><Prefix></Prefix>'
        f"<KeyCount>{A_PAGE}</KeyCount><MaxKeys>{A_PAGE}</MaxKeys><EncodingType>url</EncodingType>"
        f"<IsTruncated>{'false' if last else 'true'}</IsTruncated>{more}{entries}</ListBucketResult>"
    ).encode()


CREATED = (
    f'<?xml version="1.0" encoding="UTF-8"?><InitiateMultipartUploadResult {XMLNS}><Bucket>{BUCKET}</Bucket><Key>big</Key>'
    "<UploadId>u1</UploadId></InitiateMultipartUploadResult>"
)


def completed(size: int) -> str:
    """Return the response to CompleteMultipartUpload for an object of `size` bytes in parts of 8 MiB."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><CompleteMultipartUploadResult {XMLNS}><Location>x</Location>'
        f"<Bucket>{BUCKET}</Bucket><Key>big</Key><ETag>&quot;{composite(size)}&quot;</ETag></CompleteMultipartUploadResult>"
    )


def composite(size: int) -> str:
    """Return the ETag of the large object."""
    part = hashlib.md5(block(PART)).digest()
    return f"{hashlib.md5(part * (size // PART)).hexdigest()}-{size // PART}"


@dataclass(frozen=True)
class Server:
    """A running server."""

    kind: str
    endpoint: str
    pid: int
    ca: str | None


@contextlib.contextmanager
def server(size: int, *, tls: bool = False, core: int | None = 1, kind: str | None = None) -> Iterator[Server]:
    """Run a server with a large object of `size` bytes until the end of the block."""
    kind = kind or ("nginx" if shutil.which("nginx") else "asyncio")
    fast = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="aiocos-bench-", dir=fast) as folder, socket.socket() as probe:
        root = Path(folder)
        # nginx switches to another user, who must be able to read the files.
        root.chmod(0o755)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        ca = _certificate(root) if tls else None
        command = _nginx(root, port, size, ca) if kind == "nginx" else _own(root, port, size, ca)
        if core is not None and shutil.which("taskset"):
            command = ["taskset", "-c", str(core), *command]
        process = subprocess.Popen(command, stderr=(root / "stderr").open("wb"))
        try:
            _wait(port, process, root)
            yield Server(kind, f"{'https' if tls else 'http'}://127.0.0.1:{port}", process.pid, ca)
        finally:
            process.terminate()
            process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], root: Path) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise SystemExit(f"the server did not start: {(root / 'stderr').read_text()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit("the server does not answer")


def _certificate(root: Path) -> str:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
    ]
    subprocess.run([*command, "subjectAltName=IP:127.0.0.1"], cwd=root, check=True, capture_output=True)
    return str(root / "cert.pem")


# -- nginx ------------------------------------------------------------------------------------------------------------


def _etag(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def _nginx(root: Path, port: int, size: int, ca: str | None) -> list[str]:
    for name in SIZES:
        (root / name).write_bytes(small(name))
    _write_big(root / "big", size)
    _write_big(root / "part", PART)
    (root / "pages").mkdir()
    for number in range(PAGES):
        (root / "pages" / f"p{number}.xml").write_bytes(page(number))
    for name, text in {"created.xml": CREATED, "completed.xml": completed(size)}.items():
        (root / name).write_text(text)
    listen = f"127.0.0.1:{port}" + (" ssl" if ca else "")
    tls = f"ssl_certificate {root}/cert.pem; ssl_certificate_key {root}/key.pem; ssl_session_cache off;" if ca else ""
    etags = "".join(f'"{name}" "\\"{_etag(small(name))}\\""; ' for name in SIZES)
    (root / "nginx.conf").write_text(f"""
worker_processes 1; daemon off; master_process off; pid {root}/pid; error_log stderr crit;
events {{ worker_connections 8192; multi_accept on; }}
http {{
    access_log off; server_tokens off; default_type application/octet-stream; client_max_body_size 0;
    keepalive_requests 100000000; keepalive_timeout 600; tcp_nodelay on; sendfile on; etag off; output_buffers 2 512k;
    client_body_buffer_size 1m; proxy_buffers 64 64k; proxy_buffer_size 64k; proxy_max_temp_file_size 0;
    proxy_temp_path {root}/t; client_body_temp_path {root}/b; fastcgi_temp_path {root}/f;
    uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
    map $uri $name {{ default k; "~/(?<n>k|s[0-9]+)[^/]*$" $n; }}
    map $name $etag {{ default ""; {etags} }}
    map $args $page {{ default p0; "~continuation-token=(?<p>p[0-9]+)" $p; }}
    map "$request_method:$args" $kind {{ default object; ~^PUT:.*partNumber= part; ~^PUT: put; ~^POST:uploads create;
        ~^POST: complete; ~^DELETE: gone; }}
    server {{
        listen {listen}; {tls} root {root};
        location = /{BUCKET} {{ return 200; }}
        location = /{BUCKET}/ {{ return 200; }}
        location /{BUCKET}/ {{
            add_header x-amz-request-id 0123456789 always; error_page 418 = @put; error_page 419 = @part;
            if ($kind = put) {{ return 418; }}
            if ($kind = part) {{ return 419; }}
            if ($kind = create) {{ rewrite .* /created.xml last; }}
            if ($kind = complete) {{ rewrite .* /completed.xml last; }}
            if ($kind = gone) {{ return 204; }}
            add_header ETag $etag; add_header Last-Modified "{MODIFIED}";
            rewrite .* /$name break;
        }}
        location @put {{
            add_header x-amz-checksum-crc32 $http_x_amz_checksum_crc32; add_header ETag $etag;
            add_header x-amz-checksum-crc64nvme $http_x_amz_checksum_crc64nvme;
            add_header x-amz-request-id 0123456789; return 200;
        }}
        location @part {{
            add_header x-amz-checksum-crc32 $http_x_amz_checksum_crc32; add_header ETag '"{_etag(block(PART))}"';
            add_header x-amz-checksum-crc64nvme $http_x_amz_checksum_crc64nvme;
            add_header x-amz-request-id 0123456789; return 200;
        }}
        location = /{BUCKET}/k {{
            error_page 418 = @put; if ($kind = put) {{ return 418; }}
            add_header ETag '"{_etag(small("k"))}"'; add_header Last-Modified "{MODIFIED}";
            add_header x-amz-request-id 0123456789;
            return 200 "{small("k").decode()}";
        }}
        location ~ ^/{BUCKET}/(big|crc)$ {{
            error_page 419 = @part;
            if ($kind = part) {{ return 419; }}
            if ($kind = create) {{ rewrite .* /created.xml last; }}
            if ($kind = complete) {{ rewrite .* /completed.xml last; }}
            proxy_pass http://unix:{root}/back.sock; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header If-Match "";
        }}
        location = /created.xml {{ internal; default_type application/xml; }}
        location = /completed.xml {{ internal; default_type application/xml; }}
        location ~ ^/{LISTED}/?$ {{ default_type application/xml; rewrite .* /pages/$page.xml break; }}
        error_page 405 =200 $uri;
    }}
    server {{
        listen unix:{root}/back.sock; root {root};
        location = /{BUCKET}/big {{
            add_header ETag '"{composite(size)}"'; add_header x-amz-mp-parts-count $parts;
            if ($arg_partNumber) {{ rewrite .* /part break; }} rewrite .* /big break;
        }}
        location = /{BUCKET}/crc {{
            add_header ETag '"{"0" * 32}-{size // PART}"'; add_header x-amz-checksum-crc32 $crc;
            add_header x-amz-checksum-type $type; rewrite .* /big break;
        }}
    }}
    map $http_range $crc {{ default ""; "" "{_crc(size)}"; }}
    map $http_range $type {{ default ""; "" FULL_OBJECT; }}
    map $arg_partNumber $parts {{ default ""; 1 {size // PART}; }}
}}""")
    return ["nginx", "-p", str(root), "-c", str(root / "nginx.conf")]


def _write_big(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for _ in range(size // PART):
            file.write(block(PART))


def _crc(size: int) -> str:
    value = 0
    for _ in range(size // PART):
        value = zlib.crc32(block(PART), value)
    return b64encode(value.to_bytes(4, "big")).decode()


# -- the asyncio server --------------------------------------------------------------------------------------------------

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding: *chunked")
_RANGE = re.compile(rb"(?i)\r\nrange: *bytes=(\d+)-(\d*)")
_SUM = re.compile(rb"(?i)\r\n(x-amz-checksum-crc(?:32|64nvme)): *([^\r]+)")
_EXPECT = re.compile(rb"(?i)\r\nexpect: *100")


class _Canned(asyncio.Protocol):
    """One connection: parses request heads, counts and discards bodies."""

    def __init__(self, answers: _Answers) -> None:
        self._answers = answers
        self._kept = b""
        self._left = 0
        self._pending: list[bytes | memoryview] | None = None
        self._chunked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self._left:
            taken = min(self._left, len(data))
            self._left -= taken
            data = data[taken:]
            if not self._left:
                self._answer()
        data = self._kept + data if self._kept else data
        while data and not self._left:
            if self._chunked:
                if not data.endswith(b"0\r\n\r\n") and b"\r\n0\r\n" not in data[-200:]:
                    self._kept = data[-200:]
                    return
                self._chunked, data = False, b""
                self._answer()
                break
            end = data.find(b"\r\n\r\n")
            if end < 0:
                break
            head, data = data[: end + 2], data[end + 4 :]
            self._pending = self._answers.to(head)
            if _EXPECT.search(head):
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if _CHUNKED.search(head):
                self._chunked = True
                continue
            found = _LENGTH.search(head)
            length = int(found[1]) if found else 0
            self._left = max(0, length - len(data))
            data = data[length:]
            if not self._left:
                self._answer()
        self._kept = data

    def _answer(self) -> None:
        if self._pending is not None:
            self._transport.writelines(self._pending)
            self._pending = None


class _Answers:
    """Return the response to a request head."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._block = memoryview(block(2 * PART))
        self._crc, self._composite, self._part = _crc(size), composite(size), _etag(block(PART))
        self._pages = [page(number) for number in range(PAGES)]
        self._small = {name: (small(name), _etag(small(name))) for name in SIZES}

    def to(self, head: bytes) -> list[bytes | memoryview]:
        method, target = head[: head.index(b"\r\n")].decode().split()[:2]
        path, _, query = target.partition("?")
        name = path.rpartition("/")[2]
        if path.startswith(f"/{LISTED}"):
            found = re.search("continuation-token=p([0-9]+)", query)
            return self._made(200, {}, self._pages[int(found[1]) if found else 0])
        if method == "POST":
            return self._made(200, {}, (CREATED if query.startswith("uploads") else completed(self._size)).encode())
        if method == "DELETE":
            return self._made(204, {}, b"")
        short = re.match("k|s[0-9]+", name)
        data, etag = self._small[short[0] if short else "k"]
        if method == "PUT":
            said = {"ETag": self._part if "partNumber=" in query else etag}
            if sent := _SUM.search(head):
                said["returned"] = f"{sent[1].decode()}: {sent[2].decode()}"
            return self._made(200, said, b"")
        if name not in ("big", "crc"):
            return self._made(200, {"ETag": etag}, data, method)
        headers = {"ETag": self._composite}
        if name == "crc":
            headers = {"ETag": f"{'0' * 32}-{self._size // PART}", "checksum": self._crc}
        if "partNumber=" in query:
            return self._made(200, {**headers, "parts": str(self._size // PART), "length": str(PART)}, b"", method)
        first, last, status = 0, self._size - 1, 200
        if found := _RANGE.search(head):
            first, status = int(found[1]), 206
            last = min(last, int(found[2])) if found[2] else last
            headers["range"] = f"bytes {first}-{last}/{self._size}"
            # A full-object checksum is returned only with the whole object.
            headers.pop("checksum", None)
        parts: list[bytes | memoryview] = []
        at = first
        while at <= last and method == "GET":
            start = at % PART
            parts.append(self._block[start : start + min(last + 1 - at, PART)])
            at += len(parts[-1])
        return [*self._made(status, {**headers, "length": str(last + 1 - first)}, b"", method), *parts]

    def _made(self, status: int, said: dict[str, str], body: bytes, method: str = "GET") -> list[bytes | memoryview]:
        lines = [f"HTTP/1.1 {status} OK", "x-amz-request-id: 0123456789", f"Last-Modified: {MODIFIED}"]
        lines.append(f"Content-Length: {said.get('length', len(body))}")
        names = {"range": "Content-Range", "checksum": "x-amz-checksum-crc32", "parts": "x-amz-mp-parts-count"}
        lines += [f"{wire}: {said[name]}" for name, wire in names.items() if name in said]
        if "checksum" in said:
            lines.append("x-amz-checksum-type: FULL_OBJECT")
        if "returned" in said:
            lines.append(said["returned"])
        if "ETag" in said:
            lines.append(f'ETag: "{said["ETag"]}"')
        return [("\r\n".join(lines) + "\r\n\r\n").encode() + (body if method != "HEAD" else b"")]


def _own(root: Path, port: int, size: int, ca: str | None) -> list[str]:
    return [sys.executable, __file__, json.dumps({"port": port, "size": size, "root": str(root), "tls": ca is not None})]


async def _serve(port: int, size: int, root: str, tls: bool) -> None:
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{root}/cert.pem", f"{root}/key.pem")
    answers = _Answers(size)
    served = await asyncio.get_running_loop().create_server(
        lambda: _Canned(answers), "127.0.0.1", port, ssl=context, backlog=1024
    )
    await served.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(**json.loads(sys.argv[1])))

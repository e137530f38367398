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
STREAM = 64 * MIB
SIZES = {"k": 1024, "s1": 1024, "s4": 4096, "s16": 16384, "s64": 65536, "s256": 262144}
PAGES, A_PAGE = 100, 1000
BUCKET, LISTED, PREFIX = "bench", "listed", "many/"
MODIFIED = "Fri, 20 Nov 2026 10:00:00 GMT"
XMLNS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
CHECKSUMS = ("crc32", "crc32c", "crc64nvme", "sha1", "sha256")


def block(size: int) -> bytes:
    """Bytes that repeat after 8 MiB."""
    one = Random(7).randbytes(min(size, PART))
    return one * (size // len(one)) + one[: size % len(one)] if size else b""


def small(name: str) -> bytes:
    """Return an object of a size named in `SIZES`; printable text, because nginx has it in its configuration."""
    return (b"0123456789abcdef" * (SIZES[name] // 16))[: SIZES[name]]


def _listing(bucket: str, entries: list[tuple[str, str, int]], following: str | None) -> bytes:
    """Return a page of a listing: key, ETag and size of each entry, and the token of the next page."""
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-20T10:00:00.000Z</LastModified>"
        f"<ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key, etag, size in entries
    )
    more = f"<NextContinuationToken>{following}</NextContinuationToken>" if following else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult {XMLNS}><Name>{bucket}</Name>'
        f"<Prefix>{PREFIX if bucket == BUCKET else ''}</Prefix>"
        f"<KeyCount>{len(entries)}</KeyCount><MaxKeys>{A_PAGE}</MaxKeys><EncodingType>url</EncodingType>"
        f"<IsTruncated>{'true' if following else 'false'}</IsTruncated>{more}{contents}</ListBucketResult>"
    ).encode()


def page(number: int) -> bytes:
    """Return a page of the listing."""
    entries = [
        (f"data/2026/11/{number:03}/object-{n:08}.bin", _etag(str(n).encode()), n * 37)
        for n in range(number * A_PAGE, (number + 1) * A_PAGE)
    ]
    return _listing(LISTED, entries, None if number == PAGES - 1 else f"p{number + 1}")


def many_pages(count: int) -> list[bytes]:
    """Return the listing of the directory: objects of 4 KiB below `PREFIX`."""
    etag, pages = _etag(small("s4")), []
    for first in range(0, max(count, 1), A_PAGE):
        entries = [(f"{PREFIX}s4-{n:06}", etag, SIZES["s4"]) for n in range(first, min(first + A_PAGE, count))]
        pages.append(_listing(BUCKET, entries, f"p{first // A_PAGE + 1}" if first + A_PAGE < count else None))
    return pages


BUCKETS = (
    f'<?xml version="1.0" encoding="UTF-8"?><ListAllMyBucketsResult {XMLNS}><Owner><ID>o</ID></Owner>'
    "<IsTruncated>false</IsTruncated><MaxKeys>1000</MaxKeys><Prefix/><Buckets>"
    + "".join(
        f"<Bucket><Name>{b}</Name><CreationDate>2026-11-20T10:00:00.000Z</CreationDate></Bucket>" for b in (BUCKET, LISTED)
    )
    + "</Buckets></ListAllMyBucketsResult>"
)
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


def _etag(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def crc32(size: int) -> str:
    value, data = 0, block(PART)
    for _ in range(size // PART):
        value = zlib.crc32(data, value)
    return b64encode(value.to_bytes(4, "big")).decode()


def crc64nvme(data: bytes, times: int = 1) -> str:
    """Return the CRC64NVME of repeated data; empty without awscrt, and then the responses have none."""
    try:
        from awscrt import checksums
    except ImportError:
        return ""
    value = 0
    for _ in range(times):
        value = checksums.crc64nvme(data, value)
    return b64encode(value.to_bytes(8, "big")).decode()


def crc64nvme_of(size: int) -> str:
    """Return the CRC64NVME of the large object; empty without awscrt."""
    return crc64nvme(block(PART), size // PART)


@dataclass(frozen=True)
class Large:
    """An object that repeats one block of 8 MiB."""

    size: int
    etag: str
    checksums: dict[str, str]
    """Full-object checksums, which the service returns if `x-amz-checksum-mode` is ENABLED and no range is requested."""

    @property
    def parts(self) -> int:
        """Number of its parts; 0 if it was put in one piece."""
        return self.size // PART if "-" in self.etag else 0


def large_objects(size: int) -> dict[str, Large]:
    """Return the large objects by key.

    The service computes a CRC64NVME of an object that was stored without a checksum, and keeps the CRC32 of one that was
    stored with it. Objects of services without checksums have an ETag alone.
    """
    found: dict[str, Large] = {}
    for prefix, length in (("", size), ("stream-", STREAM)):
        crc64, etag = crc64nvme_of(length), composite(length)
        found[prefix + "crc32"] = Large(length, etag, {"crc32": crc32(length)})
        found[prefix + "crc64"] = Large(length, etag, {"crc64nvme": crc64} if crc64 else {})
        found[prefix + "etag"] = Large(length, etag, {})
    # The object that uploads write: its HEAD has whichever checksum was sent.
    found["big"] = Large(size, composite(size), {**found["crc32"].checksums, **found["crc64"].checksums})
    md5, one = hashlib.md5(), block(PART)
    for _ in range(STREAM // PART):
        md5.update(one)
    found["stream-md5"] = Large(STREAM, md5.hexdigest(), {})
    return found


@dataclass(frozen=True)
class Server:
    """A running server."""

    kind: str
    endpoint: str
    pid: int
    ca: str | None
    source: str
    """A file with the content of the large object, to upload."""


@contextlib.contextmanager
def server(
    size: int, *, files: int = 1000, tls: bool = False, core: int | None = 1, kind: str | None = None
) -> Iterator[Server]:
    """Run a server until the end of the block.

    Args:
        size: Bytes of the large object, a multiple of 8 MiB.
        files: Objects of the directory.
        tls: Whether to use TLS, with a certificate of its own.
        core: Core to run on; None leaves it to the system.
        kind: `nginx` or `asyncio`; None is nginx if it is installed.
    """
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
        _write_big(root / "big", size)
        command = (_nginx if kind == "nginx" else _own)(root, port, size, files, ca)
        if core is not None and shutil.which("taskset"):
            command = ["taskset", "-c", str(core), *command]
        process = subprocess.Popen(command, stderr=(root / "stderr").open("wb"))
        try:
            _wait(port, process, root)
            yield Server(kind, f"{'https' if tls else 'http'}://127.0.0.1:{port}", process.pid, ca, str(root / "big"))
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


def _write_big(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for _ in range(size // PART):
            file.write(block(PART))


def _nginx(root: Path, port: int, size: int, files: int, ca: str | None) -> list[str]:
    for name in SIZES:
        (root / name).write_bytes(small(name))
    _write_big(root / "part", PART)
    _write_big(root / "stream", STREAM)
    for folder, pages in {LISTED: [page(n) for n in range(PAGES)], BUCKET: many_pages(files)}.items():
        (root / f"pages-{folder}").mkdir()
        for number, text in enumerate(pages):
            (root / f"pages-{folder}" / f"p{number}.xml").write_bytes(text)
    for name, text in {"buckets.xml": BUCKETS, "created.xml": CREATED, "completed.xml": completed(size)}.items():
        (root / name).write_text(text)
    large = large_objects(size)
    listen = f"127.0.0.1:{port}" + (" ssl" if ca else "")
    tls = f"ssl_certificate {root}/cert.pem; ssl_certificate_key {root}/key.pem; ssl_session_cache off;" if ca else ""
    etags = "".join(f'"{name}" "\\"{_etag(small(name))}\\""; ' for name in SIZES)
    # nginx leaves out headers with empty values.
    crcs = "".join(f'"{name}:ENABLED:" "{crc64nvme(small(name))}"; ' for name in SIZES)
    echo = "".join(f"add_header x-amz-checksum-{name} $http_x_amz_checksum_{name}; " for name in (*CHECKSUMS, "type"))
    objects = "".join(_nginx_object(name, one) for name, one in large.items())
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
    map "$name:$http_x_amz_checksum_mode:$http_range" $crc {{ default ""; {crcs} }}
    map $crc $type {{ default FULL_OBJECT; "" ""; }}
    map "$http_x_amz_checksum_mode:$http_range" $whole {{ default ""; "ENABLED:" FULL_OBJECT; }}
    map $args $page {{ default p0; "~continuation-token=(?<p>p[0-9]+)" $p; }}
    map $args $listed {{ default ""; ~list-type=2 1; }}
    map $arg_partNumber $first {{ default ""; 1 1; }}
    map "$request_method:$args" $kind {{ default object; ~^PUT:.*partNumber= part; ~^PUT: put; ~^POST:uploads create;
        ~^POST: complete; ~^DELETE: gone; }}
    server {{
        listen {listen}; {tls} root {root};
        location = / {{ default_type application/xml; rewrite .* /buckets.xml break; }}
        location ~ ^/{BUCKET}/?$ {{
            default_type application/xml; if ($listed) {{ rewrite .* /pages-{BUCKET}/$page.xml break; }} return 200;
        }}
        location /{BUCKET}/ {{
            add_header x-amz-request-id 0123456789 always; error_page 418 = @put; error_page 419 = @part;
            if ($kind = put) {{ return 418; }}
            if ($kind = part) {{ return 419; }}
            if ($kind = create) {{ rewrite .* /created.xml last; }}
            if ($kind = complete) {{ rewrite .* /completed.xml last; }}
            if ($kind = gone) {{ return 204; }}
            add_header ETag $etag; add_header Last-Modified "{MODIFIED}"; add_header x-amz-checksum-crc64nvme $crc;
            add_header x-amz-checksum-type $type;
            rewrite .* /$name break;
        }}
        location @put {{ {echo} add_header ETag $etag; add_header x-amz-request-id 0123456789; return 200; }}
        location @part {{
            {echo} add_header ETag '"{_etag(block(PART))}"'; add_header x-amz-request-id 0123456789; return 200;
        }}
        location = /{BUCKET}/k {{
            error_page 418 = @put; if ($kind = put) {{ return 418; }}
            add_header ETag '"{_etag(small("k"))}"'; add_header Last-Modified "{MODIFIED}";
            add_header x-amz-request-id 0123456789; add_header x-amz-checksum-crc64nvme $crc;
            add_header x-amz-checksum-type $type;
            return 200 "{small("k").decode()}";
        }}
        location ~ ^/{BUCKET}/({"|".join(large)})$ {{
            error_page 419 = @part;
            if ($kind = part) {{ return 419; }}
            if ($kind = create) {{ rewrite .* /created.xml last; }}
            if ($kind = complete) {{ rewrite .* /completed.xml last; }}
            proxy_pass http://unix:{root}/back.sock; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header If-Match "";
        }}
        location = /created.xml {{
            internal; default_type application/xml; add_header x-amz-checksum-algorithm $http_x_amz_checksum_algorithm;
            add_header x-amz-checksum-type $http_x_amz_checksum_type;
        }}
        location = /completed.xml {{ internal; default_type application/xml; }}
        location ~ ^/{LISTED}/?$ {{ default_type application/xml; rewrite .* /pages-{LISTED}/$page.xml break; }}
        error_page 405 =200 $uri;
    }}
    server {{ listen unix:{root}/back.sock; root {root}; {objects} }}
}}""")
    return ["nginx", "-p", str(root), "-c", str(root / "nginx.conf")]


def _nginx_object(name: str, one: Large) -> str:
    """Return the location of a large object, with maps for the headers that depend on the request."""
    file = "stream" if name.startswith("stream") else "big"
    headers, body = "", f"rewrite .* /{file} break;"
    for algorithm, value in one.checksums.items():
        headers += f'set ${algorithm}_{file} ""; if ($whole) {{ set ${algorithm}_{file} "{value}"; }} '
        body += f" add_header x-amz-checksum-{algorithm} ${algorithm}_{file};"
    if one.checksums:
        body += " add_header x-amz-checksum-type $whole;"
    if one.parts:
        headers += f'set $parts ""; if ($first) {{ set $parts {one.parts}; }} '
        body = f"add_header x-amz-mp-parts-count $parts; if ($first) {{ rewrite .* /part break; }} {body}"
    return f"""
        location = /{BUCKET}/{name} {{
            {headers} add_header ETag '"{one.etag}"'; add_header Last-Modified "{MODIFIED}"; {body}
        }}"""


# -- the asyncio server --------------------------------------------------------------------------------------------------

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding: *chunked")
_RANGE = re.compile(rb"(?i)\r\nrange: *bytes=(\d+)-(\d*)")
_EXPECT = re.compile(rb"(?i)\r\nexpect: *100")
_ENABLED = re.compile(rb"(?i)\r\nx-amz-checksum-mode: *ENABLED")


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

    def __init__(self, size: int, files: int) -> None:
        self._block = memoryview(block(2 * PART))
        self._large, self._part, self._completed = large_objects(size), _etag(block(PART)), completed(size)
        self._pages = {LISTED: [page(number) for number in range(PAGES)], BUCKET: many_pages(files)}
        self._small = {name: (small(name), _etag(small(name)), crc64nvme(small(name))) for name in SIZES}

    def to(self, head: bytes) -> list[bytes | memoryview]:
        method, target = head[: head.index(b"\r\n")].decode().split()[:2]
        path, _, query = target.partition("?")
        bucket, _, key = path.strip("/").partition("/")
        if not key:
            found = re.search("continuation-token=p([0-9]+)", query)
            listed = self._pages.get(bucket) if "list-type=2" in query else None
            return self._made(200, {}, listed[int(found[1]) if found else 0] if listed else BUCKETS.encode(), method)
        if method == "POST":
            echo = _headers(head, b"algorithm|type")
            return self._made(200, echo, (CREATED if query.startswith("uploads") else self._completed).encode())
        if method == "DELETE":
            return self._made(204, {}, b"")
        name = key.rpartition("/")[2]
        short = re.match("k|s[0-9]+", name)
        data, etag, crc = self._small[short[0] if short else "k"]
        if method == "PUT":
            echo = _headers(head, "|".join((*CHECKSUMS, "type")).encode())
            return self._made(200, {"ETag": f'"{self._part if "partNumber=" in query else etag}"', **echo}, b"")
        ranged = _RANGE.search(head)
        # A full-object checksum is returned only if it was asked for, and with the whole object.
        is_whole = ranged is None and _ENABLED.search(head) is not None
        if (one := self._large.get(key)) is None:
            sums = _full({"crc64nvme": crc}) if is_whole and crc else {}
            return self._made(200, {"ETag": f'"{etag}"', **sums}, data, method)
        headers = {"ETag": f'"{one.etag}"', **(_full(one.checksums) if is_whole and one.checksums else {})}
        if one.parts and "partNumber=1" in query:
            said = {**headers, "x-amz-mp-parts-count": str(one.parts), "Content-Length": str(PART)}
            return self._made(200, said, b"", method)
        first, last, status = 0, one.size - 1, 200
        if ranged:
            first, status = int(ranged[1]), 206
            last = min(last, int(ranged[2])) if ranged[2] else last
            headers["Content-Range"] = f"bytes {first}-{last}/{one.size}"
        parts: list[bytes | memoryview] = []
        at = first
        while at <= last and method == "GET":
            start = at % PART
            parts.append(self._block[start : start + min(last + 1 - at, PART)])
            at += len(parts[-1])
        return [*self._made(status, {**headers, "Content-Length": str(last + 1 - first)}, b"", method), *parts]

    def _made(self, status: int, said: dict[str, str], body: bytes, method: str = "GET") -> list[bytes | memoryview]:
        lines = [f"HTTP/1.1 {status} OK", "x-amz-request-id: 0123456789", f"Last-Modified: {MODIFIED}"]
        lines += [f"{name}: {value}" for name, value in {"Content-Length": str(len(body)), **said}.items()]
        return [("\r\n".join(lines) + "\r\n\r\n").encode() + (body if method != "HEAD" else b"")]


def _headers(head: bytes, names: bytes) -> dict[str, str]:
    """Return the checksum headers of a request, which its response repeats."""
    found = re.findall(rb"(?i)\r\n(x-amz-checksum-(?:" + names + rb")): *([^\r]+)", head)
    return {name.decode().lower(): value.decode() for name, value in found}


def _full(checksums: dict[str, str]) -> dict[str, str]:
    return {**{f"x-amz-checksum-{name}": value for name, value in checksums.items()}, "x-amz-checksum-type": "FULL_OBJECT"}


def _own(root: Path, port: int, size: int, files: int, ca: str | None) -> list[str]:
    told = {"port": port, "size": size, "files": files, "root": str(root), "tls": ca is not None}
    return [sys.executable, __file__, json.dumps(told)]


async def _serve(port: int, size: int, files: int, root: str, tls: bool) -> None:
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{root}/cert.pem", f"{root}/key.pem")
    answers = _Answers(size, files)
    served = await asyncio.get_running_loop().create_server(
        lambda: _Canned(answers), "127.0.0.1", port, ssl=context, backlog=1024
    )
    await served.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(**json.loads(sys.argv[1])))

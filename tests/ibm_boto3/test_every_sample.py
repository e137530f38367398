"""No sample of IBM's page is left out: each has a test, which has its number."""

from __future__ import annotations

import re
from pathlib import Path

# The samples and promises of the page by number; what is no call of a client (installing, languages, licence) is not here.
SAMPLES = {
    1: "beside boto3",
    2: "service resource",
    3: "low-level client",
    4: "an older auth endpoint",
    6: "credentials of a file",
    7: "HMAC keys in that file",
    8: "credentials of the environment",
    9: "an API key in the file of AWS",
    10: "the file of IBM wins",
    11: "HMAC keys in the file of AWS or the environment",
    13: "the location is one of the endpoint's",
    20: "create_bucket",
    21: "create_text_file",
    22: "get_buckets",
    23: "get_bucket_contents",
    24: "get_bucket_contents_v2",
    25: "get_item",
    26: "delete_item",
    27: "delete_items",
    28: "delete_bucket",
    29: "get_bucket_acl",
    30: "get_item_acl",
    31: "update_metadata_put",
    32: "update_metadata_copy",
    33: "put_bucket_website",
    40: "multi_part_upload",
    41: "multi_part_upload_manual",
    42: "upload_large_file",
    43: "upload_file_with_retention",
    44: "thresholds and chunk sizes",
    51: "create_bucket_kp",
    **dict.fromkeys(range(60, 73), "immutable storage"),
    **dict.fromkeys(range(80, 84), "archive"),
    **dict.fromkeys(range(110, 118), "Aspera"),
}


def test_every_sample_has_a_test() -> None:
    sources = "".join(path.read_text() for path in Path(__file__).parent.rglob("test_*.py"))
    named = re.findall(r"def test_sample_(\w+)", sources)
    tested = {int(number) for name in named for number in re.findall(r"(?:^|_and_)(\d+)", name)}
    assert {number: what for number, what in SAMPLES.items() if number not in tested} == {}

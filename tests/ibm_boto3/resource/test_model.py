"""Models of resources: names of attributes."""

from __future__ import annotations

from typing import Any

import ibm_boto3
from ibm_botocore import xform_name

from aiocos.ibm_boto3.resource.model import attribute_name

ARGUMENTS: dict[str, Any] = {
    "aws_access_key_id": "key",
    "aws_secret_access_key": "tests-secret-key",
    "endpoint_url": "http://127.0.0.1:1",
}


def test_attribute_names_follow_botocores_rule() -> None:
    service = ibm_boto3.client("s3", **ARGUMENTS).meta.service_model
    members = {member for name in service.shape_names for member in getattr(service.shape_for(name), "members", {})}
    assert len(members) > 250
    assert {member: attribute_name(member) for member in members} == {member: xform_name(member) for member in members}

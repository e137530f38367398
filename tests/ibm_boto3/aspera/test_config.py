"""Settings of Aspera transfers."""

from __future__ import annotations

import pytest

from aiocos.ibm_boto3.aspera import (
    AsperaConfig,
    AsperaManagerConfig,
)


def test_configurations():
    for wrong, message in (
        ({"multi_session_threshold_mb": 59}, "must be >= 60"),
        ({"multi_session_threshold_mb": "60"}, r"should be value of type \(int\)"),
        ({"multi_session": "some"}, r"multi_session should be value of type \(int\)"),
        ({"multi_session": True}, r"multi_session should be value of type \(int\)"),
        ({"multi_session": -1}, "multi_session must be >= 0"),
        ({"target_rate_mbps": 2.5}, r"target_rate_mbps should be value of type \(int\)"),
        ({"rate_policy": "slow"}, "rate_policy can be fixed, high, fair or low"),
        ({"lock_min_rate": 1}, r"lock_min_rate should be value of type \(bool\)"),
        ({"destination_root": "/x"}, "destination_root is not supported"),
    ):
        with pytest.raises(ValueError, match=message):
            AsperaConfig(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ascp_max_concurrent must be >= 1"):
        AsperaManagerConfig(ascp_max_concurrent=0)
    for sessions, number in ((None, 0), (3, 3), ("all", -1)):
        assert AsperaConfig(multi_session=sessions).multi_session == number  # type: ignore[arg-type]
    assert AsperaConfig(multi_session="all").is_multi_session_all
    assert AsperaConfig(multi_session_threshold_mb=60).threshold == 60_000_000

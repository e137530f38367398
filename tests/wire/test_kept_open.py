"""Answers that begin with white space, sent while a long copy or completion was under way."""

import pytest

from aiocos.errors import Throttled
from aiocos.operations.objects import CopyObjectResult
from aiocos.wire.bind import from_response
from aiocos.wire.message import Response


def test_a_result_behind_white_space_and_a_declaration():
    body = b'\n  \n<?xml version="1.0"?><CopyObjectResult><ETag>"x"</ETag></CopyObjectResult>'
    assert from_response(CopyObjectResult, Response(200, {}, body)).etag == '"x"'


def test_an_error_behind_white_space_and_a_declaration():
    body = b" \n" * 5000 + b'<?xml version="1.0"?><Error><Code>SlowDown</Code></Error>'
    with pytest.raises(Throttled):
        from_response(CopyObjectResult, Response(200, {}, body))

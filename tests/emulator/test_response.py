"""Responses: the headers of the service, and error documents."""

from .conftest import Raw


async def test_every_response_has_the_service_headers(raw: Raw) -> None:
    for response in (
        await raw.get("/"),
        await raw.get("/bucket/none"),
        await raw.head("/bucket/none"),
        await raw.delete("/bucket/none"),
    ):
        assert response.headers["X-Clv-Request-Id"] == response.headers["x-amz-request-id"]
        assert response.headers["X-Clv-S3-Version"] == "2.5"
        assert response.headers["Server"].startswith("Cleversafe/")
        assert "Date" in response.headers


async def test_the_elements_of_an_error_document(raw: Raw) -> None:
    response = await raw.get("/bucket/no/such%20key")
    assert response.status == 404
    assert response.headers["Content-Type"] == "application/xml"
    assert b"xmlns" not in response.body
    assert {e.tag: e.text for e in response.xml} == {
        "Code": "NoSuchKey",
        "Message": "The specified key does not exist.",
        "Resource": "/bucket/no/such key",
        "RequestId": response.headers["x-amz-request-id"],
        "httpStatusCode": "404",
    }
    head = await raw.head("/bucket/no/such%20key")
    assert (head.status, head.body) == (404, b"")
    odd = await raw.get("/bucket/%01")
    assert odd.code == "NoSuchKey"

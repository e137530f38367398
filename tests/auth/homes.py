"""Home directories with credentials, for the tests of the search for credentials."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

from aiocos.auth.base import Credentials
from aiocos.auth.chain import resolve

CRN = "crn:v1:bluemix:public:cloud-object-storage:global:a/1:2::"
IBM_ENV = {
    "IBM_API_KEY_ID": "env-key",
    "IBM_SERVICE_INSTANCE_ID": "env-crn",
    "IBM_AUTH_ENDPOINT": "https://iam.test/oidc/token",
}
AWS_ENV = {"AWS_ACCESS_KEY_ID": "env-id", "AWS_SECRET_ACCESS_KEY": "env-secret", "AWS_SESSION_TOKEN": "env-session"}
SERVICE = {
    "apikey": "file-key",
    "resource_instance_id": CRN,
    "endpoints": "https://control.cloud-object-storage.cloud.ibm.com/v2/endpoints",
    "iam_serviceid_crn": "crn:v1:other",
}
PAIR = {"access_key_id": "file-id", "secret_access_key": "file-secret"}


class Home:
    """A home directory and an environment for one test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environ: dict[str, str] = {}

    def write(self, name: str, content: object) -> Path:
        """Write bytes, text, or JSON into a file below the home directory."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, bytes):
            content = (content if isinstance(content, str) else json.dumps(content)).encode()
        path.write_bytes(content)
        return path

    def service(self, content: object, name: str = ".bluemix/cos_credentials") -> Path:
        """Write a service credential."""
        return self.write(name, json.dumps(content))

    def resolve(self, profile: str | None = None, **environ: str) -> Credentials:
        """Search for credentials here."""
        return resolve(environ={**self.environ, **environ}, home=self.path, profile=profile)


def fill_all_places(home: Home) -> None:
    """Write credentials into each place of the chain."""
    home.environ = {**IBM_ENV, **AWS_ENV}
    home.service(SERVICE)
    home.write(".aws/credentials", "[default]\naws_access_key_id = shared-id\naws_secret_access_key = shared-secret\n")
    home.write(".aws/config", "[default]\nibm_api_key_id = config-key\nibm_service_instance_id = config-crn\n")


def assert_hides_secret(error: BaseException) -> None:
    """Check that the secret is neither in the traceback nor in an attribute of an exception in the chain."""
    assert "s3cr3t" not in "".join(traceback.format_exception(error))
    carried: BaseException | None = error
    while carried is not None:
        assert "s3cr3t" not in f"{carried!r} {vars(carried)}"
        carried = carried.__cause__ or carried.__context__

"""Standard input and output as source and target, and `cat`."""

import os

from tests.cli.shell import Shell


def test_upload_from_and_download_to_a_pipe(shell: Shell, bucket: str):
    data = os.urandom(3_000_000)
    assert shell.run_process("cp", "-", f"cos://{bucket}/piped", stdin=data).returncode == 0
    assert shell.run_process("cat", f"cos://{bucket}/piped").stdout == data
    assert shell.run_process("cp", f"cos://{bucket}/piped", "-").stdout == data
    assert shell.run_process("cat", "--range", "5-9", f"cos://{bucket}/piped").stdout == data[5:10]
    assert shell.run_process("cat", "--range=-4", f"cos://{bucket}/piped").stdout == data[-4:]

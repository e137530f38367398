"""`set_stream_logger` of the ibm_boto3 interface."""

import logging
from collections.abc import Iterator

import pytest

from aiocos import ibm_boto3


@pytest.fixture
def name() -> Iterator[str]:
    """The name of a logger, whose handlers and level are taken back."""
    logger = logging.getLogger("aiocos.test_stream_logger")
    yield logger.name
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


def test_records_from_the_level_on_go_to_standard_error(name: str, capsys: pytest.CaptureFixture[str]):
    ibm_boto3.set_stream_logger(name, logging.WARNING)
    logging.getLogger(name).info("not shown")
    logging.getLogger(f"{name}.part").warning("shown")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"{name}.part [WARNING] shown")


def test_the_format_can_be_chosen(name: str, capsys: pytest.CaptureFixture[str]):
    ibm_boto3.set_stream_logger(name, format_string="%(levelname)s|%(message)s")
    logging.getLogger(name).debug("shown")
    assert capsys.readouterr().err == "DEBUG|shown\n"


def test_without_a_name_it_is_the_logger_of_the_library():
    logger = logging.getLogger("aiocos")
    before, level = list(logger.handlers), logger.level
    try:
        ibm_boto3.set_stream_logger()
        (added,) = [handler for handler in logger.handlers if handler not in before]
        assert (added.level, logger.level) == (logging.DEBUG, logging.DEBUG)
    finally:
        logger.handlers[:] = before
        logger.setLevel(level)

"""Methods made from operations: what inspectors, `help()`, `functools.wraps` and warnings see of them."""

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import pydoc
import sys
import typing
import warnings
from typing import Any

import pytest

import aiocos
from aiocos.describe import field_texts
from aiocos.groups import Objects, Service
from aiocos.object_stream import ObjectStream
from aiocos.operations.objects import PutObject, PutObjectResult
from aiocos.paging import Listing
from aiocos.transfer import TransferHandle, UploadResult
from aiocos.wire.method import BoundMethod, Group, Method


@pytest.fixture
def cos() -> aiocos.Client:
    return aiocos.Client("http://localhost:1", access_key_id="key", secret_access_key="secret")


def _groups() -> list[type[Group[Any]]]:
    groups = [kind for kind in typing.get_type_hints(Service).values() if issubclass(kind, Group)]
    return [*groups, aiocos.Client]


METHODS = [(group, name) for group in _groups() for base in group.__mro__ for name in vars(base) if name[0] != "_"]
METHODS = [(group, name) for group, name in METHODS if isinstance(inspect.getattr_static(group, name), Method)]


@pytest.mark.parametrize(("group", "name"), METHODS, ids=lambda value: value if isinstance(value, str) else value.__name__)
def test_every_method_has_a_plain_signature_and_a_text(cos: aiocos.Client, group: type[Any], name: str):
    groups = [getattr(cos, noun) for noun in inspect.get_annotations(Service)]
    holder = cos if group is aiocos.Client else next(g for g in groups if type(g) is group)
    bound, unbound = getattr(holder, name), getattr(group, name)
    signature = inspect.signature(bound)
    assert list(inspect.signature(unbound).parameters) == ["self", *signature.parameters]
    assert inspect.signature(unbound).return_annotation == signature.return_annotation
    assert signature.return_annotation not in (inspect.Signature.empty, Any, None, typing.TypeVar)
    for form in (str(signature), str(signature.return_annotation)):
        assert not any(word in form for word in ("Annotated", "Header(", "Query(", "~", "Coroutine"))
    for method in (bound, unbound):
        assert inspect.isroutine(method)
        assert method.__name__ == name
        assert (inspect.getdoc(method) or "").strip()
    assert bound.__doc__ == unbound.__doc__
    assert "timeout:" in bound.__doc__ or group is aiocos.Client
    assert name in pydoc.render_doc(bound, renderer=pydoc.plaintext)


def test_results_in_signatures(cos: aiocos.Client):
    def result(method: Any) -> Any:
        return inspect.signature(method).return_annotation

    assert result(cos.objects.put) is PutObjectResult
    assert result(cos.objects.get) is ObjectStream
    assert result(cos.objects.read) is bytes
    assert result(cos.objects.exists) is bool
    assert typing.get_origin(result(cos.objects.list)) is Listing
    assert result(cos.upload) is UploadResult
    assert result(cos.start_upload) == TransferHandle[UploadResult]


@pytest.mark.parametrize("name", ["upload", "download", "copy", "upload_directory", "download_directory", "sync"])
def test_the_stated_results_of_transfers_are_those_of_the_work(name: str):
    plain, started = (inspect.getattr_static(aiocos.Client, f"{prefix}{name}") for prefix in ("", "start_"))
    work = plain._run.__self__._function
    assert plain.result == typing.get_type_hints(work)["return"]
    assert started.result == TransferHandle[plain.result]


def test_help_shows_the_operation_and_its_parameters(cos: aiocos.Client):
    text = pydoc.render_doc(cos.objects.put, renderer=pydoc.plaintext)
    first, _, rest = text.partition("Args:")
    assert str(PutObject.__doc__).partition("\n")[0] in first
    assert f"content_type: {field_texts(PutObject)['content_type'][:40]}" in rest
    # A literal under the method goes before the docstring of an operation that several methods share.
    assert "as a stream" in str(cos.objects.get.__doc__)
    assert "into memory" in str(cos.objects.read.__doc__)


def test_the_source_of_a_method_is_that_of_its_operation(cos: aiocos.Client):
    for method in (cos.objects.put, Objects.put):
        assert "class PutObject(" in inspect.getsource(method)  # type: ignore[arg-type]


def test_an_unbound_method_can_be_called_with_a_group():
    class Echo:
        def call(self, operation: Any) -> Any:
            return operation

    made: Any = Objects.put(Objects(Echo()), "b", "k", b"x")  # type: ignore[arg-type]
    assert (made.bucket, made.key, made.data) == ("b", "k", b"x")


def test_copies_pickles_and_wrappers(cos: aiocos.Client):
    put = cos.objects.put
    assert cos.objects.put is put
    assert copy.copy(put) is put
    assert copy.deepcopy(put) is put
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(put)
    assert pickle.loads(pickle.dumps(cos)).objects.put is not put

    @functools.wraps(put)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return put(*args, **kwargs)

    assert (wrapper.__name__, wrapper.__doc__) == ("put", put.__doc__)
    assert inspect.signature(wrapper) == inspect.signature(put)
    assert repr(put) == "<method objects.put>"

    class Holder:
        method = put

    assert Holder().method is put


def test_coroutine_methods_are_seen_as_such(cos: aiocos.Client):
    marked = sys.version_info >= (3, 12)  # earlier versions know functions alone
    assert inspect.iscoroutinefunction(cos.objects.put) == marked
    assert inspect.iscoroutinefunction(cos.upload) == marked
    assert not inspect.iscoroutinefunction(cos.objects.get)
    assert not inspect.iscoroutinefunction(cos.start_upload)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda cos: cos.objects.put("b", "k"), "objects.put"),
        (lambda cos: cos.legal_holds.add("b", "k", "h"), "legal_holds.add"),
        (lambda cos: cos.objects.put("b", "k", timeout=1.0), "objects.put"),
        (lambda cos: cos.buckets.exists("b"), "buckets.exists"),
        (lambda cos: cos.upload("b", "k", b""), "Client.upload"),
        (lambda cos: cos.sync("here", "cos://b/k"), "Client.sync"),
        (lambda cos: cos.objects.delete_many("b", []), "Objects.delete_many"),
    ],
)
async def test_a_forgotten_await_is_named(cos: aiocos.Client, call: Any, name: str):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(cos)
        gc.collect()
        await asyncio.sleep(0)
    assert [str(w.message) for w in caught if w.category is RuntimeWarning] == [f"coroutine '{name}' was never awaited"]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda cos: cos.objects.put("b", "k", contenttype="text/plain"),
            "objects.put() got an unexpected keyword argument 'contenttype'. Did you mean 'content_type'?",
        ),
        (lambda cos: cos.objects.get("b", "k", xyzzy=1), "objects.get() got an unexpected keyword argument 'xyzzy'"),
        (lambda cos: cos.objects.put("b"), "objects.put() missing 1 required positional argument: 'key'"),
        (
            lambda cos: cos.objects.list("b", "d/"),
            "objects.list() takes 2 positional arguments but 3 were given. Pass the parameters after 'bucket' by name",
        ),
        (
            lambda cos: cos.buckets.list("b"),
            "buckets.list() takes 1 positional argument but 2 were given. Pass all parameters by name",
        ),
        (
            lambda cos: cos.download("b", "k", "file", xyzzy=1),
            "Client.download() got an unexpected keyword argument 'xyzzy'",
        ),
        (
            lambda cos: Objects.put(cos.objects, "b", "k", contenttype="x"),
            "objects.put() got an unexpected keyword argument 'contenttype'. Did you mean 'content_type'?",
        ),
    ],
)
def test_an_error_about_the_arguments_names_the_method(cos: aiocos.Client, call: Any, text: str):
    with pytest.raises(TypeError) as caught:
        call(cos)
    assert str(caught.value) == text


def test_other_errors_of_the_arguments_are_left_alone(cos: aiocos.Client):
    def refuse(*args: Any) -> Any:
        raise TypeError("why")

    with pytest.raises(TypeError, match=r"^why$"):
        BoundMethod(Objects.__dict__["list"], refuse, print)()


@pytest.mark.parametrize("name", ["list", "list_v1", "list_versions"])
def test_help_says_how_to_read_a_listing(cos: aiocos.Client, name: str):
    text = str(getattr(cos.objects, name).__doc__)
    assert Listing.usage in text.partition("Args:")[0]
    assert Listing.usage not in str(cos.objects.head.__doc__)


def test_help_is_headed_by_a_method(cos: aiocos.Client):
    for method in (cos.objects.put, cos.objects.get):
        heading = pydoc.render_doc(method, "Help on %s:", renderer=pydoc.plaintext).partition("\n")[0]
        assert heading == "Help on method in module aiocos.groups.objects:"

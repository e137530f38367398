"""Wrong uses of the typed client, each of which pyright and mypy refuse. Nothing here is run.

A wrong use carries a comment that both checkers read. If one of them stops refusing the line, the comment is unnecessary for
it, and that is an error of its own: `warn_unused_ignores` of mypy (part of `--strict`), `reportUnnecessaryTypeIgnoreComment` of
pyright.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=error

from datetime import timedelta

from aiocos import Client


async def calls(cos: Client) -> None:
    """Parameters: their names, their types, those that are required, those that are keywords."""
    await cos.objects.put("b")  # type: ignore[call-arg]
    await cos.objects.put("b", "k", b"x", "text/plain")  # type: ignore[call-arg]
    await cos.objects.put("b", "k", b"x", contenttype="text/plain")  # type: ignore[call-arg]
    await cos.objects.put("b", "k", "text")  # type: ignore[arg-type]
    await cos.objects.put("b", "k", b"x", metadata={"n": 1})  # type: ignore[dict-item]
    await cos.objects.put("b", "k", b"x", expires=timedelta(days=1))  # type: ignore[arg-type]
    await cos.objects.put("b", "k", b"x", object_lock_mode="governance")  # type: ignore[arg-type]
    await cos.objects.read("b", "k", range=(0, 9))  # type: ignore[arg-type]
    await cos.objects.copy("b", "k", "b/from")  # type: ignore[arg-type]
    await cos.objects.list("b", max_keys="10")  # type: ignore[arg-type]
    await cos.upload("b", "k", b"x", part_size="8M")  # type: ignore[arg-type]


async def names(cos: Client) -> None:
    """Names of groups, methods, fields."""
    await cos.object.put("b", "k", b"x")  # type: ignore[attr-defined]
    await cos.objects.puts("b", "k", b"x")  # type: ignore[attr-defined]
    print((await cos.objects.head("b", "k")).sizes)  # type: ignore[attr-defined]
    print((await cos.buckets.list()).buckets)  # type: ignore[attr-defined]


async def awaiting(cos: Client) -> None:
    """What is awaited, and what is iterated."""
    await cos.objects.get("b", "k")  # type: ignore[misc]
    print(cos.objects.head("b", "k").size)  # type: ignore[attr-defined]
    print([entry.key for entry in cos.objects.list("b")])  # type: ignore[attr-defined]
    print(len(cos.buckets.list()))  # type: ignore[arg-type]

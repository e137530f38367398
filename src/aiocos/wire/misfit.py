"""Values that do not fit a document, in words of this library: pydantic's message has several lines and a link."""

from pydantic import ValidationError

# Of pydantic's messages, those that come up; what is not here is given as pydantic words it, which is one line as well.
_TOLD = {
    "missing": "is missing",
    "string_type": "is a text",
    "int_type": "is a whole number",
    "int_parsing": "is a whole number",
    "bool_type": "is true or false",
    "bool_parsing": "is true or false",
    "datetime_type": "is a time",
    "datetime_parsing": "is a time",
    "datetime_from_date_parsing": "is a time",
    "list_type": "is a list",
    "dict_type": "is a dictionary",
    "extra_forbidden": "is no field of this document",
}


def told(error: ValidationError) -> str:
    """Say in one line what the first thing is that does not fit, and where."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(p) for p in first["loc"]) or "document"
    kind, value = first["type"], first.get("input")
    if kind == "literal_error":
        what = f"is {first.get('ctx', {}).get('expected', 'another value')}"
    elif kind in ("model_type", "model_attributes_type"):
        what = f"is a {first.get('ctx', {}).get('class_name', 'document')}"
    else:
        what = _TOLD.get(kind) or first["msg"].removeprefix("Value error, ")
    shown = "" if kind == "missing" or not isinstance(value, str | int | float) else f", not {str(value)[:80]!r}"
    return f"{place}: {what}{shown}"

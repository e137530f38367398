"""One-line messages for values that do not fit a document.

pydantic's own messages have several lines and a link.
"""

from pydantic import ValidationError

# Messages by pydantic's type of error. Other types have pydantic's text about the value, which has one line as well.
_MESSAGES = {
    "missing": "is missing",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "datetime_type": "must be a time",
    "datetime_parsing": "must be a time",
    "datetime_from_date_parsing": "must be a time",
    "list_type": "must be a list",
    "dict_type": "must be a dictionary",
    "extra_forbidden": "is not a field of this document",
}


def describe_validation_error(error: ValidationError) -> str:
    """Describe the first value that does not fit, in one line.

    The line has the field, the requirement and the value.
    """
    first = error.errors(include_url=False)[0]
    field = ".".join(str(p) for p in first["loc"]) or "document"
    kind, value = first["type"], first.get("input")
    if kind == "literal_error":
        what = f"must be {first.get('ctx', {}).get('expected', 'another value')}"
    elif kind in ("model_type", "model_attributes_type"):
        what = f"must be a {first.get('ctx', {}).get('class_name', 'document')}"
    else:
        what = _MESSAGES.get(kind) or first["msg"].removeprefix("Value error, ")
    if kind in ("missing", "extra_forbidden") or not isinstance(value, str | int | float):
        shown = ""
    else:
        shown = f", not {value[:80]!r}" if isinstance(value, str) else f", not {repr(value)[:80]}"
    return f"{field}: {what}{shown}"

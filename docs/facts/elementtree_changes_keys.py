"""Show that ElementTree writes some keys wrongly and others unreadably: the reason why wire/document.py has its own writer."""

from xml.etree import ElementTree


def round_trip(key: str) -> str:
    """Write a key with ElementTree and read it back."""
    element = ElementTree.Element("Key")
    element.text = key
    try:
        return repr(ElementTree.fromstring(ElementTree.tostring(element)).text)
    except ElementTree.ParseError as error:
        return f"unreadable: {error}"


if __name__ == "__main__":
    for key in ("a b", "a&b", "a\rb", "a\r\nb", "a\x01b"):
        print(f"{key!r:12} comes back as {round_trip(key)}")

"""Reading XML that somebody else wrote."""

from pathlib import Path
from xml.etree import ElementTree

from playahead.io.errors import InputError
from playahead.sources.opened import read_source


def read_xml(path: Path) -> ElementTree.Element:
    """The root of an XML file, in any encoding that it declares; nothing outside the file is opened.

    Raises:
        InputError: missing, no ordinary file, too large, truncated, or not XML.
    """
    try:
        return ElementTree.fromstring(read_source(path))
    except (ElementTree.ParseError, LookupError, ValueError) as reason:  # also an encoding that Python does not know
        raise InputError(path, f"not XML: {reason}", "is the file cut short?") from None

"""The bytes of a MusicXML file, out of its ``.mxl`` archive if it is in one.

References
----------
MusicXML 4.0, compressed files: ``META-INF/container.xml`` names the score.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from composer.errors import ScoreError

#: Bytes of a file, unpacked, that are read: the longest operas have a fifth of that.
MOST_BYTES = 256_000_000


def content_of(path: Path) -> bytes:
    """Return the bytes of the score, out of the archive if it is in one."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ScoreError(f"it has {size:,} bytes, more than {MOST_BYTES:,}")
    content = path.read_bytes()
    if not content.startswith(b"PK"):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        inner = ""
        if "META-INF/container.xml" in names:
            found = ElementTree.fromstring(_unpacked(archive, "META-INF/container.xml"))
            roots = [e.get("full-path", "") for e in found.iter() if e.tag.endswith("rootfile")]
            inner = next(iter(roots), "")
        scores = [n for n in names if n.endswith(("xml", "musicxml")) and "META-INF" not in n]
        if inner not in names and not scores:
            raise ScoreError("the archive has no score in it")
        return _unpacked(archive, inner if inner in names else scores[0])


def _unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        content = member.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ScoreError(f"it unpacks to more than {MOST_BYTES:,} bytes")
    return content

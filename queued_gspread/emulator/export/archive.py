"""Zip archives whose bytes depend on nothing but their content."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)


def zipped(files: Mapping[str, bytes], stored: frozenset[str] = frozenset()) -> bytes:
    """Return an archive of files in the order given, deflated but for those in `stored`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return content.getvalue()

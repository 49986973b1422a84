"""Pictures of pictures: small ones made here, turned upright, without what the camera wrote beside them.

Only the five common formats are read, each by its own reader. The size stands in the head of a file, so one
that would fill the memory is left before it is unpacked.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from tabwright.runtime.filing.kinds import PICTURES

if TYPE_CHECKING:
    from PIL.Image import Image

SIZES: Mapping[str, int] = {"thumb": 160, "preview": 1280}  # pixels of the longer side
MEDIA: Final = "image/webp"
MOST_PIXELS: Final = 25_000_000  # unpacked at once: 100 MB
_unpacking = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Pictures:
    """A picture's size and its small ones by name of the size; none where it cannot be shown."""

    width: int = 0
    height: int = 0
    made: Mapping[str, bytes] | None = None


def make(content: BinaryIO, media: str) -> Pictures:
    """The pictures of a file, from its start. What is broken, or too large to unpack, gives none."""
    formats = PICTURES.get(media)
    if formats is None:
        return Pictures()
    from PIL import Image, ImageOps

    content.seek(0)
    with _unpacking:
        try:
            Image.MAX_IMAGE_PIXELS = None  # our own limit stands below, after what a JPEG can leave out
            with Image.open(content, formats=formats) as image:
                width, height = image.size
                image.draft("RGB", (SIZES["preview"], SIZES["preview"]))
                if image.size[0] * image.size[1] > MOST_PIXELS or min(width, height) < 1:
                    return Pictures(width, height)
                upright = ImageOps.exif_transpose(image)
                clean = _colours(upright)
                made = {}
                for name, most in SIZES.items():
                    small = clean.copy()
                    small.thumbnail((most, most))
                    packed = io.BytesIO()
                    small.save(packed, "WEBP", quality=80, exif=b"", xmp=b"", icc_profile=b"")
                    made[name] = packed.getvalue()
                if upright.size[0] * height != upright.size[1] * width:
                    width, height = height, width
                return Pictures(width, height, made)
        except (
            OSError,
            ValueError,
            SyntaxError,
            ArithmeticError,
            MemoryError,
            EOFError,
            TypeError,
            KeyError,
            IndexError,
        ):
            return Pictures()  # Pillow's readers raise any of these over broken files


def _colours(image: Image) -> Image:
    """In the two forms that WebP has."""
    if image.mode in ("RGB", "RGBA"):
        return image
    clear = image.mode in ("LA", "PA", "La") or "transparency" in image.info
    return image.convert("RGBA" if clear else "RGB")

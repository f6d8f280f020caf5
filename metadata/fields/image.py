"""image: an uploaded picture."""

from __future__ import annotations

from metadata.fields.base import register
from metadata.fields.file import LIMITS, Attached


@register
class Image(Attached):
    name = "image"
    label = {"zh": "图片", "en": "Image"}
    help = {"zh": "上传的图片,例如标志、照片", "en": "An uploaded picture, such as a logo or a photo"}
    widget = "image"
    properties = {"max_size": LIMITS["max_size"]}

"""file: an attachment; a link to the platform entity `file`, readable through the record that holds it."""

from __future__ import annotations

from metadata.fields.base import register
from metadata.fields.link import Linking

LIMITS = {
    "max_size": {"type": "integer", "minimum": 1, "description": "Greatest size in bytes"},
    "accept": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Accepted content types such as `application/pdf` or `image/*`; by default all safe ones",
    },
}


class Attached(Linking):
    """What the types that hold one uploaded file share."""

    target = "file"
    groupable = False
    sortable = False
    operators = ("is None", "is not None")
    properties = LIMITS


@register
class File(Attached):
    name = "file"
    label = {"zh": "附件", "en": "File"}
    help = {"zh": "上传的文件", "en": "An uploaded file"}
    widget = "file"

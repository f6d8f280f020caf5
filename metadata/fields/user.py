"""user: a person who uses the site; a link to the platform entity `user`."""

from __future__ import annotations

from metadata.fields.base import register
from metadata.fields.link import ON_DELETE, TARGET, Linking


@register
class User(Linking):
    name = "user"
    label = {"zh": "用户", "en": "User"}
    help = {"zh": "系统中的一个人,例如负责人", "en": "A person of this site, such as the owner"}
    widget = "user"
    target = "user"
    properties = {"where": TARGET["where"], **ON_DELETE}

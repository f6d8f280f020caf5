"""The field types, one file each; importing this package makes them all known to `field_type`."""

from metadata.fields import (
    boolean,
    currency,
    date,
    datetime,
    decimal,
    email,
    file,
    grade,
    image,
    integer,
    json,
    lines,
    link,
    links,
    long_text,
    lookup,
    money,
    multi_select,
    percent,
    phone,
    rating,
    related,
    score,
    secret,
    select,
    text,
    time,
    url,
    user,
)
from metadata.fields.base import Coercion, FieldType, Rejection, field_type, field_types

TYPE_MODULES = (
    boolean, currency, date, datetime, decimal, email, file, grade, image, integer, json, lines, link, links, long_text,
    lookup, money, multi_select, percent, phone, rating, related, score, secret, select, text, time, url, user,
)  # fmt: skip

__all__ = ["TYPE_MODULES", "Coercion", "FieldType", "Rejection", "field_type", "field_types"]

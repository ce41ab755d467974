"""Says what CPython makes of JSON documents.

Reads one document per line, in hexadecimal, from standard input. Answers one line for each: `ok`, the canonical text
in hexadecimal and its SHA-256, or `refused` and a category.
"""

import hashlib
import json
import sys

DEPTH = 992


class Refused(Exception):
    pass


def refuse_constant(name):
    raise Refused("non_finite_literal")


def read_float(text):
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Refused("number_overflow")
    return value


def read_int(text):
    try:
        return int(text)
    except ValueError:
        raise Refused("integer_too_long") from None


def read_object(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused("duplicate_key")
    return members


def depth(text):
    """Counts how deep brackets lie inside each other, strings left out."""
    deepest = level = 0
    in_string = is_escaped = False
    for character in text:
        if is_escaped:
            is_escaped = False
        elif in_string:
            is_escaped = character == "\\"
            in_string = character != '"'
        elif character == '"':
            in_string = True
        elif character in "[{":
            level += 1
            deepest = max(deepest, level)
        elif character in "]}":
            level -= 1
    return deepest


def canonical(document):
    try:
        text = document.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("invalid_utf8") from None
    if text.startswith("\ufeff"):
        raise Refused("byte_order_mark")
    if depth(text) > DEPTH:
        raise Refused("too_deep")
    try:
        value = json.loads(
            text,
            parse_constant=refuse_constant,
            parse_float=read_float,
            parse_int=read_int,
            object_pairs_hook=read_object,
        )
    except json.JSONDecodeError:
        raise Refused("syntax") from None
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return written.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused("lone_surrogate") from None


def main():
    sys.setrecursionlimit(10 * DEPTH)
    for line in sys.stdin:
        try:
            written = canonical(bytes.fromhex(line.strip()))
            print("ok", written.hex(), hashlib.sha256(written).hexdigest())
        except Refused as refusal:
            print("refused", refusal)


main()

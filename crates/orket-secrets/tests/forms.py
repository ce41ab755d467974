"""Writes forms.json: secrets in the forms that the scrubber must find, as Python's own encoders make them.

    python3 forms.py >forms.json
"""

import base64
import json
import urllib.parse

SECRETS = {
    "shortest": "q7Rf-x2K",
    "marks": 'aZ"9\\kL/3+w=%&? <>\'$x',
    "numbers": "8675309417",
    "unicode": "Pär–wörd☂2041😀",
    "lines": "first line of it\nsecond line of it\n",
    "long": "kP8s" * 40 + "!",
}


def every_percent(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


def forms(secret):
    data = secret.encode()
    plain_json = json.dumps(secret, ensure_ascii=False)[1:-1]
    yield "plain", secret
    yield "reversed", secret[::-1]
    yield "hex", data.hex()
    yield "hex in capitals", data.hex().upper()
    yield "percent", urllib.parse.quote(secret, safe="")
    yield "percent, slashes left", urllib.parse.quote(secret)
    yield "percent in small letters", urllib.parse.quote(secret, safe="").lower() if secret.islower() else every_percent(secret)
    yield "percent of every byte", every_percent(secret).upper()
    yield "percent of percent", urllib.parse.quote(urllib.parse.quote(secret, safe=""), safe="")
    yield "form", urllib.parse.quote_plus(secret)
    yield "json", plain_json
    yield "json with slashes escaped", plain_json.replace("/", "\\/")
    yield "json in ascii", json.dumps(secret)[1:-1]
    yield "json with numbers", "".join(
        f"\\u{int.from_bytes(unit, 'big'):04X}"
        for unit in (lambda b: [b[i : i + 2] for i in range(0, len(b), 2)])(secret.encode("utf-16-be"))
    )
    yield "json in json", json.dumps(json.dumps(secret))[1:-1].removeprefix('\\"').removesuffix('\\"')
    yield "reversed in json", json.dumps(secret[::-1])[1:-1]
    yield "percent in json", json.dumps(urllib.parse.quote(secret, safe=""))[1:-1]
    for before in range(3):
        whole = b"~" * before + data + b"~~~"
        yield f"base64 behind {before}", base64.b64encode(whole).decode()
        yield f"base64 for addresses behind {before}", base64.urlsafe_b64encode(whole).decode()
        yield f"base64 in lines behind {before}", base64.encodebytes(b"~" * (50 + before) + data + b"~~~").decode()
        yield f"base64 in percent behind {before}", urllib.parse.quote(base64.b64encode(whole).decode(), safe="")
        yield f"base64 in lines in json behind {before}", json.dumps(
            base64.encodebytes(b"~" * (50 + before) + data + b"~~~").decode()
        )[1:-1]
    yield "hex in lines", "\n".join(data.hex()[at : at + 60] for at in range(0, len(data.hex()), 60))


print(
    json.dumps(
        [
            {"name": name, "secret": secret, "forms": [{"form": form, "text": text} for form, text in forms(secret)]}
            for name, secret in SECRETS.items()
        ],
        indent=1,
        ensure_ascii=True,
    )
)

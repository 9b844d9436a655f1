"""Makes certificates with asyncssh, and tells what it reads in others: paths as JSON in argv[1], JSON on stdout."""

import json
import sys

import asyncssh

options = json.loads(sys.argv[1])
authority = asyncssh.read_private_key(options["authority"])


def make(key, path):
    certificate = authority.generate_user_certificate(
        asyncssh.read_public_key(key),
        "from asyncssh",
        serial=7,
        principals=["alice", "bob"],
        valid_after=1000,
        valid_before=4000000000,
        force_command="date -u",
        source_address=["10.0.0.0/8"],
        permit_x11_forwarding=False,
    )
    certificate.write_certificate(path)


def read(path):
    certificate = asyncssh.read_certificate(path)
    certificate.validate(asyncssh.public_key.CERT_TYPE_USER, "alice")
    return {
        "principals": certificate.principals,
        "forceCommand": certificate.options.get("force-command"),
        "pty": certificate.options.get("permit-pty", False),
        "x11": certificate.options.get("permit-X11-forwarding", False),
        "authority": certificate.signing_key.get_fingerprint(),
    }


for one in options["make"]:
    make(one["key"], one["certificate"])
print(json.dumps([read(path) for path in options["read"]]))

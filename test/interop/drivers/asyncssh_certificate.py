"""Makes a certificate with asyncssh, or tells what it reads in one. Options: JSON in argv[1]."""

import json
import sys

import asyncssh

options = json.loads(sys.argv[1])

if options["action"] == "make":
    authority = asyncssh.read_private_key(options["authority"])
    key = asyncssh.read_public_key(options["key"])
    certificate = authority.generate_user_certificate(
        key,
        "from asyncssh",
        serial=7,
        principals=["alice", "bob"],
        valid_after=1000,
        valid_before=4000000000,
        force_command="date -u",
        source_address=["10.0.0.0/8"],
        permit_x11_forwarding=False,
    )
    certificate.write_certificate(options["certificate"])
else:
    certificate = asyncssh.read_certificate(options["certificate"])
    certificate.validate(asyncssh.public_key.CERT_TYPE_USER, "alice")
    print(
        json.dumps(
            {
                "principals": certificate.principals,
                "forceCommand": certificate.options.get("force-command"),
                "pty": certificate.options.get("permit-pty", False),
                "x11": certificate.options.get("permit-X11-forwarding", False),
                "authority": certificate.signing_key.get_fingerprint(),
            }
        )
    )

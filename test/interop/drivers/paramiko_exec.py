"""Runs one command with paramiko: stdin to the command, its output and exit status to ours.

The only argument is a JSON object: port, user, knownHosts, command and optionally password, key, answers, rekeyBytes,
compression.
"""

import json
import os
import shutil
import sys
import threading

import paramiko


class Interactive:
    """Answers keyboard-interactive prompts with the given answers, in order."""

    def __init__(self, answers):
        self.answers = iter(answers)

    def __call__(self, title, instructions, prompts):
        return [next(self.answers) for _ in prompts]


def connect(options):
    host = "[127.0.0.1]:%d" % options["port"]
    known = paramiko.HostKeys(options["knownHosts"])
    transport = paramiko.Transport(("127.0.0.1", options["port"]))
    transport.use_compression(options.get("compression", False))
    if "rekeyBytes" in options:
        transport.packetizer.REKEY_BYTES = options["rekeyBytes"]
    transport.start_client(timeout=20)
    key = transport.get_remote_server_key()
    if not known.check(host, key):
        raise SystemExit("host key of type %s is not the known one" % key.get_name())
    authenticate(transport, options)
    return transport


def authenticate(transport, options):
    user = options["user"]
    remaining = None
    if "key" in options:
        remaining = transport.auth_publickey(user, load_key(options["key"]))
    if "answers" in options:
        remaining = transport.auth_interactive(user, Interactive(options["answers"]))
    elif "password" in options:
        remaining = transport.auth_password(user, options["password"])
    if remaining:
        raise SystemExit("still to authenticate: " + ",".join(remaining))


def load_key(path):
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key_file(path)
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise SystemExit("paramiko reads no key in " + path)


def send(channel):
    # Not through sys.stdin, whose lock Python wants at its end and would abort without.
    while data := os.read(sys.stdin.fileno(), 65536):
        channel.sendall(data)
    channel.shutdown_write()


def main():
    options = json.loads(sys.argv[1])
    transport = connect(options)
    if transport.get_banner():
        sys.stderr.write(transport.get_banner().decode())
    channel = transport.open_session()
    channel.exec_command(options["command"])
    pumps = [
        threading.Thread(target=send, args=(channel,), daemon=True),
        threading.Thread(target=shutil.copyfileobj, args=(channel.makefile("rb"), sys.stdout.buffer)),
        threading.Thread(target=shutil.copyfileobj, args=(channel.makefile_stderr("rb"), sys.stderr.buffer)),
    ]
    for pump in pumps:
        pump.start()
    for pump in pumps[1:]:
        pump.join()
    status = channel.recv_exit_status()
    channel.close()
    transport.close()
    sys.exit(status if status >= 0 else 255)


main()

"""Runs one command with AsyncSSH: stdin to the command, its output and exit status to ours.

The only argument is a JSON object: port, user, knownHosts, command and optionally password, newPassword, key, answers,
rekeyBytes, compression, signal (sent once the command has put out its first bytes).
"""

import asyncio
import json
import sys

import asyncssh


class Client(asyncssh.SSHClient):
    def __init__(self, options):
        self.answers = iter(options.get("answers", ()))
        self.passwords = (options.get("password"), options.get("newPassword"))

    def auth_banner_received(self, message, language):
        sys.stderr.write(message)

    def kbdint_auth_requested(self):
        return ""

    def kbdint_challenge_received(self, name, instructions, language, prompts):
        return [next(self.answers) for _ in prompts]

    def password_change_requested(self, prompt, language):
        sys.stderr.write(prompt + "\n")
        return self.passwords


async def send(process):
    loop = asyncio.get_running_loop()
    while data := await loop.run_in_executor(None, sys.stdin.buffer.read1, 65536):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.write_eof()


async def receive(reader, output, seen):
    while data := await reader.read(65536):
        output.write(data)
        output.flush()
        seen.set()


async def main():
    options = json.loads(sys.argv[1])
    extra = {}
    if "rekeyBytes" in options:
        extra["rekey_bytes"] = options["rekeyBytes"]
    if options.get("compression"):
        extra["compression_algs"] = ["zlib@openssh.com"]
    async with asyncssh.connect(
        "127.0.0.1",
        options["port"],
        username=options["user"],
        password=options.get("password"),
        client_keys=[options["key"]] if "key" in options else None,
        known_hosts=options["knownHosts"],
        client_factory=lambda: Client(options),
        config=None,
        agent_path=None,
        **extra,
    ) as connection:
        process = await connection.create_process(options["command"], encoding=None)
        seen = asyncio.Event()
        pumps = [
            receive(process.stdout, sys.stdout.buffer, seen),
            receive(process.stderr, sys.stderr.buffer, asyncio.Event()),
        ]
        sender = asyncio.create_task(send(process))
        receivers = asyncio.gather(*pumps)
        if "signal" in options:
            await seen.wait()
            process.send_signal(options["signal"])
        await receivers
        await process.wait_closed()
        sender.cancel()
        if process.exit_signal:
            name, core_dumped, message, _ = process.exit_signal
            sys.stderr.write("exit-signal %s (%s)\n" % (name, message))
            return 255
        return process.exit_status


sys.exit(asyncio.run(main()))

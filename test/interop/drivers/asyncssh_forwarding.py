"""Forwards with AsyncSSH what it is asked to: README.md beside this file tells what that is, and how it answers."""

import asyncio
import os
import sys

import asyncssh

HERE = "127.0.0.1"


class Requests:
    def __init__(self, connection):
        self.connection = connection
        self.listeners = {}

    async def connect(self, host, port, source, got):
        await exchange(await self.connection.open_connection(host, int(port), encoding=None), source, got)

    async def connect_socket(self, path, source, got):
        await exchange(await self.connection.open_unix_connection(path, encoding=None), source, got)

    async def forward(self, host, port):
        return (await self.connection.forward_local_port(HERE, 0, host, int(port))).get_port()

    async def forward_socket(self, path, listening):
        await self.connection.forward_local_path(listening, path)

    async def socks(self):
        return (await self.connection.forward_socks(HERE, 0)).get_port()

    async def listen(self, address, port, target):
        host, target_port = target.split(":")
        listener = await self.connection.forward_remote_port(address, int(port), host, int(target_port))
        self.listeners[address, str(listener.get_port())] = listener
        return listener.get_port()

    async def cancel(self, address, port):
        await close(self.listeners.pop((address, port)))

    async def listen_socket(self, path, target):
        self.listeners[path] = await self.connection.forward_remote_path(path, target)

    async def cancel_socket(self, path):
        await close(self.listeners.pop(path))

    async def session(self):
        options = {"x11_forwarding": True, "x11_display": os.environ["DISPLAY"]}
        return (await self.connection.run("use", stdin=asyncssh.DEVNULL, **options)).stdout


async def exchange(streams, source, got):
    reader, writer = streams
    with open(source, "rb") as file:
        writer.write(file.read())
    writer.write_eof()
    with open(got, "wb") as file:
        file.write(await reader.read())
    writer.close()


async def close(listener):
    listener.close()
    await listener.wait_closed()


async def main():
    port, user, known_hosts, password = sys.argv[1:]
    async with asyncssh.connect(
        HERE,
        int(port),
        username=user,
        password=password,
        client_keys=None,
        known_hosts=known_hosts,
        config=None,
        agent_path=os.environ["SSH_AUTH_SOCK"],
        agent_forwarding=True,
    ) as connection:
        requests = Requests(connection)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            name, *words = line.rstrip("\n").split("\t")
            try:
                value = await getattr(requests, name.replace("-", "_"))(*words)
                answer = "done\t%s" % ("" if value is None else value)
            except (asyncssh.Error, asyncssh.ChannelListenError) as error:
                answer = "error\t%s" % error
            print(answer, flush=True)


asyncio.run(main())

"""Carries out operations with Twisted Conch, one after the other over one connection.

README.md beside this file tells what it is given and what it puts out.
"""

import json
import os
import sys

from twisted.conch.client.knownhosts import KnownHostsFile
from twisted.conch.ssh import channel, common, connection, filetransfer, keys, transport, userauth
from twisted.internet import defer, protocol, reactor
from twisted.python.filepath import FilePath

CHUNK = 32768


class Authentication(userauth.SSHUserAuthClient):
    preferredOrder = [b"publickey", b"password"]

    def __init__(self, login, service):
        super().__init__(login["user"].encode(), service)
        self.password = login.get("password")
        self.key = keys.Key.fromFile(login["key"]) if "key" in login else None

    def getPassword(self, prompt=None):
        password, self.password = self.password, None
        return defer.succeed(password.encode()) if password else None

    def getPublicKey(self):
        key, self.key_offered = self.key, self.key
        self.key = None
        return key.public() if key else None

    def getPrivateKey(self):
        return defer.succeed(self.key_offered)


class Connection(connection.SSHConnection):
    def __init__(self, ready):
        super().__init__()
        self.ready = ready

    def serviceStarted(self):
        super().serviceStarted()
        self.ready.callback(self)


class Transport(transport.SSHClientTransport):
    def verifyHostKey(self, key, fingerprint):
        known = KnownHostsFile.fromPath(FilePath(self.factory.login["knownHosts"]))
        host = ("[127.0.0.1]:%d" % self.factory.login["port"]).encode()
        if known.hasHostKey(host, keys.Key.fromString(key)):
            return defer.succeed(True)
        return defer.fail(ValueError("host key is not the known one"))

    # Called after each key exchange, so that Conch asks for the service again after re-keying, as its own client does.
    def connectionSecure(self):
        self.requestService(Authentication(self.factory.login, Connection(self.factory.ready)))

    def receiveError(self, code, description):
        sys.stderr.write("%d: %s\n" % (code, description.decode()))

    def connectionLost(self, reason):
        super().connectionLost(reason)
        failed(reason)


class Command(channel.SSHChannel):
    name = b"session"

    def __init__(self, command, input):
        super().__init__()
        self.command, self.input = command.encode(), input.encode()
        self.result = {"status": None, "stdout": b"", "stderr": b""}
        self.done = defer.Deferred()

    def channelOpen(self, data):
        request = self.conn.sendRequest(self, b"exec", common.NS(self.command), wantReply=True)
        request.addCallbacks(self.send, self.done.errback)

    def send(self, _):
        self.write(self.input)
        self.conn.sendEOF(self)

    def dataReceived(self, data):
        self.result["stdout"] += data

    def extReceived(self, kind, data):
        self.result["stderr"] += data

    def request_exit_status(self, data):
        self.result["status"] = int.from_bytes(data, "big")

    def closed(self):
        text = {name: value.decode() if isinstance(value, bytes) else value for name, value in self.result.items()}
        self.done.callback(text)


class FileTransfer(channel.SSHChannel):
    name = b"session"

    def __init__(self):
        super().__init__()
        self.ready = defer.Deferred()

    def channelOpen(self, data):
        request = self.conn.sendRequest(self, b"subsystem", common.NS(b"sftp"), wantReply=True)
        request.addCallbacks(self.start, self.ready.errback)

    def start(self, _):
        self.client = filetransfer.FileTransferClient()
        self.client.makeConnection(self)
        self.dataReceived = self.client.dataReceived
        self.ready.callback(self.client)


class Operations:
    def __init__(self, conn):
        self.conn = conn
        self.client = None

    async def exec(self, command, input):
        running = Command(command, input)
        self.conn.openChannel(running)
        return await running.done

    async def files(self):
        if self.client is None:
            opened = FileTransfer()
            self.conn.openChannel(opened)
            self.client = await opened.ready
        return self.client

    async def put(self, local, remote):
        flags = filetransfer.FXF_WRITE | filetransfer.FXF_CREAT | filetransfer.FXF_TRUNC
        file = await (await self.files()).openFile(remote.encode(), flags, {})
        with open(local, "rb") as source:
            content = source.read()
        positions = range(0, len(content), CHUNK)
        await defer.gatherResults([file.writeChunk(at, content[at : at + CHUNK]) for at in positions])
        await file.close()

    async def get(self, remote, local):
        file = await (await self.files()).openFile(remote.encode(), filetransfer.FXF_READ, {})
        size = (await file.getAttrs())["size"]
        chunks = await defer.gatherResults([file.readChunk(at, CHUNK) for at in range(0, size, CHUNK)])
        await file.close()
        with open(local, "wb") as target:
            target.write(b"".join(chunks))

    async def append(self, path, text):
        flags = filetransfer.FXF_WRITE | filetransfer.FXF_APPEND
        file = await (await self.files()).openFile(path.encode(), flags, {})
        await file.writeChunk(0, text.encode())
        await file.close()

    async def list(self, path):
        directory = await (await self.files()).openDirectory(path.encode())
        names = []
        try:
            while True:
                names += [name.decode() for name, _, _ in await directory.read()]
        except EOFError:
            await directory.close()
        return sorted(name for name in names if name not in (".", ".."))

    async def symlink(self, target, path):
        # It calls the first of the two the path, but sends them as they come: to OpenSSH the first is the target.
        await (await self.files()).makeLink(target.encode(), path.encode())

    async def readlink(self, path):
        return await (await self.files()).readLink(path.encode())

    async def mkdir(self, path):
        await (await self.files()).makeDirectory(path.encode(), {})

    async def rename(self, path, new):
        await (await self.files()).renameFile(path.encode(), new.encode())

    async def remove(self, path):
        await (await self.files()).removeFile(path.encode())


async def carry_out(operations, name, parameters):
    try:
        return {"value": await getattr(operations, name)(*parameters)}
    except filetransfer.SFTPError as error:
        return {"error": error.message}


async def main(login):
    factory = protocol.ClientFactory()
    factory.protocol, factory.login, factory.ready = Transport, login, defer.Deferred()
    reactor.connectTCP("127.0.0.1", login["port"], factory)
    operations = Operations(await factory.ready)
    outcomes = [await carry_out(operations, name, parameters) for name, *parameters in json.load(sys.stdin)]
    json.dump(outcomes, sys.stdout)


def end(code):
    sys.stdout.flush()
    os._exit(code)


def failed(failure):
    sys.stderr.write(failure.getErrorMessage() + "\n")
    end(254)


defer.ensureDeferred(main(json.loads(sys.argv[1]))).addCallbacks(lambda _: end(0), failed)
reactor.run()

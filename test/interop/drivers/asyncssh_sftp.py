"""Carries out SFTP operations with AsyncSSH, one after the other over one session.

The only argument is a JSON object: port, user, password. Stdin is a JSON array of operations, each an array of a name
and what it takes; stdout is an array of what each gave, as {"value": ...} or {"error": ...}.
"""

import asyncio
import json
import stat
import sys

import asyncssh


class Operations:
    def __init__(self, sftp):
        self.sftp = sftp
        for name in ("mkdir", "rmdir", "remove", "rename", "posix_rename", "readlink", "chmod", "chown", "truncate"):
            setattr(self, name, getattr(sftp, name))
        self.put, self.get, self.realpath = sftp.put, sftp.get, sftp.realpath
        self.hardlink, self.symlink = sftp.link, sftp.symlink

    async def list(self, path):
        return sorted(name for name in await self.sftp.listdir(path) if name not in (".", ".."))

    async def stat(self, path):
        return describe(await self.sftp.stat(path))

    async def lstat(self, path):
        return describe(await self.sftp.lstat(path))

    async def utime(self, path, accessed, modified):
        await self.sftp.utime(path, (accessed, modified))

    async def read(self, path, position, length):
        async with self.sftp.open(path, "rb") as file:
            return (await file.read(length, position)).decode()

    async def write(self, path, position, text):
        async with self.sftp.open(path, "r+b") as file:
            await file.write(text.encode(), position)

    async def append(self, path, text):
        async with self.sftp.open(path, "ab") as file:
            await file.write(text.encode())

    async def create_exclusively(self, path):
        async with self.sftp.open(path, "xb"):
            pass

    async def statvfs(self, path):
        found = await self.sftp.statvfs(path)
        return {"blockSize": found.frsize, "blocks": found.blocks, "nameLength": found.namemax}

    # Paths as bytes, so that names need not be UTF-8.
    async def put_tree(self, local, remote):
        await self.sftp.put(local.encode(), remote.encode(), recurse=True, preserve=True)

    async def get_tree(self, remote, local):
        await self.sftp.get(remote.encode(), local.encode(), recurse=True, preserve=True)


def describe(attributes):
    return {
        "type": stat.filemode(attributes.permissions)[0],
        "permissions": stat.S_IMODE(attributes.permissions),
        "size": attributes.size,
        "uid": attributes.uid,
        "accessed": attributes.atime,
        "modified": attributes.mtime,
    }


async def carry_out(operations, name, parameters):
    try:
        value = await getattr(operations, name)(*parameters)
        return {"value": value if isinstance(value, (str, list, dict)) else None}
    except (OSError, asyncssh.SFTPError) as error:
        return {"error": str(error)}


async def main():
    login = json.loads(sys.argv[1])
    async with asyncssh.connect(
        "127.0.0.1",
        login["port"],
        username=login["user"],
        password=login["password"],
        client_keys=None,
        known_hosts=None,
        config=None,
        agent_path=None,
    ) as connection:
        async with connection.start_sftp_client() as sftp:
            operations = Operations(sftp)
            return [await carry_out(operations, name, parameters) for name, *parameters in json.load(sys.stdin)]


json.dump(asyncio.run(main()), sys.stdout)

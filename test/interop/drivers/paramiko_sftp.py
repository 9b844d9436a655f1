"""Carries out SFTP operations with paramiko, one after the other over one session.

The only argument is a JSON object: port, user, password. Stdin is a JSON array of operations, each an array of a name
and what it takes; stdout is an array of what each gave, as {"value": ...} or {"error": ...}.
"""

import json
import stat
import sys

import paramiko


class Operations:
    def __init__(self, sftp):
        self.sftp = sftp
        for name in ("mkdir", "rmdir", "remove", "rename", "posix_rename", "symlink", "readlink", "chmod", "chown"):
            setattr(self, name, getattr(sftp, name))
        self.put, self.get, self.truncate = sftp.put, sftp.get, sftp.truncate
        self.realpath = sftp.normalize

    def list(self, path):
        return sorted(self.sftp.listdir(path))

    def stat(self, path):
        return describe(self.sftp.stat(path))

    def lstat(self, path):
        return describe(self.sftp.lstat(path))

    def utime(self, path, accessed, modified):
        self.sftp.utime(path, (accessed, modified))

    def read(self, path, position, length):
        with self.sftp.open(path, "rb") as file:
            file.seek(position)
            return file.read(length).decode()

    def write(self, path, position, text):
        with self.sftp.open(path, "r+b") as file:
            file.seek(position)
            file.write(text)

    def append(self, path, text):
        with self.sftp.open(path, "ab") as file:
            file.write(text)

    def create_exclusively(self, path):
        self.sftp.open(path, "xb").close()


def describe(attributes):
    return {
        "type": stat.filemode(attributes.st_mode)[0],
        "permissions": stat.S_IMODE(attributes.st_mode),
        "size": attributes.st_size,
        "uid": attributes.st_uid,
        "accessed": attributes.st_atime,
        "modified": attributes.st_mtime,
    }


def carry_out(operations, name, parameters):
    try:
        value = getattr(operations, name)(*parameters)
        return {"value": value if isinstance(value, (str, list, dict)) else None}
    except (OSError, paramiko.SSHException) as error:
        return {"error": str(error)}


def main():
    login = json.loads(sys.argv[1])
    transport = paramiko.Transport(("127.0.0.1", login["port"]))
    transport.connect(username=login["user"], password=login["password"])
    operations = Operations(paramiko.SFTPClient.from_transport(transport))
    results = [carry_out(operations, name, parameters) for name, *parameters in json.load(sys.stdin)]
    transport.close()
    json.dump(results, sys.stdout)


main()

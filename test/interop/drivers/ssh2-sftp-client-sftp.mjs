// Carries out SFTP operations with the ssh2-sftp-client package, one after the other over one session.
// The only argument is a JSON object: port, user, password. Stdin is a JSON array of operations, each an array of a name
// and what it takes; stdout is an array of what each gave, as {"value": ...} or {"error": ...}.
import { json, text } from "node:stream/consumers";
import Client from "ssh2-sftp-client";

const { port, user, password } = JSON.parse(process.argv[2]);
const client = new Client();
await client.connect({ host: "127.0.0.1", port, username: user, password });
// Its small requests, one after the other, wait for Nagle's algorithm otherwise: it has no option for it.
client.client.setNoDelay(true);

function describe({ isDirectory, isSymbolicLink, mode, size, uid, accessTime, modifyTime }) {
  const type = isDirectory ? "d" : isSymbolicLink ? "l" : "-";
  const seconds = (milliseconds) => milliseconds / 1000;
  return {
    type,
    permissions: mode & 0o7777,
    size,
    uid,
    accessed: seconds(accessTime),
    modified: seconds(modifyTime),
  };
}

const operations = {
  realpath: (path) => client.realPath(path),
  list: async (path) => (await client.list(path)).map(({ name }) => name).sort(),
  stat: async (path) => describe(await client.stat(path)),
  lstat: async (path) => describe(await client.lstat(path)),
  put: (local, remote) => client.put(local, remote),
  get: (remote, local) => client.get(remote, local),
  fastPut: (local, remote) => client.fastPut(local, remote),
  fastGet: (remote, local) => client.fastGet(remote, local),
  mkdir: (path) => client.mkdir(path),
  mkdirs: (path) => client.mkdir(path, true),
  rmdir: (path) => client.rmdir(path),
  rmdirs: (path) => client.rmdir(path, true),
  remove: (path) => client.delete(path),
  rename: (from, to) => client.rename(from, to),
  posix_rename: (from, to) => client.posixRename(from, to),
  chmod: (path, mode) => client.chmod(path, mode),
  append: (path, data) => client.append(Buffer.from(data), path),
  read: (path, start, length) => text(client.createReadStream(path, { start, end: start + length - 1 })),
  put_tree: (local, remote) => client.uploadDir(local, remote),
  get_tree: (remote, local) => client.downloadDir(remote, local),
};

const results = [];
for (const [name, ...parameters] of await json(process.stdin)) {
  try {
    const value = await operations[name](...parameters);
    results.push({ value: value ?? null });
  } catch (error) {
    results.push({ error: error.message });
  }
}
// It has "got" a file before it has written it and before CLOSE is answered. If the session ends before that, it throws away
// what it has not written.
await client.realPath(".");
await client.end();
process.stdout.write(JSON.stringify(results));

// Carries out SFTP operations with the ssh2 package, one after the other over one session.
// The only argument is a JSON object: port, user, password. Stdin is a JSON array of operations, each an array of a name
// and what it takes; stdout is an array of what each gave, as {"value": ...} or {"error": ..., "status": ...}.
import { once } from "node:events";
import { json } from "node:stream/consumers";
import { promisify } from "node:util";
import ssh2 from "ssh2";

const { port, user, password } = JSON.parse(process.argv[2]);
const client = new ssh2.Client().connect({ host: "127.0.0.1", port, username: user, password });
await once(client, "ready");
// Without it, each request waits 40 ms for the acknowledgement of the one before.
client.setNoDelay(true);
const sftp = await promisify(client.sftp).call(client);
const call = (method, ...parameters) => promisify(sftp[method]).call(sftp, ...parameters);

async function withFile(path, flags, use) {
  const handle = await call("open", path, flags);
  try {
    return await use(handle);
  } finally {
    await call("close", handle);
  }
}

function describe(attributes) {
  const letters = { isFile: "-", isDirectory: "d", isSymbolicLink: "l" };
  const [type] = Object.keys(letters).filter((is) => attributes[is]());
  const { mode, size, uid, atime, mtime } = attributes;
  return { type: letters[type], permissions: mode & 0o7777, size, uid, accessed: atime, modified: mtime };
}

const operations = {
  realpath: (path) => call("realpath", path),
  list: async (path) => (await call("readdir", path)).map(({ filename }) => filename).sort(),
  listLong: async (path) => (await call("readdir", path)).map(({ longname }) => longname).sort(),
  stat: async (path) => describe(await call("stat", path)),
  lstat: async (path) => describe(await call("lstat", path)),
  put: (local, remote) => call("fastPut", local, remote),
  get: (remote, local) => call("fastGet", remote, local),
  remove: (path) => call("unlink", path),
  posix_rename: (from, to) => call("ext_openssh_rename", from, to),
  hardlink: (existing, path) => call("ext_openssh_hardlink", existing, path),
  symlink: (target, path) => call("symlink", target, path),
  utime: (path, accessed, modified) => call("utimes", path, accessed, modified),
  truncate: (path, size) => call("setstat", path, { size }),
  statvfs: async (path) => {
    const { f_frsize: blockSize, f_blocks: blocks, f_namemax: nameLength } = await call("ext_openssh_statvfs", path);
    return { blockSize, blocks, nameLength };
  },
  read: (path, position, length) =>
    withFile(path, "r", async (handle) => {
      const buffer = Buffer.alloc(length);
      const bytes = await call("read", handle, buffer, 0, length, position);
      return buffer.toString("utf8", 0, bytes);
    }),
  write: (path, position, text) =>
    withFile(path, "r+", (handle) => call("write", handle, Buffer.from(text), 0, Buffer.byteLength(text), position)),
  append: (path, text) => call("appendFile", path, text),
  create_exclusively: (path) => withFile(path, "wx", () => {}),
  open: (path, flags) => withFile(path, flags, () => {}),
};
for (const name of ["mkdir", "rmdir", "rename", "readlink", "chmod", "chown", "opendir"]) {
  operations[name] = (...parameters) => call(name, ...parameters);
}

const results = [];
for (const [name, ...parameters] of await json(process.stdin)) {
  try {
    const value = await operations[name](...parameters);
    results.push({ value: value === undefined || Buffer.isBuffer(value) ? null : value });
  } catch (error) {
    results.push({ error: error.message, status: error.code });
  }
}
client.end();
process.stdout.write(JSON.stringify(results));

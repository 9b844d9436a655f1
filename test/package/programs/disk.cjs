// Needs files and addresses that are not there, or are: what the system says of them are errors of Node.js's own modules.
const assert = require("node:assert/strict");
const { mkdtempSync, readFileSync, rmSync, statSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { authorizedKeys, createServer, homes } = require("spindlex");
const { atomicUploads, COMPLETED, FileError, LocalFileSystem, sweepUploads } = require("spindlex/sftp");

const text = Buffer.from("hello");

async function putTwice(files) {
  for (const _ of [1, 2]) {
    const handle = await files.open("/new.txt", { write: true, create: true, truncate: true });
    await handle.write(text, 0);
    await handle.close(COMPLETED);
  }
}

exports.disk = async () => {
  const folder = mkdtempSync(join(tmpdir(), "spindlex-disk-"));
  const lines = [];
  const log = (fields, message) => lines.push({ message, ...fields });
  const logger = { trace: log, debug: log, info: log, warn: log, error: log, fatal: log, child: () => logger };
  const server = createServer({
    hostKey: join(folder, "host_key"),
    authentication: { publicKey: authorizedKeys({ file: join(folder, "keys/%u") }) },
    sftp: homes({ root: folder, atomicUploads: true }),
    session: () => 0,
    logger,
  });
  try {
    await server.listen([{ port: 0, host: "127.0.0.1" }, { path: join(folder, "socket") }]);
    assert.ok(statSync(join(folder, "host_key")).isFile());
    assert.ok(statSync(join(folder, "socket")).isSocket());
    const other = createServer({ hostKey: join(folder, "host_key"), session: () => 0, logger });
    await assert.rejects(other.listen(server.port), { name: "ConfigurationError", message: /in use/ });
    const missing = createServer({ hostKey: join(folder, "nothing/host_key"), session: () => 0, logger });
    await assert.rejects(missing.listen(0), { name: "ConfigurationError", message: /is not there: make it/ });

    const files = atomicUploads(new LocalFileSystem(folder), { user: "ann" });
    await putTwice(files);
    assert.deepEqual(readFileSync(join(folder, "new.txt")), text);
    await files.mkdir("/inbox", 0o755);
    await files.rename("/new.txt", "/inbox/old.txt");
    await assert.rejects(
      async () => files.remove("/new.txt"),
      (error) => error.code === "ENOENT",
    );
    await files.remove("/inbox/old.txt");
    await files.rmdir("/inbox");
    await sweepUploads(new LocalFileSystem(folder), { keepSeconds: 1 });
    assert.ok(new FileError("ENOENT") instanceof Error);
    for (const line of lines) assert.doesNotMatch(JSON.stringify(line), /undefined|unknown error/);
  } finally {
    await server.close({ grace: 0 });
    rmSync(folder, { recursive: true });
  }
};

if (require.main === module) exports.disk().then(() => console.log("the disk is served"));

import { execFileSync } from "node:child_process";
import { pbkdf2 } from "node:crypto";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { rename, symlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ChannelOpenError } from "../../../src/connection/channel-open-error.js";
import { connectSocket } from "../../../src/forwarding/stream-local/connect-socket.js";
import { holdFile } from "../../../src/forwarding/stream-local/held-file.js";
import {
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_FAILED_CONNECT_FAILED,
} from "../../../src/protocol/constants.js";
import { temporaryFolder } from "../../support/tools.js";
import { openIn, received } from "../listening-client.js";

const derive = promisify(pbkdf2);
const parent = temporaryFolder();
const [root, outside] = [join(parent, "root"), join(parent, "outside")];
const servers: Server[] = [];

/** A server that says who it is. */
async function serve(path: string, name: string): Promise<void> {
  const server = createServer((socket) => socket.on("error", () => {}).end(name));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
}

beforeAll(async () => {
  for (const folder of [root, outside, join(root, "sub")]) mkdirSync(folder);
  await serve(join(root, "sub", "socket"), "inside");
  await serve(join(outside, "socket"), "outside");
  symlinkSync(join(outside, "socket"), join(root, "out"));
  symlinkSync(outside, join(root, "folder-out"));
  symlinkSync("sub/socket", join(root, "in"));
  symlinkSync("loop", join(root, "loop"));
  writeFileSync(join(root, "file"), "");
  execFileSync("mkfifo", [join(root, "fifo")]);
});
afterAll(() => {
  for (const server of servers) server.close();
});

const { signal } = new AbortController();
const connecting = (path: string, roots: readonly string[] = [root]) => connectSocket(path, { roots, signal });

async function refusal(connection: Promise<unknown>): Promise<ChannelOpenError> {
  const error = await connection.then(() => undefined).catch((reason: unknown) => reason);
  if (error instanceof ChannelOpenError) return error;
  throw new Error(`not refused: ${error}`);
}

describe("connectSocket", () => {
  it.each(["sub/socket", "in", "/sub//socket"])("reaches %s in the root", async (name) => {
    const socket = await connecting(`${root}/${name}`);
    expect(`${await received(socket)}`).toBe("inside");
    expect(socket.allowHalfOpen).toBe(true);
    socket.end();
  });

  it.each([
    ["a socket outside", join(outside, "socket")],
    ["a link to one", join(root, "out")],
    ["a link to its folder", join(root, "folder-out", "socket")],
    ["a path that leads up", `${root}/sub/../sub/socket`],
    ["a relative path", "socket"],
    ["no path", ""],
    ["a NUL", `${root}/sub/socket\0`],
    ["a socket that has no file", "\0abstract"],
    ["64 KiB", `${root}/${"a".repeat(65_536)}`],
    ["a folder that begins like the root", `${root}s/socket`],
  ])("is prohibited from %s", async (_, path) => {
    const { reason, description } = await refusal(connecting(path));
    expect([reason, description]).toEqual([OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, "administratively prohibited"]);
  });

  it.each([
    ["nothing", "nothing", "ENOENT"],
    ["a file", "file", undefined],
    ["a FIFO", "fifo", undefined],
    ["a folder", "sub", undefined],
    ["a link to itself", "loop", "ELOOP"],
  ])("fails at %s, and tells the client nothing of it", async (_, name, code) => {
    const error = await refusal(connecting(join(root, name)));
    expect([error.reason, error.description]).toEqual([OPEN_FAILED_CONNECT_FAILED, "connect failed"]);
    expect(error.message).not.toContain(parent);
    expect(error.cause).toMatchObject(code === undefined ? { message: "it is not a socket" } : { code });
  });

  it("is allowed nothing without roots, and nothing by a root that is not there", async () => {
    for (const roots of [[], [join(parent, "nowhere")]]) {
      const { reason } = await refusal(connecting(join(root, "in"), roots));
      expect(reason).toBe(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED);
    }
  });

  it("gives a socket that may break at any time", async () => {
    const socket = await connectSocket(join(root, "in"), { roots: [root], signal });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.destroy(new Error("broken"));
    expect(await closed).toBe(true);
  });

  it("ends with its signal", async () => {
    const path = join(root, "in");
    const gone = await refusal(connectSocket(path, { roots: [root], signal: AbortSignal.abort("gone") }));
    expect([gone.reason, gone.cause]).toEqual([OPEN_FAILED_CONNECT_FAILED, "gone"]);
    const controller = new AbortController();
    const ended = refusal(connectSocket(path, { roots: [root], signal: controller.signal }));
    controller.abort("ended");
    expect((await ended).cause).toBe("ended");
  });

  it("connects no more where the signal has fired meanwhile", async () => {
    const path = join(root, "late");
    let connections = 0;
    servers.push(createServer(() => connections++).listen(path));
    // All threads that look at files are busy meanwhile.
    const busy = Array.from({ length: 8 }, () => derive("", "", 50_000, 32, "sha256"));
    const late = await refusal(connectSocket(path, { roots: [root], signal: AbortSignal.timeout(1) }));
    expect(late.cause).toMatchObject({ name: "TimeoutError" });
    expect(connections).toBe(0);
    await Promise.all(busy);
  });

  it("leaves no descriptor open", { skip: process.platform !== "linux" }, async () => {
    for (const name of ["file", "out", "nothing", "loop"]) await refusal(connecting(join(root, name)));
    (await connecting(join(root, "in"))).destroy();
    expect(await openIn(parent)).toEqual([]);
  });
});

describe("holdFile", () => {
  it("leads to what it has found, whatever comes in its place", { skip: process.platform !== "linux" }, async () => {
    const path = join(root, "changing");
    await serve(path, "first");
    const held = await holdFile(path, [root]);
    await rename(path, `${path}.old`);
    await symlink(join(outside, "socket"), path);
    expect(`${await received(connect({ path: held.path }))}`).toBe("first");
    await held.release();
  });
});

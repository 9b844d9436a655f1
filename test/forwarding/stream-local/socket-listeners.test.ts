import { lstat, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ListenOptions } from "../../../src/forwarding/listen-options.js";
import { SocketListeners } from "../../../src/forwarding/stream-local/socket-listeners.js";
import { Reader } from "../../../src/protocol/reader.js";
import { temporaryFolder } from "../../support/tools.js";
import { connectError, connected, ending, ListeningClient, openIn, received } from "../listening-client.js";

const parent = temporaryFolder();
let folders = 0;

/** A root with nothing in it, beside a folder that is not a root. */
async function emptyRoot(): Promise<{ readonly root: string; readonly outside: string }> {
  const place = join(parent, `${folders++}`);
  const [root, outside] = [join(place, "root"), join(place, "outside")];
  await mkdir(root, { recursive: true });
  await mkdir(outside);
  return { root, outside };
}

async function clientIn(options: Omit<ListenOptions, "socketRoots"> = {}) {
  const { root, outside } = await emptyRoot();
  return { root, outside, path: join(root, "socket"), ...clientWith({ ...options, socketRoots: [root] }) };
}

function clientWith(options: ListenOptions) {
  const client = new ListeningClient(options);
  return { client, sockets: new SocketListeners(client.context) };
}

/** Another program's server. */
function occupied(path: string): Promise<Disposable> {
  return new Promise((resolve) => {
    const server = createServer().listen(path, () => resolve({ [Symbol.dispose]: () => void server.close() }));
  });
}

const modeOf = async (path: string) => (await lstat(path)).mode & 0o7777;

describe("SocketListeners", () => {
  it("lead a connection to the client, and leave nothing in the folder", async () => {
    const { client, sockets, root, path } = await clientIn();
    expect(await sockets.listen(path)).toBe(true);
    expect(await readdir(root)).toEqual(["socket"]);
    const socket = await connected({ path });
    const asked = await client.nextChannel();
    expect(asked.kind).toBe("forwarded-streamlocal@openssh.com");
    const reader = new Reader(asked.fields);
    expect([reader.readText(), reader.readText()]).toEqual([path, ""]);
    reader.end();
    socket.end("question");
    const peer = asked.confirm();
    expect(`${await received(peer)}`).toBe("question");
    peer.end("answer");
    expect(`${await received(socket)}`).toBe("answer");
    expect(await sockets.cancel(path)).toBe(true);
    expect(await sockets.cancel(path)).toBe(false);
    expect(await readdir(root)).toEqual([]);
    await client.untilNothingIsLeft();
    expect(client.problems).toEqual([]);
  });

  it("are made with the permissions that the mask leaves, whatever the umask", async () => {
    const umask = process.umask(0o077);
    try {
      const { sockets, path, client } = await clientIn({ socketBindMask: 0o111 });
      await sockets.listen(path);
      expect(await modeOf(path)).toBe(0o666);
      client.leave();
    } finally {
      process.umask(umask);
    }
    const { sockets, path, client } = await clientIn();
    await sockets.listen(path);
    expect(await modeOf(path)).toBe(0o600);
    client.leave();
  });

  it.each([
    ["a relative path", () => "socket"],
    ["no path", () => ""],
    ["a NUL", (root: string) => `${root}/socket\0`],
    ["a socket that has no file", () => "\0abstract"],
    ["a path that leads up", (root: string) => `${root}/../root/socket`],
    ["a folder", (root: string) => `${root}/socket/`],
    ["the root", (root: string) => root],
    ["a folder that is not there", (root: string) => `${root}/nothing/socket`],
    ["more bytes than the system takes", (root: string) => `${root}/${"é".repeat((109 - root.length) / 2)}`],
    ["64 KiB", (root: string) => `${root}/${"\n".repeat(65_536)}`],
    ["a folder that only begins like a root", (root: string) => `${root}s/socket`],
    ["a folder outside", (_: string, outside: string) => `${outside}/socket`],
    ["a link to a folder outside", (root: string) => `${root}/link/socket`],
  ])("refuse %s", async (_, pathIn) => {
    const { client, sockets, root, outside } = await clientIn({ socketBindUnlink: true });
    await mkdir(`${root}s`);
    await symlink(outside, join(root, "link"));
    expect(await sockets.listen(pathIn(root, outside))).toBe(false);
    expect(client.problems).toHaveLength(1);
    expect(client.problems[0]?.listener).toMatch(/^[ -é]{0,2000}…?$/);
    expect(await readdir(outside)).toEqual([]);
    expect(await readdir(root)).toEqual(["link"]);
    await client.untilNothingIsLeft();
  });

  it("take the longest path that the system takes, and a root that is reached by a link", async () => {
    const { root, outside } = await emptyRoot();
    const link = join(outside, "root");
    await symlink(root, link);
    const { sockets, client } = clientWith({ socketRoots: [`${link}/`] });
    const longest = `${link}/${"a".repeat(107 - link.length - 1)}`;
    expect(await sockets.listen(longest)).toBe(true);
    expect(await connectError({ path: longest })).toBeUndefined();
    // The same root by its own name.
    expect(await sockets.listen(join(root, "other"))).toBe(true);
    client.leave();
  });

  it("listen nowhere without roots", async () => {
    const { root } = await emptyRoot();
    const { sockets, client } = clientWith({});
    expect(await sockets.listen(join(root, "socket"))).toBe(false);
    expect(client.reasons).toEqual(["it is outside the folders for sockets"]);
  });

  it("keep what is there: a socket, a file, a link", async () => {
    for (const socketBindUnlink of [false, true]) {
      const { client, sockets, root, outside } = await clientIn({ socketBindUnlink });
      await writeFile(join(root, "file"), "kept");
      await symlink(join(outside, "target"), join(root, "link"));
      using _ = await occupied(join(root, "socket"));
      for (const name of ["file", "link"]) expect(await sockets.listen(join(root, name))).toBe(false);
      expect(await readFile(join(root, "file"), "utf8")).toBe("kept");
      expect((await lstat(join(root, "link"))).isSymbolicLink()).toBe(true);
      expect(await sockets.listen(join(root, "socket"))).toBe(socketBindUnlink);
      expect(await readdir(root)).toEqual(["file", "link", "socket"]);
      expect(await readdir(outside)).toEqual([]);
      client.leave();
    }
  });

  it("with socketBindUnlink take the place of another client's, and each removes its own alone", async () => {
    const { root } = await emptyRoot();
    const path = join(root, "socket");
    const options = { socketRoots: [root], socketBindUnlink: true };
    const [one, other] = [clientWith(options), clientWith(options)];
    expect([await one.sockets.listen(path), await other.sockets.listen(path)]).toEqual([true, true]);
    expect(await one.sockets.listen(path)).toBe(false);
    expect(one.client.reasons).toEqual(["it is listened on already"]);
    expect(await one.sockets.cancel(path)).toBe(true);
    await connected({ path });
    expect((await other.client.nextChannel()).kind).toBe("forwarded-streamlocal@openssh.com");
    // Neither what somebody has put there meanwhile.
    await rm(path);
    await writeFile(path, "kept");
    expect(await other.sockets.cancel(path)).toBe(true);
    expect(await readFile(path, "utf8")).toBe("kept");
    other.client.leave();
  });

  it("are removed from their folder wherever that was moved to", async () => {
    const { sockets, root, outside, path } = await clientIn();
    await sockets.listen(path);
    const moved = join(outside, "moved");
    await rename(root, moved);
    await mkdir(root);
    await writeFile(path, "kept");
    expect(await sockets.cancel(path)).toBe(true);
    expect([await readdir(moved), await readFile(path, "utf8")]).toEqual([[], "kept"]);
  });

  it("cannot be cancelled by another client", async () => {
    const { sockets, client, path } = await clientIn();
    await sockets.listen(path);
    expect(await clientWith({}).sockets.cancel(path)).toBe(false);
    expect(await connectError({ path })).toBeUndefined();
    client.leave();
  });

  it("are gone with the connection of their client, also where they are still being opened", async () => {
    const { client, sockets, root, path } = await clientIn();
    await sockets.listen(path);
    const waiting = await connected({ path });
    await client.nextChannel();
    const late = sockets.listen(`${path}2`);
    const cancelled = sockets.listen(`${path}3`);
    expect(await sockets.cancel(`${path}3`)).toBe(true);
    const end = ending(waiting);
    client.leave();
    expect(await Promise.all([end, late, cancelled])).toEqual(["end", false, false]);
    await client.untilNothingIsLeft();
    await expect.poll(() => readdir(root), { interval: 2 }).toEqual([]);
  });

  it("leave no descriptor open", { skip: process.platform !== "linux" }, async () => {
    const { client, sockets, root, path } = await clientIn();
    await writeFile(join(root, "file"), "");
    await sockets.listen(path);
    expect(await sockets.listen(join(root, "file"))).toBe(false);
    expect(await sockets.listen(join(root, "file", "socket"))).toBe(false);
    await sockets.cancel(path);
    expect(await openIn(root)).toEqual([]);
    expect(client.reasons).toEqual(["something is at the path", "the system refuses it"]);
  });

  it("count with the ports of their client", async () => {
    const { client, sockets, path } = await clientIn({ maxListeners: 1 });
    const release = client.context.places.listeners.take();
    expect(await sockets.listen(path)).toBe(false);
    release?.();
    expect(await sockets.listen(path)).toBe(true);
    client.leave();
  });
});

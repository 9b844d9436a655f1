import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { lstat, readdir, writeFile } from "node:fs/promises";
import { connect, createServer as createNetServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createServer, type ListenAddress, type SSHServerManager } from "../../../src/index.js";
import { AUTH_SUCCESSFUL } from "../../../src/protocol/constants.js";
import { LogRecord } from "../../authenticators/test-login.js";
import { PacketClient } from "../../support/packet-client.js";
import { ExternalProcess, temporaryFolder } from "../../support/tools.js";
import { createManager, PASSWORD, startManager, USERNAME } from "../test-server.js";

const folder = temporaryFolder();
let count = 0;
const newPath = () => join(folder, `socket-${count++}`);
const local = { host: "127.0.0.1", port: 0 };

const startOn = (...listen: ListenAddress[]) => startAt({ listen });
const startAt = (options: Parameters<typeof createManager>[0]) => {
  const manager = createListening(options);
  return manager.startServer().then(() => manager);
};
const createListening = (options: Parameters<typeof createManager>[0]) =>
  createManager({ bindAddress: undefined, port: undefined, ...options } as never);

const portsOf = ({ addresses }: SSHServerManager) =>
  addresses.map((address) => ("port" in address ? address.port : Number.NaN));
const loginAt = (place: number | string) => PacketClient.login(place, USERNAME, PASSWORD);
const modeOf = async (path: string) => (await lstat(path)).mode & 0o7777;
const refused = (option: string, message: RegExp) =>
  expect.objectContaining({ name: "ConfigurationError", option, message: expect.stringMatching(message) });

describe("a manager with several addresses", () => {
  it("serves all of them, and tells which", async () => {
    const path = newPath();
    const manager = await startOn({ path }, local, { host: "127.0.0.2", port: 0 });
    const [, first = 0, second = 0] = portsOf(manager);
    expect(manager.addresses).toEqual([
      { path },
      { address: "127.0.0.1", port: first },
      { address: "127.0.0.2", port: second },
    ]);
    expect([manager.address, manager.port]).toEqual(["127.0.0.1", first]);
    for (const place of [path, first]) {
      const client = await loginAt(place);
      expect((await client.exec("hello")).stdout.toString()).toBe("Executed: hello\n");
    }
    expect(manager.getActiveConnections().map(({ localAddress }) => localAddress)).toEqual([path, "127.0.0.1"]);
    const [bySocket] = manager.getActiveConnections();
    expect([bySocket?.remoteAddress, bySocket?.localPort]).toEqual([undefined, undefined]);
  });

  it("counts the connections of all of them together", async () => {
    const path = newPath();
    const manager = await startAt({ listen: [{ path }, local, local], maxConnections: 2 });
    await loginAt(path);
    await loginAt(portsOf(manager)[1] ?? 0);
    await expect(loginAt(portsOf(manager)[2] ?? 0)).rejects.toThrow("too many connections");
    await expect(loginAt(path)).rejects.toThrow("too many connections");
    expect(manager.getConnectionStats().refusedBy.maxConnections).toBe(2);
  });

  it("lets nobody in by a socket where only some addresses may", async () => {
    const path = newPath();
    const manager = await startAt({ listen: [{ path }, local], allowFrom: "127.0.0.0/8" });
    await loginAt(portsOf(manager)[1] ?? 0);
    await expect(loginAt(path)).rejects.toThrow();
    expect(manager.getConnectionStats().refusedBy.allowFrom).toBe(1);
  });

  it("takes all addresses of both families at one port", async () => {
    const probe = await startOn({ host: "127.0.0.1", port: 0 });
    const { port } = probe;
    await probe.stopServer();
    const manager = await startOn({ host: "::", port }, { host: "0.0.0.0", port });
    expect(portsOf(manager)).toEqual([port, port]);
    const client = connect({ host: "::1", port });
    await once(client, "data");
    client.destroy();
  });

  it("listens on all or none, names the one that failed, and can be tried again", async () => {
    const path = newPath();
    const other = await startManager();
    const manager = createListening({ listen: [local, { path }, { host: "127.0.0.1", port: other.port }] });
    await expect(manager.startServer()).rejects.toEqual(refused("listen[2].port", /127\.0\.0\.1 port \d+ is already/));
    expect(manager.isRunning()).toBe(false);
    expect(() => manager.addresses).toThrow("does not run");
    await expect(lstat(path)).rejects.toThrow("ENOENT");
    await other.stopServer();
    await manager.startServer();
    expect(manager.addresses).toHaveLength(3);
  });

  it("has its addresses in the line about the start", async () => {
    const logger = new LogRecord();
    const path = newPath();
    const manager = await startAt({ listen: [local, { path }], logger });
    const [first] = manager.addresses;
    expect(logger.lines.find(({ message }) => message === "the server listens")).toMatchObject({
      ...first,
      addresses: [first, { path }],
    });
  });

  it.each<[what: string, listen: unknown, option: string]>([
    ["nothing", [], "listen"],
    ["too many", Array(65).fill(local), "listen"],
    ["null", null, "listen"],
    ["a number", 22, "listen"],
    ["a text in a list", ["127.0.0.1:22"], "listen[0]"],
    ["no port", [local, { host: "127.0.0.1" }], "listen[1].port"],
    ["a port that is a text", [{ port: "22" }], "listen[0].port"],
    ["an empty host", { port: 22, host: "" }, "listen.host"],
    ["an unknown name", [{ port: 22, address: "127.0.0.1" }], "listen[0].address"],
    ["both a path and a port", { path: "/run/x", port: 22 }, "listen.port"],
    ["an empty path", { path: "" }, "listen.path"],
    ["a folder", { path: "/run/" }, "listen.path"],
    ["a name with a NUL", { path: "/run/a\0b" }, "listen.path"],
    ["a path that is too long", { path: `/run/${"x".repeat(103)}` }, "listen.path"],
    ["a mode that is a text", { path: "/run/x", mode: "660" }, "listen.mode"],
    ["a mode out of range", { path: "/run/x", mode: 0o1777 }, "listen.mode"],
    ["a negative descriptor", { fd: -1 }, "listen.fd"],
  ])("refuses %s", (_, listen, option) => {
    expect(() => createListening({ listen: listen as ListenAddress })).toThrow(refused(option, /./));
  });

  it("takes no bindAddress beside them", () => {
    expect(() => createListening({ listen: local, bindAddress: "::1" })).toThrow(refused("listen", /together/));
  });
});

describe("a socket of the file system", () => {
  it("has its mode, and is removed at the stop, with nothing else left", async () => {
    const own = temporaryFolder();
    const [path, open] = [join(own, "a"), join(own, "b")];
    const manager = await startOn({ path }, { path: open, mode: 0o666 });
    expect([await modeOf(path), await modeOf(open)]).toEqual([0o600, 0o666]);
    expect(await readdir(own)).toEqual(["a", "b"]);
    await manager.stopServer();
    expect(await readdir(own)).toEqual([]);
    expect(() => manager.port).toThrow("does not run");
  });

  it("tells no port where there is none", async () => {
    const path = newPath();
    const manager = await startOn({ path });
    expect(manager.isRunning()).toBe(true);
    expect(() => manager.port).toThrow("listens on no port");
    expect(manager.addresses).toEqual([{ path }]);
  });

  it("of a server that was killed is replaced", async () => {
    const path = newPath();
    const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    using killed = new ExternalProcess(process.execPath, ["-e", script]);
    await killed.finished;
    expect((await lstat(path)).isSocket()).toBe(true);
    await startOn({ path });
    await loginAt(path);
  });

  it("of a living server stays, and so does what is not a socket", async () => {
    const path = newPath();
    await startOn({ path });
    await expect(startOn({ path })).rejects.toEqual(refused("listen[0].path", /another server listens on/));
    await loginAt(path);
    const file = newPath();
    await writeFile(file, "text");
    await expect(startOn({ path: file })).rejects.toEqual(refused("listen[0].path", /is not a socket/));
    expect((await lstat(file)).isFile()).toBe(true);
    await expect(startOn({ path: join(folder, "none", "s") })).rejects.toEqual(
      refused("listen[0].path", /none is not there: make it$/),
    );
  });

  it("that somebody has put in its place stays at the stop", async () => {
    const path = newPath();
    const manager = await startOn({ path });
    const { unlink } = await import("node:fs/promises");
    await unlink(path);
    const other = createNetServer().listen(path);
    await once(other, "listening");
    onTestFinished(() => void other.close());
    await manager.stopServer();
    expect((await lstat(path)).isSocket()).toBe(true);
  });
});

describe("a descriptor", () => {
  it("that is not a socket is refused by name", async () => {
    const fd = openSync("/dev/null", "r");
    onTestFinished(() => closeSync(fd));
    await expect(startOn(local, { fd })).rejects.toEqual(refused("listen[1].fd", /cannot listen on file descriptor/));
    await expect(startOn({ fd: 12_345 })).rejects.toEqual(refused("listen[0].fd", /cannot listen on/));
  });
});

describe("createServer", () => {
  it("listens on several addresses too, by default of loopback", async () => {
    const path = newPath();
    const options = { authentication: { none: () => AUTH_SUCCESSFUL }, logger: false } as const;
    await using server = createServer({ ...options, hostKey: join(folder, "host_key") });
    await server.listen([{ port: 0 }, { path }]);
    expect(server.addresses).toEqual([{ address: "127.0.0.1", port: server.port }, { path }]);
    await (await PacketClient.handshake(path)).close();
    await server.close();
    const end = new AbortController();
    await server.listen({ path }, { signal: end.signal });
    expect(server.addresses).toEqual([{ path }]);
    end.abort();
    await server.close();
    await expect(lstat(path)).rejects.toThrow("ENOENT");
    await expect(server.listen([{ port: -1 }])).rejects.toEqual(refused("listen[0].port", /from 0/));
    await expect(server.listen({ port: 0 }, "127.0.0.1" as never)).rejects.toEqual(refused("options", /an object/));
  });
});

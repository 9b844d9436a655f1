import { once } from "node:events";
import { type AddressInfo, connect, createServer, Socket } from "node:net";
import { type Duplex, PassThrough } from "node:stream";
import { Client, type ClientChannel } from "ssh2";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Channel, ConfigurationError, type Connection, ProtocolError, SSHServer } from "../../src/index.js";
import { AUTH_SUCCESSFUL, DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { refusalReasons } from "../../src/server/admission/refusal.js";
import { freePort } from "../support/free-port.js";
import { PacketClient } from "../support/packet-client.js";
import { execRequest, writeDisconnect } from "../support/packet-messages.js";
import { shortenTimers } from "../support/short-timers.js";
import { duplexPair } from "./duplex-pair.js";
import { createManager, login, PASSWORD, startManager, TestServer, USERNAME } from "./test-server.js";

const { BY_APPLICATION, TOO_MANY_CONNECTIONS } = DisconnectReason;
/** Milliseconds that a stream gets to take the last message. */
const CLOSING_TIME = 2000;

async function configurationError(promise: Promise<void>): Promise<ConfigurationError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigurationError)) throw new Error(`not a ConfigurationError: ${error}`);
  return error;
}

describe("starting", () => {
  it("on port 0 tells the port that the system chose", async () => {
    const manager = createManager();
    expect(manager.isRunning()).toBe(false);
    expect(() => manager.port).toThrow("does not run");
    await manager.startServer();
    expect(manager.isRunning()).toBe(true);
    expect(manager.port).toBeGreaterThan(0);
    expect((await (await login(manager)).exec("hello")).stdout.toString()).toBe("Executed: hello\n");
  });

  it("on a given port takes that one", async () => {
    const port = await freePort();
    expect((await startManager({ port })).port).toBe(port);
  });

  it("on ::1 serves IPv6", async () => {
    const manager = await startManager({ bindAddress: "::1" });
    const socket = connect({ port: manager.port, host: "::1" });
    const [line] = await once(socket, "data");
    expect(String(line)).toMatch(/^SSH-2\.0-spindlex_/);
    expect(manager.getActiveConnections()[0]?.remoteAddress).toBe("::1");
    socket.destroy();
  });

  it("on a port in use fails and can be tried again", async () => {
    const other = await startManager();
    const manager = createManager({ port: other.port });
    const error = await configurationError(manager.startServer());
    expect([error.option, (error.cause as NodeJS.ErrnoException).code]).toEqual(["port", "EADDRINUSE"]);
    expect(error.message).toContain(`127.0.0.1 port ${other.port}`);
    expect(manager.isRunning()).toBe(false);
    const { port } = other;
    await other.stopServer();
    await manager.startServer();
    expect(manager.port).toBe(port);
  });

  // V8 collects garbage after each 32 MiB of buffers: half of all that tests of small servers took.
  it("takes no megabytes for each server that starts", async () => {
    await startManager();
    const { arrayBuffers } = process.memoryUsage();
    await startManager();
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(1024 * 1024);
  });

  it.each(["192.0.2.1", "no-such-host.invalid"])("on %s, which is not ours, fails", async (bindAddress) => {
    const error = await configurationError(createManager({ bindAddress }).startServer());
    expect(error.option).toBe("bindAddress");
    expect(error.message).toContain(bindAddress);
  });

  it("works with a logger that fails, and so does the end", async () => {
    const fail = () => {
      throw new Error("no space left");
    };
    const manager = createManager({ logger: { debug: fail, info: fail, warn: fail, error: fail } });
    await manager.startServer();
    await (await login(manager)).close();
    await manager.stopServer();
  });

  it("twice fails, and does not harm the first", async () => {
    const manager = createManager();
    const starting = manager.startServer();
    await expect(manager.startServer()).rejects.toThrow("runs already");
    await starting;
    await expect(manager.startServer()).rejects.toThrow("runs already");
    expect((await (await login(manager)).exec("hello")).exitStatus).toBe(0);
  });
});

describe("limits", () => {
  const setters = {
    maxConnections: "setMaxConnections",
    connectionTimeout: "setConnectionTimeout",
    authTimeout: "setAuthTimeout",
  } as const;

  it.each(Object.entries(setters))("%s are set while the server does not run", async (option, setter) => {
    const manager = createManager();
    manager[setter](10);
    const starting = manager.startServer();
    const blame = expect.objectContaining({ name: "ConfigurationError", option });
    expect(() => manager[setter](20)).toThrow(blame);
    await starting;
    expect(() => manager[setter](20)).toThrow(blame);
    await manager.stopServer();
    manager[setter](30);
  });

  it.each(Object.entries(setters))("%s have a range", (option, setter) => {
    const manager = createManager();
    for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "5" as unknown as number]) {
      expect(() => manager[setter](wrong)).toThrow(expect.objectContaining({ name: "ConfigurationError", option }));
    }
  });

  it("are whole connections only", () => {
    expect(() => createManager().setMaxConnections(1.5)).toThrow(ConfigurationError);
  });

  it("refuse one connection too many, logged in or not, and take the next once there is room", async () => {
    const manager = createManager();
    manager.setMaxConnections(2);
    await manager.startServer();
    const first = await login(manager);
    const second = await PacketClient.connect(manager.port);
    await second.readIdentification();
    const third = await PacketClient.connect(manager.port);
    await third.readIdentification();
    expect(await third.waitDisconnect()).toEqual({ reason: TOO_MANY_CONNECTIONS, message: "too many connections" });
    expect(manager.getConnectionCount()).toBe(2);
    expect(manager.getConnectionStats()).toMatchObject({ accepted: 2, refused: 1, active: 2, authenticated: 1 });
    second.reset();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(1));
    expect((await (await login(manager)).exec("hello")).exitStatus).toBe(0);
    expect((await first.exec("hello")).exitStatus).toBe(0);
  });

  it("are not used up by connections that were refused", async () => {
    const manager = createManager();
    manager.setMaxConnections(1);
    await manager.startServer();
    const first = await login(manager);
    const lingering = await PacketClient.connect(manager.port);
    lingering.stopReading();
    await vi.waitFor(() => expect(manager.getConnectionStats().refused).toBe(1));
    await first.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    expect((await (await login(manager)).exec("hello")).exitStatus).toBe(0);
    lingering.reset();
  });

  it("end a connection that does not finish its key exchange", async () => {
    const manager = createManager();
    manager.setConnectionTimeout(0.2);
    await manager.startServer();
    const client = await PacketClient.connect(manager.port);
    await client.exchangeIdentifications();
    const { disconnect } = await client.waitEnd();
    expect(disconnect).toEqual({ reason: BY_APPLICATION, message: "the handshake took too long" });
  });

  it("end a connection on which nobody logs in, and count from the end of the key exchange", async () => {
    const manager = createManager();
    manager.setConnectionTimeout(0.2);
    manager.setAuthTimeout(0.5);
    await manager.startServer();
    const client = await PacketClient.authenticating(manager.port);
    const started = performance.now();
    expect((await client.waitDisconnect()).message).toBe("the authentication took too long");
    expect(performance.now() - started).toBeGreaterThan(300);
  });
});

describe("stopping", () => {
  it("frees the port at once and tells every client", async () => {
    const manager = await startManager();
    const { port } = manager;
    const clients = [await login(manager), await PacketClient.handshake(port), await PacketClient.connect(port)];
    await clients[2]?.readIdentification();
    const stopping = manager.stopServer();
    expect(manager.isRunning()).toBe(false);
    await (await startManager({ port })).stopServer();
    for (const client of clients) {
      expect(await client.waitDisconnect()).toEqual({ reason: BY_APPLICATION, message: "the server is shutting down" });
    }
    await stopping;
    expect(manager.getConnectionCount()).toBe(0);
    expect(() => manager.port).toThrow("does not run");
  });

  it("does not wait longer than the grace period for clients that do not read", async () => {
    const manager = await startManager();
    const client = await login(manager);
    client.stopReading();
    const started = performance.now();
    await manager.stopServer({ gracePeriod: 0.3 });
    expect(performance.now() - started).toBeLessThan(1500);
    expect(manager.getConnectionCount()).toBe(0);
    client.reset();
  });

  it("gives clients the grace period to take what was sent", async () => {
    const manager = await startManager();
    const client = await login(manager);
    const channel = await client.openSession();
    client.stopReading();
    client.sendPacket(execRequest(channel.id, "x".repeat(200_000)));
    await vi.waitFor(() => expect(manager.getConnectionStats().bytesSent).toBeGreaterThan(200_000));
    const stopping = manager.stopServer();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { disconnect, payloads } = await client.waitEnd();
    const data = payloads.filter(([number]) => number === MessageNumber.CHANNEL_DATA);
    expect(Buffer.concat(data).length).toBeGreaterThan(200_000);
    expect(disconnect?.message).toBe("the server is shutting down");
    await stopping;
  });

  it.each([-1, 3601, Number.NaN, "5" as unknown as number])("has no grace period of %s", async (gracePeriod) => {
    const manager = await startManager();
    const error = await configurationError(manager.stopServer({ gracePeriod }));
    expect(error.option).toBe("gracePeriod");
    expect(manager.isRunning()).toBe(true);
  });

  it("may be asked for any number of times, also at once", async () => {
    const manager = createManager();
    await manager.stopServer();
    await manager.startServer();
    const client = await login(manager);
    await Promise.all([manager.stopServer(), manager.stopServer(), client.waitEnd()]);
    await manager.stopServer();
    expect(manager.isRunning()).toBe(false);
  });

  it("may be asked for by what it brings about itself, and lets nobody in meanwhile", async () => {
    shortenTimers(CLOSING_TIME, 200);
    const manager = createManager({ perSourcePenalties: { min: 1, authFail: 60 }, perSourcePenaltyExemptList: [] });
    await manager.startServer();
    const [client, guesser] = [await login(manager), await PacketClient.authenticating(manager.port)];
    await guesser.authPassword(USERNAME, "wrong");
    const stops: Promise<void>[] = [];
    const [near] = duplexPair();
    let late: Connection | undefined;
    const stopToo = () => void stops.push(manager.stopServer({ gracePeriod: 0.1 }));
    for (const connection of manager.getActiveConnections()) connection.signal.addEventListener("abort", stopToo);
    manager.on("penalty", () => {
      late = manager.handleConnection(near, { remoteAddress: "192.0.2.1" });
    });
    await Promise.all([manager.stopServer({ gracePeriod: 0.1 }), client.waitEnd(), guesser.waitEnd()]);
    await Promise.all(stops);
    expect(stops).toHaveLength(2);
    expect(late?.signal.aborted).toBe(true);
    expect(manager.getConnectionStats()).toMatchObject({ active: 0, refusedBy: { shutdown: 1 } });
  });

  it("may be followed by another start", async () => {
    const manager = createManager();
    for (let round = 0; round < 3; round++) {
      await manager.startServer();
      expect((await (await login(manager)).exec("hello")).exitStatus).toBe(0);
      await manager.stopServer({ gracePeriod: 0 });
    }
    expect(manager.getConnectionStats()).toMatchObject({ accepted: 3, active: 0 });
  });

  it("happens at the end of an `await using`", async () => {
    const manager = createManager();
    await (async () => {
      await using running = manager;
      await running.startServer();
      expect(manager.isRunning()).toBe(true);
    })();
    expect(manager.isRunning()).toBe(false);
  });

  it("fires the signals of connections and channels, and tells of each channel's end", async () => {
    class Watching extends TestServer {
      readonly channels: Channel[] = [];
      readonly closed: number[] = [];
      override onChannelOpened(channel: Channel): void {
        this.channels.push(channel);
      }
      override onChannelClosed(channel: Channel): void {
        this.closed.push(channel.id);
      }
    }
    const server = new Watching();
    const manager = await startManager({ serverInterface: server });
    const client = await login(manager);
    await client.openSession();
    await client.openSession();
    const [connection] = manager.getActiveConnections();
    const signals = server.channels.map(({ signal }) => signal);
    expect(connection?.channelCount).toBe(2);
    await Promise.all([manager.stopServer(), client.waitEnd()]);
    expect([connection?.signal.aborted, ...signals.map(({ aborted }) => aborted)]).toEqual([true, true, true]);
    expect(server.closed).toEqual([0, 1]);
  });
});

describe("connections", () => {
  it("that cannot be served are closed, and take no place", async () => {
    const manager = await startManager();
    const fails = vi.spyOn(Socket.prototype, "setKeepAlive").mockImplementation(() => {
      throw new Error("no keep-alive");
    });
    onTestFinished(() => fails.mockRestore());
    const socket = connect(manager.port, "127.0.0.1");
    await once(socket, "close");
    expect(manager.getConnectionCount()).toBe(0);
    fails.mockRestore();
    expect((await (await login(manager)).exec("hello")).exitStatus).toBe(0);
  });

  it("can be seen and closed by their id", async () => {
    const manager = await startManager();
    const [one, other] = [await login(manager), await login(manager)];
    const connections = manager.getActiveConnections();
    expect(connections.map(({ username, remoteAddress }) => [username, remoteAddress])).toEqual([
      [USERNAME, "127.0.0.1"],
      [USERNAME, "127.0.0.1"],
    ]);
    const [first, second] = connections;
    expect(manager.closeConnection(first?.id ?? -1)).toBe(true);
    expect(await one.waitDisconnect()).toEqual({ reason: BY_APPLICATION, message: "closed by the server" });
    await vi.waitFor(() => expect(manager.getActiveConnections()).toEqual([second]));
    expect(manager.closeConnection(first?.id ?? -1)).toBe(false);
    expect((await other.exec("hello")).exitStatus).toBe(0);
  });

  it("tell how they have ended", async () => {
    const manager = await startManager();
    // Logins would take too long for it on a busy machine.
    const impatient = createManager();
    impatient.setAuthTimeout(0.05);
    await impatient.startServer();
    const endOf = async (finish: (client: PacketClient) => void, connected = login(manager), at = manager) => {
      const ended = once(at, "disconnected");
      const client = await connected;
      finish(client);
      const [, end] = await ended;
      return end;
    };
    expect(await endOf((client) => client.sendPacket(writeDisconnect(11, "good\x1bbye")))).toEqual({
      kind: "left",
      cause: "the peer has disconnected",
      reason: 11,
      description: "good\\u{1b}bye",
    });
    expect(await endOf((client) => client.sendPacket(Buffer.of(MessageNumber.KEXINIT)))).toMatchObject({
      kind: "violated",
      reason: DisconnectReason.PROTOCOL_ERROR,
      error: expect.any(ProtocolError),
    });
    expect(await endOf(() => {}, PacketClient.handshake(impatient.port), impatient)).toEqual({
      kind: "overdue",
      cause: "the authentication took too long",
      reason: BY_APPLICATION,
    });
    expect(await endOf(() => manager.getActiveConnections()[0]?.disconnect(BY_APPLICATION, "enough"))).toEqual({
      kind: "disconnected",
      cause: "enough",
      reason: BY_APPLICATION,
    });
  });

  it("are counted, with their bytes, also when they are gone", async () => {
    const manager = await startManager();
    expect(manager.getConnectionStats()).toEqual({
      accepted: 0,
      refused: 0,
      refusedBy: Object.fromEntries(refusalReasons.map((reason) => [reason, 0])),
      active: 0,
      authenticated: 0,
      startups: 0,
      penalisedSources: 0,
      bytesReceived: 0,
      bytesSent: 0,
    });
    const client = await login(manager);
    await client.exec("hello");
    const { bytesRead, bytesWritten } = client.stream.socket;
    const stats = { accepted: 1, refused: 0, active: 1, authenticated: 1 };
    expect(manager.getConnectionStats()).toMatchObject({ ...stats, bytesSent: bytesRead });
    await client.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    const { bytesReceived, bytesSent } = manager.getConnectionStats();
    expect([bytesReceived, bytesSent]).toEqual([bytesWritten, bytesRead]);
  });
});

/** Runs `cat` over any stream, with a client of another make. */
async function catOver(stream: Duplex, input: Buffer): Promise<Buffer> {
  const client = new Client();
  const ready = once(client, "ready");
  // The types say that this has to be a socket; the client is content with less.
  client.connect({ sock: stream as Socket, username: USERNAME, password: PASSWORD });
  await ready;
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.exec("cat", (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  channel.end(input);
  const pieces: Buffer[] = [];
  for await (const piece of channel) pieces.push(piece as Buffer);
  client.end();
  return Buffer.concat(pieces);
}

describe("a client with an IPv4 address of a server that listens on ::", () => {
  const lines: { readonly fields: object; readonly message: string }[] = [];
  const info = (fields: object, message: string) => void lines.push({ fields, message });
  const logger = { debug: info, info, warn: info, error: info };

  const addresses = () => lines.flatMap(({ fields }) => ("remoteAddress" in fields ? [fields.remoteAddress] : []));

  it("has that address in hooks, on the connection and in the log", async () => {
    const asked: unknown[] = [];
    const manager = await startManager({
      bindAddress: "::",
      logger,
      serverInterface: new (class extends SSHServer {
        override checkAuthPassword(_username: string, _password: string, connection: Connection) {
          asked.push(connection.remoteAddress);
          return AUTH_SUCCESSFUL;
        }
      })(),
    });
    const client = await login(manager);
    expect(asked).toEqual(["127.0.0.1"]);
    expect(manager.getActiveConnections()[0]?.remoteAddress).toBe("127.0.0.1");
    await client.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    expect(new Set(addresses())).toEqual(new Set(["127.0.0.1"]));
  });

  it.each([
    ["denyFrom", { denyFrom: "127.0.0.0/8" }],
    ["maxConnections", {}],
    ["maxConnections", { proxyProtocol: { from: ["127.0.0.0/8"] } }],
    ["proxyProtocol", { proxyProtocol: { from: ["127.0.0.0/8"] } }],
  ] as const)("is refused with that address: %s, %j", async (reason, options) => {
    const manager = createManager({ bindAddress: "::", ...options });
    if (reason === "maxConnections") {
      manager.setMaxConnections(1);
      manager.handleConnection(duplexPair()[0]);
    }
    await manager.startServer();
    const refused = once(manager, "refused");
    const socket = connect({ port: manager.port, host: "127.0.0.1" });
    socket.on("error", () => {});
    onTestFinished(() => void socket.destroy());
    socket.write("no header\r\n");
    expect(await refused).toEqual([{ reason, remoteAddress: "127.0.0.1" }]);
  });
});

describe("serving any stream", () => {
  it.each([
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["2001:db8::1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["", ""],
    [undefined, undefined],
  ])("from %j, as it is told: has the address %j", (remoteAddress, address) => {
    const [near] = duplexPair();
    expect(createManager().handleConnection(near, { remoteAddress }).remoteAddress).toBe(address);
  });

  it("works with a stream in memory, without a start", async () => {
    const manager = createManager();
    const [near, far] = duplexPair();
    const connection: Connection = manager.handleConnection(near, { remoteAddress: "memory", remotePort: 1 });
    expect([connection.remoteAddress, connection.remotePort]).toEqual(["memory", 1]);
    const input = Buffer.alloc(3 * 1024 * 1024, "any bytes ");
    const output = await catOver(far, input);
    expect(output.equals(input)).toBe(true);
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    expect(connection.signal.aborted).toBe(true);
  });

  it("leaves the bytes alone that others have written into it", async () => {
    const manager = createManager();
    const [near, far] = duplexPair();
    const written: [Buffer, Buffer][] = [];
    const write = far.write.bind(far) as (chunk: Buffer) => boolean;
    far.write = ((chunk: Buffer) => {
      written.push([chunk, Buffer.from(chunk)]);
      return write(chunk);
    }) as typeof far.write;
    manager.handleConnection(near);
    await catOver(far, Buffer.alloc(100_000));
    expect(written.length).toBeGreaterThan(3);
    for (const [chunk, before] of written) expect(chunk.equals(before)).toBe(true);
  });

  it("keeps to the limits", async () => {
    const manager = createManager();
    manager.setMaxConnections(1);
    const [[first], [second, other]] = [duplexPair(), duplexPair()];
    manager.handleConnection(first);
    manager.handleConnection(second);
    const pieces: Buffer[] = [];
    for await (const piece of other) pieces.push(piece);
    expect(Buffer.concat(pieces).toString("latin1")).toContain("too many connections");
    expect(manager.getConnectionStats()).toMatchObject({ accepted: 1, refused: 1, active: 1 });
  });

  it("tells no more streams at a time that they are refused than it may serve", async () => {
    shortenTimers(CLOSING_TIME, 200);
    const manager = createManager();
    manager.setMaxConnections(2);
    const streams = Array.from({ length: 6 }, () => duplexPair()[0]);
    for (const stream of streams) manager.handleConnection(stream);
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([false, false, false, false, true, true]);
    await manager.stopServer({ gracePeriod: 0.1 });
    expect(manager.getConnectionStats()).toMatchObject({ accepted: 2, refused: 4, active: 0 });
  });

  it("ends with the manager", async () => {
    const manager = createManager();
    const [near, far] = duplexPair();
    manager.handleConnection(near);
    far.resume();
    far.once("end", () => far.end());
    await Promise.all([manager.stopServer(), once(far, "end")]);
    expect(near.destroyed).toBe(true);
  });

  it("that was closed before leaves nothing behind", async () => {
    const manager = createManager();
    const [near] = duplexPair();
    near.destroy();
    await once(near, "close");
    const connection = manager.handleConnection(near);
    expect(connection.signal.aborted).toBe(true);
    expect(manager.getConnectionCount()).toBe(0);
    await manager.stopServer();
  });

  it("that is something else is refused at once, and not counted", async () => {
    const manager = createManager({ perSourceMaxConnections: 1 });
    const info = { remoteAddress: "192.0.2.1" };
    expect(() => manager.handleConnection({} as Duplex, info)).toThrow(/^stream: has no method on$/);
    expect(manager.getConnectionStats()).toMatchObject({ accepted: 0, active: 0, startups: 0 });
    expect(manager.handleConnection(duplexPair()[0], info).signal.aborted).toBe(false);
    await manager.stopServer({ gracePeriod: 0 });
  });

  it.each([
    ["objects", { bytes: "SSH-2.0-x\r\n" }],
    ["text", "SSH-2.0-x\r\n"],
  ])("that gives %s rather than bytes is given up", async (_, chunk) => {
    const manager = createManager();
    const stream = new PassThrough({ readableObjectMode: true });
    stream._write = (_chunk, _encoding, callback) => callback();
    const connection = manager.handleConnection(stream);
    stream.push(chunk);
    await vi.waitFor(() => expect(connection.signal.aborted).toBe(true));
    await manager.stopServer({ gracePeriod: 0 });
  });

  it("that throws when it is written to is given up", async () => {
    shortenTimers(CLOSING_TIME, 200);
    const manager = createManager();
    const [near] = duplexPair();
    near._write = () => {
      throw new Error("broken");
    };
    expect(manager.handleConnection(near).signal.aborted).toBe(true);
    await manager.stopServer({ gracePeriod: 0.1 });
    expect(manager.getConnectionStats()).toMatchObject({ accepted: 1, active: 0, startups: 0 });
  });

  it.each(["end", "resume", "destroy"] as const)("that throws at its end, by %s(), is given up", async (method) => {
    const manager = createManager();
    const [near] = duplexPair();
    const connection = manager.handleConnection(near);
    near[method] = () => {
      throw new Error("broken");
    };
    await manager.stopServer({ gracePeriod: 0.1 });
    expect([connection.signal.aborted, manager.getConnectionCount()]).toEqual([true, 0]);
  });

  it("that never says that it is closed is given up", async () => {
    const manager = createManager();
    const [near] = duplexPair();
    near.emit = function emit(this: Duplex, event: string | symbol, ...parameters: unknown[]): boolean {
      return event !== "close" && Object.getPrototypeOf(this).emit.call(this, event, ...parameters);
    } as typeof near.emit;
    manager.handleConnection(near);
    await manager.stopServer({ gracePeriod: 0.1 });
    expect(manager.getConnectionCount()).toBe(0);
  });

  it("reads a stream that was paused to look at its first bytes", async () => {
    const manager = createManager();
    const front = createServer((socket) => {
      socket.once("data", (first) => {
        socket.pause();
        socket.unshift(first);
        manager.handleConnection(socket);
      });
    });
    onTestFinished(() => void front.close());
    await once(front.listen(0, "127.0.0.1"), "listening");
    const { port } = front.address() as AddressInfo;
    const client = await PacketClient.login(port, USERNAME, PASSWORD);
    expect((await client.exec("hello")).exitStatus).toBe(0);
  });

  it("knows where a socket comes from", async () => {
    const manager = createManager();
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const client = connect((listener.address() as { port: number }).port, "127.0.0.1");
    const [socket] = await once(listener, "connection");
    expect(socket).toBeInstanceOf(Socket);
    const connection = manager.handleConnection(socket);
    expect([connection.remoteAddress, connection.remotePort]).toEqual(["127.0.0.1", client.localPort]);
    client.destroy();
    listener.close();
  });
});

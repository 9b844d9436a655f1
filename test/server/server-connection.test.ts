import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { logLine } from "../../src/base/log-line.js";
import { PKey } from "../../src/crypto/index.js";
import { type AuthDecision, type Channel, type Connection, Grant, type Logger } from "../../src/index.js";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  type AuthResult,
  DisconnectReason,
  MessageNumber,
} from "../../src/protocol/constants.js";
import { encodeUserauthFailure } from "../../src/protocol/messages/userauth.js";
import { Deferred } from "../attack/deferred.js";
import { fakeConnection } from "../connection/fake-connection.js";
import { PacketClient } from "../support/packet-client.js";
import {
  channelOpen,
  channelRequest,
  execRequest,
  globalRequest,
  message,
  passwordRequest,
  ping,
  publickeyQuery,
  writeDisconnect,
} from "../support/packet-messages.js";
import { createManager, login, PASSWORD, startManager, TestServer, USERNAME } from "./test-server.js";

interface Entry {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A text, as a field of a request, that is not UTF-8. */
const NOT_UTF8 = Buffer.from("00000001ff", "hex");

function recordingLogger(): { logger: Logger; entries: Entry[] } {
  const entries: Entry[] = [];
  const log = (level: string) => (fields: object, text: string) =>
    void entries.push({ level, message: text, fields: { ...fields } });
  const logger = { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  return { logger, entries };
}

/** A stream over a socket that can pretend that nobody takes what is written, and give what was sent in one piece. */
class Wire extends Duplex {
  readonly #socket: Socket;
  #stalled = false;
  #untaken: (() => void) | undefined;
  #wanted = 0;
  #collected: Buffer[] = [];

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", () => this.destroy());
    socket.on("close", () => this.destroy());
  }

  stall(): void {
    this.#stalled = true;
  }

  goOn(): void {
    this.#stalled = false;
    this.#untaken?.();
  }

  /** Gives nothing more to the reader until it is so many bytes. */
  collect(bytes: number): void {
    this.#wanted = bytes;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#socket.write(chunk);
    if (this.#stalled) this.#untaken = callback;
    else setImmediate(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#socket.destroy();
    callback(error);
  }

  #receive(chunk: Buffer): void {
    this.#collected.push(chunk);
    const bytes = Buffer.concat(this.#collected);
    if (bytes.length < this.#wanted) return;
    this.#collected = [];
    this.#wanted = 0;
    this.push(bytes);
  }
}

describe("a connection, as hooks see it,", () => {
  it("tells whose it is, as far as that is known", async () => {
    const seen: unknown[] = [];
    class Watching extends TestServer {
      connection: Connection | undefined;
      override getBanner(connection: Connection): undefined {
        seen.push(["banner", connection.username, connection.identity, connection.provenMethods]);
      }
      override onAuthenticationFailed(username: string, method: string, connection: Connection): void {
        seen.push(["failed", username, method, connection.username]);
      }
      override onAuthenticationSuccessful(username: string, method: string, connection: Connection): void {
        seen.push(["successful", username, method, connection.username]);
        this.connection = connection;
      }
    }
    const server = new Watching();
    const manager = await startManager({ serverInterface: server });
    const client = await PacketClient.authenticating(manager.port);
    await client.authPassword("nobody", "wrong");
    await client.authPassword(USERNAME, PASSWORD);
    await client.openSession();
    expect(seen).toEqual([
      ["banner", undefined, undefined, []],
      ["failed", "nobody", "password", undefined],
      ["successful", USERNAME, "password", USERNAME],
    ]);
    const { connection } = server;
    const { localPort } = client.stream.socket;
    expect(connection).toMatchObject({
      remoteAddress: "127.0.0.1",
      remotePort: localPort,
      localAddress: "127.0.0.1",
      localPort: manager.port,
      clientVersion: "SSH-2.0-packet_client",
      username: USERNAME,
      identity: { username: USERNAME, methods: ["password"], publicKeys: [] },
      provenMethods: ["password"],
      channelCount: 1,
      algorithms: {
        kex: "curve25519-sha256",
        hostKey: "ssh-ed25519",
        clientToServer: { cipher: "aes128-gcm@openssh.com", compression: "none" },
        serverToClient: { cipher: "aes128-gcm@openssh.com", compression: "none" },
      },
    });
    expect(Date.now() - (connection?.connectedAt.getTime() ?? 0)).toBeLessThan(10_000);
    expect(connection?.signal.aborted).toBe(false);
    client.reset();
    await vi.waitFor(() => expect(connection?.signal.aborted).toBe(true));
  });

  it("has what is documented, and nothing by which only the library drives it", async () => {
    const manager = await startManager();
    await login(manager);
    const [connection] = manager.getActiveConnections();
    const names = [connection, Object.getPrototypeOf(connection)].flatMap((one) => Object.getOwnPropertyNames(one));
    expect(names.filter((name) => name !== "constructor").sort()).toEqual(Object.keys(fakeConnection()).sort());
  });

  it("has an id of its own", async () => {
    const manager = await startManager();
    await Promise.all([login(manager), login(manager), login(manager)]);
    const ids = manager.getActiveConnections().map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
  });

  it("can be ended by a hook, with a reason and a text for the client", async () => {
    class Closing extends TestServer {
      override checkChannelExecRequest(channel: Channel): boolean {
        channel.connection.disconnect(DisconnectReason.SERVICE_NOT_AVAILABLE, "closed for today");
        channel.connection.disconnect(DisconnectReason.BY_APPLICATION, "and again");
        return true;
      }
    }
    const manager = await startManager({ serverInterface: new Closing() });
    const client = await login(manager);
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "x"));
    const { disconnect, payloads } = await client.waitEnd();
    expect(disconnect).toEqual({ reason: DisconnectReason.SERVICE_NOT_AVAILABLE, message: "closed for today" });
    expect(payloads).toEqual([]);
  });
});

describe("a hook that fails", () => {
  it("in onAuthenticationSuccessful refuses the client, who may try again", async () => {
    let broken = true;
    class Broken extends TestServer {
      override async onAuthenticationSuccessful(): Promise<void> {
        if (broken) throw new Error("the database is down");
      }
    }
    const manager = await startManager({ serverInterface: new Broken() });
    const client = await PacketClient.authenticating(manager.port);
    const [answer] = await client.authPassword(USERNAME, PASSWORD).catch(() => [undefined]);
    expect(answer).not.toBe(MessageNumber.USERAUTH_SUCCESS);
    expect(manager.getConnectionStats().authenticated).toBe(0);
    broken = false;
    expect((await (await login(manager)).exec("hello")).exitStatus).toBe(0);
  });

  it("in the logger harms no connection", async () => {
    const fail = () => {
      throw new Error("the log is full");
    };
    const manager = await startManager({ logger: { debug: fail, info: () => {}, warn: fail, error: fail } });
    expect((await (await login(manager)).exec("hello")).exitStatus).toBe(0);
  });
});

describe("the log", () => {
  it("tells of connections, keys, logins, refusals and ends, and of no secrets", async () => {
    const { logger, entries } = recordingLogger();
    const manager = await startManager({ logger });
    const client = await PacketClient.authenticating(manager.port);
    await client.authPassword(USERNAME, "a wrong password");
    await client.authPassword(USERNAME, PASSWORD);
    await client.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    await manager.stopServer();
    expect(entries.map(({ level, message: text }) => `${level}: ${text}`)).toEqual([
      "info: the server listens",
      "debug: a client has connected",
      "debug: keys were exchanged",
      "info: authentication was refused",
      "info: a user has logged in",
      "info: a connection has ended",
      "info: the server has stopped",
    ]);
    const [, connected, , refused, loggedIn, ended] = entries.map(({ fields }) => fields);
    const where = { remoteAddress: "127.0.0.1", connection: connected?.connection };
    expect(refused).toMatchObject({ ...where, username: USERNAME, method: "password" });
    expect(loggedIn).toMatchObject({ ...where, username: USERNAME, methods: ["password"] });
    expect(ended).toMatchObject({ ...where, username: USERNAME, cause: "the peer has closed the connection" });
    expect(JSON.stringify(entries)).not.toMatch(/a wrong password|secret/);
  });

  it("has one line, and no stack, for a client that is lost", async () => {
    const { logger, entries } = recordingLogger();
    const manager = await startManager({ logger });
    (await login(manager)).reset();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    const { level, message: text, fields } = entries.at(-1) ?? { level: "", message: "", fields: {} };
    expect([level, text]).toEqual(["info", "a connection has ended"]);
    expect(fields).toMatchObject({ cause: "the connection was lost", code: "ECONNRESET", error: "read ECONNRESET" });
    expect(logLine(new Date(), "info", text, fields)).not.toContain("\n");
  });

  it("names the key that was refused, to nobody else", async () => {
    const { logger, entries } = recordingLogger();
    class KeyServer extends TestServer {
      override checkAuthPublickey(): AuthResult {
        return AUTH_FAILED;
      }
    }
    const manager = await startManager({ logger, serverInterface: new KeyServer() });
    const publicKey = PKey.generate({ keyType: "ed25519" });
    const described = { publicKey, type: "user", keyId: "ann@laptop", serial: 7n, principals: [USERNAME] } as const;
    const certificate = PKey.generate({ keyType: "ed25519" }).signCertificate(described);
    const client = await PacketClient.authenticating(manager.port);
    const [algorithm = ""] = certificate.signatureAlgorithms;
    const query = publickeyQuery({ username: USERNAME, algorithm, publicBlob: certificate.publicBlob });
    const answer = await client.authenticate(query);
    expect(answer).toEqual(encodeUserauthFailure(["publickey", "password"], false));
    const refused = entries.find(({ message: text }) => text === "authentication was refused");
    expect(refused?.fields).toMatchObject({
      method: "publickey",
      reason: "the key is not accepted",
      key: { keyType: algorithm, fingerprint: publicKey.fingerprint(), keyId: "ann@laptop", serial: "7" },
    });
    await client.close();
  });

  it("escapes the name of a user, also of one who has logged in", async () => {
    const { logger, entries } = recordingLogger();
    class OpenServer extends TestServer {
      override checkAuthPassword(): AuthResult {
        return AUTH_SUCCESSFUL;
      }
    }
    const manager = await startManager({ logger, serverInterface: new OpenServer() });
    const client = await PacketClient.authenticating(manager.port);
    await client.authPassword("a\u202eb", PASSWORD);
    const loggedIn = entries.find(({ message: text }) => text === "a user has logged in");
    expect(loggedIn?.fields).toMatchObject({ username: "a\\u{202e}b" });
    await client.close();
  });

  it("tells why a connection was ended, and keeps what the client says short", async () => {
    const { logger, entries } = recordingLogger();
    const manager = await startManager({ logger });
    const client = await login(manager);
    client.sendPacket(message(MessageNumber.CHANNEL_OPEN_FAILURE, "xxxx"));
    expect((await client.waitDisconnect()).reason).toBe(DisconnectReason.PROTOCOL_ERROR);
    const other = await PacketClient.authenticating(manager.port);
    other.sendPacket(passwordRequest("x".repeat(100_000), "y"));
    other.sendPacket(writeDisconnect(DisconnectReason.BY_APPLICATION, "x".repeat(100_000)));
    await other.waitEnd();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    const ended = entries.filter(({ message: text }) => text === "a connection has ended");
    expect(ended[0]?.fields).toMatchObject({ reason: DisconnectReason.PROTOCOL_ERROR });
    expect(JSON.stringify(entries).length).toBeLessThan(20_000);
  });
});

describe("what is odd and harmless", () => {
  it("is ignored, with a line for the first of a kind and a number for the rest", async () => {
    const { logger, entries } = recordingLogger();
    const manager = await startManager({ logger });
    const client = await login(manager);
    for (let times = 0; times < 100; times++) {
      client.sendPacket(message(MessageNumber.REQUEST_FAILURE));
      client.sendPacket(message(MessageNumber.CHANNEL_SUCCESS, Buffer.alloc(4)));
    }
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    const lines = entries.filter(({ message: text }) => text === "a message was ignored");
    expect(lines.map(({ level, fields }) => [level, fields.kind])).toEqual([
      ["debug", "reply to no global request"],
      ["debug", "reply to no channel request"],
    ]);
    const ended = entries.find(({ message: text }) => text === "a connection has ended");
    expect(ended?.fields.ignored).toEqual({ "reply to no global request": 100, "reply to no channel request": 100 });
  });

  it.each([
    [
      "a channel request",
      (id: number) => channelRequest(id, "subsystem", "want-reply", NOT_UTF8),
      "channel request subsystem",
    ],
    ["a global request", () => globalRequest("tcpip-forward", "want-reply", NOT_UTF8), "global request tcpip-forward"],
  ])("is refused where a text is not UTF-8: %s", async (_, request, logged) => {
    const { logger, entries } = recordingLogger();
    const manager = await startManager({ logger });
    const client = await login(manager);
    const { id } = await client.openSession();
    client.sendPacket(request(id));
    const [answer] = await client.nextPacket();
    expect([MessageNumber.CHANNEL_FAILURE, MessageNumber.REQUEST_FAILURE]).toContain(answer);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    const refused = entries.filter(({ message: text }) => text === "a request was refused");
    expect(refused.map(({ fields }) => fields)).toMatchObject([{ request: logged, reason: "a text is not UTF-8" }]);
  });

  it("is refused where it has a NUL, and another command is forced", async () => {
    class Forcing extends TestServer {
      override checkAuthPassword(): Grant {
        return new Grant({ permissions: { forceCommand: "date" } });
      }
    }
    const { logger, entries } = recordingLogger();
    const manager = await startManager({ serverInterface: new Forcing(), logger });
    const client = await login(manager);
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "a\0b"));
    await client.expect(MessageNumber.CHANNEL_FAILURE);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    const refused = entries.filter(({ message: text }) => text === "a request was refused");
    expect(refused.map(({ fields }) => fields)).toMatchObject([
      { request: "channel request exec", reason: "SSH_ORIGINAL_COMMAND cannot hold a NUL" },
    ]);
  });
});

describe("a silent client", () => {
  it("is asked for a sign of life, and stays while it gives one", async () => {
    const manager = await startManager({ clientAliveInterval: 0.05, clientAliveCountMax: 2 });
    const client = await login(manager);
    for (let round = 0; round < 5; round++) {
      await client.expect(MessageNumber.GLOBAL_REQUEST);
      client.sendPacket(message(MessageNumber.REQUEST_FAILURE));
    }
    expect((await client.exec("hello")).exitStatus).toBe(0);
  });

  it("is given up when it gives none", async () => {
    const manager = await startManager({ clientAliveInterval: 0.05, clientAliveCountMax: 2 });
    const client = await login(manager);
    const { disconnect, payloads } = await client.waitEnd();
    expect(disconnect?.reason).toBe(DisconnectReason.CONNECTION_LOST);
    expect(payloads.map(([number]) => number)).toEqual([MessageNumber.GLOBAL_REQUEST, MessageNumber.GLOBAL_REQUEST]);
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
  });

  it("is not asked while it has anything to say", async () => {
    const manager = await startManager({ clientAliveInterval: 0.2, clientAliveCountMax: 1 });
    const client = await login(manager);
    const end = performance.now() + 600;
    while (performance.now() < end) {
      client.sendPacket(ping("x"));
      expect((await client.nextPacket())[0]).toBe(MessageNumber.PONG);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  it("is not asked again while it has not taken what was sent before, however often that may be", async () => {
    const manager = await startManager({ clientAliveInterval: 0.001, clientAliveCountMax: false });
    const wires: Wire[] = [];
    const front = createServer((socket) => {
      const wire = new Wire(socket);
      wires.push(wire);
      manager.handleConnection(wire);
    });
    onTestFinished(() => void front.close());
    await once(front.listen(0, "127.0.0.1"), "listening");
    const silent = await PacketClient.login((front.address() as AddressInfo).port, USERNAME, PASSWORD);
    const [wire] = wires;
    if (wire === undefined) throw new Error("nobody was served");
    wire.stall();
    const reading = await login(manager);
    for (let bytes = 0; bytes < 2 * wire.writableHighWaterMark; bytes += 64) {
      expect((await reading.nextPacket())[0]).toBe(MessageNumber.GLOBAL_REQUEST);
    }
    expect(wire.writableLength).toBeLessThan(wire.writableHighWaterMark + 128);
    silent.reset();
  });

  it("is left alone unless the server is told to ask", async () => {
    const manager = await startManager();
    const client = await login(manager);
    await expect(client.nextPacket(300)).rejects.toThrow("waited 300 ms");
  });
});

describe("new keys", () => {
  it("are made by time, when the client is heard of next, again and again", async () => {
    const manager = await startManager({ rekeyLimit: { seconds: 1 } });
    const client = await login(manager);
    for (let round = 0; round < 2; round++) {
      await expect(client.nextPacket(1100)).rejects.toThrow("waited 1100 ms");
      client.sendPacket(ping("awake"));
      await client.readServerKexInit();
      client.sendKexInit();
      await client.agreeOnKeys();
      client.sendNewKeys();
      expect((await client.expect(MessageNumber.PONG)).subarray(5).toString()).toBe("awake");
    }
    expect((await client.exec("hello")).exitStatus).toBe(0);
  });

  it("are made by time, too, when the client hears of the server", async () => {
    let programs: Channel | undefined;
    class Talking extends TestServer {
      override checkChannelExecRequest(channel: Channel): boolean {
        programs = channel;
        return true;
      }
    }
    const manager = await startManager({ serverInterface: new Talking(), rekeyLimit: { seconds: 1 } });
    const client = await login(manager);
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "talk"));
    await client.expect(MessageNumber.CHANNEL_SUCCESS);
    await expect(client.nextPacket(1100)).rejects.toThrow("waited 1100 ms");
    programs?.send("news");
    await client.readServerKexInit();
    client.sendKexInit();
    await client.agreeOnKeys();
    client.sendNewKeys();
    const data = await client.expect(MessageNumber.CHANNEL_DATA);
    expect(data.toString("latin1")).toContain("news");
  });

  it("are made when a hook asks, once, and not before the login", async () => {
    const manager = await startManager();
    manager.on("connection", (connection) => connection.rekey());
    const client = await login(manager);
    const [connection] = manager.getActiveConnections();
    connection?.rekey();
    connection?.rekey();
    await client.readServerKexInit();
    client.sendKexInit();
    await client.agreeOnKeys();
    client.sendNewKeys();
    expect((await client.exec("hello")).exitStatus).toBe(0);
  });

  it("are made by bytes, while data flows", async () => {
    class Talking extends TestServer {
      override checkChannelExecRequest(channel: Channel): boolean {
        channel.send(Buffer.alloc(200 * 1024, "x"));
        channel.sendExitStatus(0);
        channel.close();
        return true;
      }
    }
    const manager = await startManager({ serverInterface: new Talking(), rekeyLimit: { bytes: 64 * 1024 } });
    const client = await login(manager);
    const { id } = await client.openSession();
    client.sendPacket(execRequest(id, "talk"));
    let exchanges = 0;
    let bytes = 0;
    for (let closed = false; !closed; ) {
      const payload = await client.nextPacket();
      if (payload[0] === MessageNumber.KEXINIT) {
        exchanges++;
        client.acceptServerKexInit(payload);
        client.sendKexInit();
        await client.agreeOnKeys();
        client.sendNewKeys();
      } else if (payload[0] === MessageNumber.CHANNEL_DATA) {
        bytes += payload.length - 9;
      }
      closed = payload[0] === MessageNumber.CHANNEL_CLOSE;
    }
    expect(bytes).toBe(200 * 1024);
    expect(exchanges).toBeGreaterThan(0);
  });
});

describe("a hook that takes its time", () => {
  it("in authentication keeps everything else of that client waiting, and nobody else", async () => {
    const decision = new Deferred<AuthResult>();
    const asked: string[] = [];
    class Slow extends TestServer {
      override checkAuthPassword(username: string, password: string): AuthDecision | Promise<AuthDecision> {
        asked.push(password);
        return password === "slow" ? decision.promise : super.checkAuthPassword(username, password);
      }
    }
    const manager = await startManager({ serverInterface: new Slow() });
    const client = await PacketClient.authenticating(manager.port);
    client.sendPacket(passwordRequest(USERNAME, "slow"));
    client.sendPacket(passwordRequest(USERNAME, PASSWORD));
    expect((await (await login(manager)).exec("hello")).exitStatus).toBe(0);
    expect(asked).toEqual(["slow", PASSWORD]);
    decision.resolve(AUTH_FAILED);
    await client.expect(MessageNumber.USERAUTH_FAILURE);
    await client.expect(MessageNumber.USERAUTH_SUCCESS);
    expect(asked).toEqual(["slow", PASSWORD, PASSWORD]);
  });
});

describe("a client that leaves", () => {
  it("is not heard any more, whatever still waits to be handled", async () => {
    class Slow extends TestServer {
      readonly asked: string[] = [];
      override checkGlobalRequest(): Promise<boolean> {
        return new Promise(() => {});
      }
      override checkChannelExecRequest(_channel: Channel, command: Buffer): boolean {
        this.asked.push(command.toString());
        return true;
      }
      override checkChannelRequest(): number {
        this.asked.push("open");
        return 0;
      }
    }
    const server = new Slow();
    const manager = await startManager({ serverInterface: server });
    const client = await login(manager);
    const { id } = await client.openSession();
    // More than may wait: what follows stays in the transport.
    for (let count = 0; count < 130; count++) client.sendPacket(globalRequest("slow", "want-reply"));
    client.sendPacket(execRequest(id, "late"));
    client.sendPacket(channelOpen());
    await client.close();
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    expect(server.asked).toEqual(["open"]);
  });
});

describe("a client that does not read", () => {
  it("is read again once it has taken its answers, also if the last one was one too many", async () => {
    const manager = createManager();
    let wire: Wire | undefined;
    const front = createServer((socket) => {
      wire = new Wire(socket);
      manager.handleConnection(wire);
    });
    onTestFinished(() => void front.close());
    await once(front.listen(0, "127.0.0.1"), "listening");
    const client = await PacketClient.handshake((front.address() as AddressInfo).port);
    if (wire === undefined) throw new Error("no connection came");
    wire.stall();
    client.sendPacket(ping(Buffer.alloc(70_000)));
    await client.expect(MessageNumber.PONG);
    wire.collect(140_000);
    client.sendPacket(ping(Buffer.alloc(140_000)));
    client.sendPacket(ping("last"));
    await vi.waitFor(() => expect(wire?.isPaused()).toBe(true));
    wire.goOn();
    await client.expect(MessageNumber.PONG);
    await client.expect(MessageNumber.PONG);
    client.sendPacket(ping("and on"));
    await client.expect(MessageNumber.PONG);
  });
});

describe("a host key", () => {
  it("may be anything that signs, also later", async () => {
    const key = PKey.generate({ keyType: "ed25519" });
    const { keyType, publicBlob, signatureAlgorithms } = key;
    const sign = vi.fn(async (data: Buffer, algorithm: string) => {
      await new Promise((resolve) => setImmediate(resolve));
      return key.sign(data, algorithm);
    });
    const manager = await startManager({ serverKey: { keyType, publicBlob, signatureAlgorithms, sign } });
    const client = await login(manager);
    expect(client.hostKeyBlob.equals(publicBlob)).toBe(true);
    expect(sign).toHaveBeenCalledOnce();
  });

  it("that fails to sign ends the connection and harms nobody", async () => {
    const key = PKey.generate({ keyType: "ed25519" });
    const { keyType, publicBlob, signatureAlgorithms } = key;
    const { logger, entries } = recordingLogger();
    const sign = () => Promise.reject(new Error("the HSM is gone"));
    const manager = await startManager({ logger, serverKey: { keyType, publicBlob, signatureAlgorithms, sign } });
    const client = await PacketClient.connect(manager.port);
    await client.exchangeIdentifications();
    await expect(client.exchangeKeys()).rejects.toThrow("the host key could not sign");
    await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0));
    expect(entries.some(({ fields }) => Object.values(fields).some((value) => /HSM/.test(String(value))))).toBe(true);
    expect(manager.isRunning()).toBe(true);
  });
});

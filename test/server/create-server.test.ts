import { getEventListeners, once } from "node:events";
import { mkdirSync } from "node:fs";
import { chmod, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { type HostKey, PKey } from "../../src/crypto/index.js";
import {
  AUTH_SUCCESSFUL,
  allowTargets,
  createServer,
  Grant,
  type Logger,
  type ServerOptions,
} from "../../src/index.js";
import { Deferred } from "../attack/deferred.js";
import { LogRecord } from "../authenticators/test-login.js";
import { openCommand, sessionFixture } from "../session/session-fixture.js";
import { PacketClient } from "../support/packet-client.js";
import { noneRequest } from "../support/packet-messages.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { temporaryFolder } from "../support/tools.js";

const hostKey = PKey.generate({ keyType: "ed25519" });
const everybody = { none: () => AUTH_SUCCESSFUL } as const;
const refused = (option: string, message: RegExp) =>
  expect.objectContaining({ option, message: expect.stringMatching(message) });

describe("the host key of createServer", () => {
  const folder = temporaryFolder();
  let count = 0;
  const file = () => {
    const own = join(folder, `key-${count++}`);
    mkdirSync(own, { mode: 0o700 });
    return join(own, "host_key");
  };

  async function fingerprints(option: ServerOptions["hostKey"]): Promise<unknown> {
    const lines: object[] = [];
    const logger = {
      debug() {},
      info: (fields: object) => lines.push(fields),
      warn() {},
      error() {},
    } as unknown as Logger;
    await using server = createServer({ hostKey: option, authentication: everybody, logger });
    await server.listen(0);
    return lines.flatMap((line) => ("fingerprints" in line ? line.fingerprints : []));
  }

  it("is a file that is made with mode 0600, and used again", async () => {
    const path = file();
    const first = await fingerprints(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await fingerprints(path)).toEqual(first);
    expect(first).toEqual([(await PKey.fromFile(path)).fingerprint()]);
  });

  it("is a warning with path and fingerprint where it was made, and makes no folder", async () => {
    const path = file();
    const logger = new LogRecord();
    await using server = createServer({ hostKey: path, authentication: everybody, logger });
    await server.listen(0);
    const fingerprint = (await PKey.fromFile(path)).fingerprint();
    const made = logger.lines.filter(({ level }) => level === "warn");
    expect(made).toEqual([{ level: "warn", message: "a host key was made", path, fingerprint }]);
    const mistyped = join(folder, "none", "host_key");
    const other = createServer({ hostKey: mistyped, authentication: everybody, logger });
    const message = /none\/host_key cannot be created: the folder .*none is not there: make it/;
    await expect(other.listen(0)).rejects.toEqual(refused("hostKey", message));
    expect(await stat(join(folder, "none")).catch(() => "not there")).toBe("not there");
  });

  it("is a key, a signer, or a list of them and of files", async () => {
    const rsa = RSA_KEY;
    const { keyType, publicBlob, signatureAlgorithms } = hostKey;
    const signer: HostKey = {
      keyType,
      publicBlob,
      signatureAlgorithms,
      sign: (data, name) => hostKey.sign(data, name),
    };
    const path = file();
    expect(await fingerprints(hostKey)).toEqual([hostKey.fingerprint()]);
    expect(await fingerprints([rsa, signer, path])).toEqual([
      rsa.fingerprint(),
      hostKey.fingerprint(),
      (await PKey.fromFile(path)).fingerprint(),
    ]);
  });

  it("is refused where others can read the file, with what to do", async () => {
    const path = file();
    await fingerprints(path);
    await chmod(path, 0o644);
    const server = createServer({ hostKey: path, authentication: everybody, logger: false });
    await expect(server.listen(0)).rejects.toEqual(refused("hostKey", /open to other users.*chmod 600/));
    expect(() => server.port).toThrow("does not listen");
    await chmod(path, 0o600);
    await server.listen(0);
    await server.close();
  });

  it("is refused where the file holds no private key", async () => {
    const path = join(folder, "public");
    await writeFile(path, hostKey.publicKey.toPublicString(), { mode: 0o600 });
    const listen = (option: string) =>
      createServer({ hostKey: option, authentication: everybody, logger: false }).listen(0);
    await expect(listen(path)).rejects.toEqual(refused("hostKey", /only a public key/));
    await writeFile(path, "nonsense");
    await expect(listen(path)).rejects.toEqual(refused("hostKey", /./));
    await expect(listen(join(path, "below"))).rejects.toEqual(refused("hostKey", /./));
  });
});

describe("createServer", () => {
  const options: ServerOptions = { hostKey, authentication: everybody, logger: false };

  it("listens on loopback, tells where, and closes; it may listen again", async () => {
    const server = createServer(options);
    expect(() => server.port).toThrow("does not listen");
    await server.listen(0);
    expect(server.address).toBe("127.0.0.1");
    const { port } = server;
    await expect(server.listen(0)).rejects.toThrow("listens already");
    await server.close();
    await server.close();
    expect(() => server.address).toThrow("does not listen");
    await server.listen(port, "127.0.0.2");
    expect([server.address, server.port]).toEqual(["127.0.0.2", port]);
    await server.close();
  });

  it("closes by its signal, and does not listen where that has fired", async () => {
    const end = new AbortController();
    const server = createServer(options);
    await server.listen(0, undefined, { signal: end.signal });
    const socket = connect(server.port, "127.0.0.1");
    await once(socket, "data");
    end.abort();
    await once(socket.resume(), "close");
    expect(() => server.port).toThrow("does not listen");
    await expect(server.listen(0, undefined, { signal: end.signal })).rejects.toThrow("aborted");
    const later = new AbortController();
    const listening = server.listen(0, undefined, { signal: later.signal });
    later.abort();
    await expect(listening).rejects.toThrow("aborted");
    expect(() => server.port).toThrow("does not listen");
  });

  it("is not closed by the signal of an earlier listen", async () => {
    const earlier = new AbortController();
    const server = createServer(options);
    await server.listen(0, undefined, { signal: earlier.signal });
    await server.close();
    await server.listen(0);
    onTestFinished(() => server.close());
    earlier.abort();
    expect(server.port).toBeGreaterThan(0);
    expect(getEventListeners(earlier.signal, "abort")).toEqual([]);
  });

  it("closes where it is about to listen", async () => {
    const server = createServer(options);
    const listening = server.listen(0);
    await server.close();
    await listening;
    expect(() => server.port).toThrow("does not listen");
  });

  it("names the address or the port that cannot be listened on", async () => {
    await using other = createServer(options);
    await other.listen(0);
    await expect(createServer(options).listen(other.port)).rejects.toEqual(refused("port", /already in use/));
    await expect(createServer(options).listen(0, "192.0.2.1")).rejects.toEqual(refused("host", /not an address/));
  });

  it("installs no handlers on the process", async () => {
    const counts = () => process.eventNames().map((name) => [name, process.listenerCount(name)]);
    const before = counts();
    await using server = createServer({ ...options, session: () => 0 });
    await server.listen(0);
    expect(counts()).toEqual(before);
  });

  it("knows the data of its logins in its handlers", () => {
    createServer({
      ...options,
      authentication: { password: (username) => new Grant({ data: { name: username } }) },
      session: ({ data, stdout }) => {
        const { name }: { name: string } = data;
        stdout.write(name);
      },
      sftp: ({ data }) => data.name.toUpperCase(),
      forwarding: {
        local: ({ connection }) => connection.identity?.data.name.startsWith("a") === true,
        remote: ({ connection }) => connection.identity?.data.name.startsWith("a") === true,
        agent: ({ connection }) => connection.identity?.data.name.startsWith("a") === true,
      },
    });
    createServer({
      ...options,
      authentication: { none: () => new Grant({ data: 5 }) },
      session: ({ data }) => data.valueOf(),
      forwarding: { local: allowTargets({ targets: [] }) },
    });
    createServer({
      ...options,
      authentication: { none: () => new Grant({ data: 5 }) },
      // @ts-expect-error The data are a number.
      session: ({ data }) => data.name,
    });
  });
});

describe("closing a server with sessions", () => {
  const fixture = sessionFixture();
  const { handle, connect: login, server, logged } = fixture;

  async function started(work: (signal: AbortSignal, stdout: NodeJS.WritableStream) => Promise<number>) {
    const begun = new Deferred();
    handle(async ({ signal, stdout }) => {
      begun.resolve();
      return work(signal, stdout);
    });
    const client = await login();
    const channel = await openCommand(client, "any");
    await begun.promise;
    return { client, channel };
  }

  it("tells them why, and lets them end within the grace", async () => {
    const { channel } = await started(async (signal, stdout) => {
      await once(signal, "abort");
      stdout.write(`goodbye: ${signal.reason.reason}`);
      await passed(50);
      return 9;
    });
    let output = "";
    channel.on("data", (chunk: Buffer) => {
      output += chunk;
    });
    const end = once(channel, "close");
    await server.close({ grace: 20 });
    expect([await end, output]).toEqual([[9], "goodbye: shutdown"]);
  });

  it("waits no longer than the grace, and reports handlers that go on", { timeout: 30_000 }, async () => {
    await server.listen(0);
    const goOn = new Deferred<number>();
    const { client } = await started(() => goOn.promise);
    const gone = once(client, "close");
    const begun = performance.now();
    await server.close({ grace: 0.5 });
    const time = performance.now() - begun;
    expect(time).toBeGreaterThan(450);
    expect(time).toBeLessThan(5_000);
    await gone;
    expect(await logged("error", "a session's handler goes on although its session has ended")).toMatchObject({
      fields: { handler: "session", reason: "shutdown" },
    });
    goOn.resolve(0);
  });
});

describe("a server of createServer and its connections", () => {
  it("tells of them by events, a list and numbers", async () => {
    await using server = createServer({ hostKey, authentication: everybody, logger: false });
    expect([server.connections, server.statistics.accepted]).toEqual([[], 0]);
    const heard: string[] = [];
    for (const event of ["connection", "authenticated"] as const)
      server.on(event, ({ id }) => heard.push(`${event} ${id}`));
    await server.listen(0);
    const client = await PacketClient.authenticating(server.port);
    onTestFinished(() => client.close());
    await client.authenticate(noneRequest("ann"));
    const [connection] = server.connections;
    if (connection === undefined) throw new Error("there is no connection");
    expect(heard).toEqual([`connection ${connection.id}`, `authenticated ${connection.id}`]);
    expect(server.statistics).toMatchObject({ accepted: 1, active: 1, authenticated: 1 });
    const disconnected = once(server, "disconnected");
    connection.disconnect();
    expect((await disconnected)[1]).toMatchObject({ kind: "disconnected" });
    expect([server.connections, server.statistics.accepted]).toEqual([[], 1]);
  });

  it("serves a stream that it was given, also where it does not listen", async () => {
    const lines: string[] = [];
    const logger: Logger = { debug() {}, info() {}, warn() {}, error: (_, message) => void lines.push(message) };
    await using server = createServer({ hostKey, authentication: everybody, logger });
    server.on("connection", () => {
      throw new Error("broken");
    });
    const [ours, theirs] = duplexPair();
    const greeting = once(theirs, "data");
    const connection = await server.handleConnection(ours, { remoteAddress: "192.0.2.7" });
    expect(String((await greeting)[0])).toMatch(/^SSH-2\.0-spindlex/);
    expect(server.connections).toEqual([connection]);
    expect(connection.remoteAddress).toBe("192.0.2.7");
    expect(lines).toContain("a listener of the server has failed");
    await server.close({ grace: 0 });
    expect(server.connections).toEqual([]);
  });

  it("serves no stream that was waiting for the host keys when the server was closed", async () => {
    await using server = createServer({ hostKey: [hostKey], authentication: everybody, logger: false });
    const [ours] = duplexPair();
    const serving = server.handleConnection(ours);
    const refusal = expect(serving).rejects.toThrow("the server was closed");
    await server.close({ grace: 0 });
    await refusal;
    expect([ours.destroyed, server.connections]).toEqual([true, []]);
    const [later] = duplexPair();
    await server.handleConnection(later);
    expect(server.connections.length).toBe(1);
    await server.close({ grace: 0 });
  });

  it("destroys a stream that it cannot serve", async () => {
    await using server = createServer({
      hostKey: "/dev/null/host_key",
      authentication: everybody,
      logger: false,
    });
    const [ours] = duplexPair();
    const serving = server.handleConnection(ours);
    ours.emit("error", new Error("the client has gone"));
    await expect(serving).rejects.toThrow(refused("hostKey", /./));
    expect(ours.destroyed).toBe(true);
    await expect(server.handleConnection(duplexPair()[0], { remoteAddress: 5 } as never)).rejects.toThrow();
  });
});

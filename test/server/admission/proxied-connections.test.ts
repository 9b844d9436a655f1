import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { SSHServerManager, SSHServerManagerOptions } from "../../../src/index.js";
import { PacketClient } from "../../support/packet-client.js";
import { PacketSocket, StreamEnded } from "../../support/packet-socket.js";
import { defaults } from "../../support/packet-transport.js";
import { PASSWORD, startManager, USERNAME } from "../test-server.js";
import { binaryHeader } from "./proxy-header-bytes.js";

const PROXY = "127.0.0.10";
const proxyProtocol = { from: [`${PROXY}/32`] };
const header = (address: string) => Buffer.from(`PROXY TCP4 ${address} 127.0.0.1 5000 22\r\n`, "latin1");

async function start(options: Partial<SSHServerManagerOptions> = {}) {
  const causes: unknown[] = [];
  const info = (fields: object, message: string) => {
    if (message === "a connection was refused" && "cause" in fields) causes.push(fields.cause);
  };
  const logger = { debug: () => {}, info, warn: () => {}, error: () => {} };
  const manager = await startManager({ proxyProtocol, logger, ...options });
  return { manager, causes };
}

/** A client behind the proxy. */
class ProxiedClient extends PacketClient {
  /** @param bytes that the proxy sends first */
  static async through(manager: SSHServerManager, bytes: Buffer): Promise<PacketClient> {
    const stream = await PacketSocket.connect(manager.port, 10_000, PROXY);
    stream.socket.write(bytes);
    return new ProxiedClient(stream, defaults);
  }
}

const proxied = (manager: SSHServerManager, bytes: Buffer) => ProxiedClient.through(manager, bytes);

async function login(manager: SSHServerManager, bytes: Buffer): Promise<PacketClient> {
  const client = await proxied(manager, bytes);
  await client.exchangeIdentifications();
  await client.exchangeKeys();
  await client.requestService("ssh-userauth");
  await client.authPassword(USERNAME, PASSWORD);
  return client;
}

function connectFrom(manager: SSHServerManager, localAddress: string): Socket {
  const socket = connect({ port: manager.port, host: "127.0.0.1", localAddress });
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function expectClosedWithoutAByte(client: PacketClient): Promise<void> {
  await expect(client.stream.take(1)).rejects.toThrow(StreamEnded);
  expect(client.stream.available).toBe(0);
}

describe("a connection through a listed proxy", () => {
  it.each([
    ["version 1", header("192.0.2.7"), "192.0.2.7", 5000],
    ["version 2", binaryHeader({ family: 0x11, source: "c0000207", port: 5000 }), "192.0.2.7", 5000],
    [
      "version 2 for IPv6",
      binaryHeader({ family: 0x21, source: "20010db8000000000000000000000007", port: 5000, rest: Buffer.alloc(64) }),
      "2001:db8::7",
      5000,
    ],
    [
      "version 1 for IPv4 mapped into IPv6",
      Buffer.from("PROXY TCP6 ::ffff:192.0.2.7 ::1 5000 22\r\n"),
      "192.0.2.7",
      5000,
    ],
    [
      "version 2 for IPv4 mapped into IPv6",
      binaryHeader({ family: 0x21, source: "00000000000000000000ffffc0000207", port: 5000 }),
      "192.0.2.7",
      5000,
    ],
    ["UNKNOWN", Buffer.from("PROXY UNKNOWN\r\n"), undefined, undefined],
  ])("has the address of its client: %s", async (_, bytes, address, port) => {
    const { manager } = await start();
    const client = await login(manager, bytes);
    const [connection] = manager.getActiveConnections();
    expect([connection?.remoteAddress, connection?.remotePort]).toEqual([address, port]);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
  });

  it("has that of the proxy where the proxy speaks for itself", async () => {
    const { manager } = await start();
    const client = await login(manager, binaryHeader({ command: 0x20 }));
    expect(manager.getActiveConnections()[0]?.remoteAddress).toBe(PROXY);
    await client.close();
  });

  it("may begin in the same segment as the header, or byte by byte", async () => {
    const { manager } = await start();
    const stream = await PacketSocket.connect(manager.port, 10_000, PROXY);
    for (const byte of header("192.0.2.7").subarray(0, 20)) {
      stream.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    stream.socket.write(
      Buffer.concat([header("192.0.2.7").subarray(20), Buffer.from("SSH-2.0-early\r\n"), Buffer.from("GARBAGE")]),
    );
    await stream.take(4);
    await vi.waitFor(() => expect(manager.getActiveConnections()[0]?.clientVersion).toBe("SSH-2.0-early"));
    stream.socket.destroy();
  });

  it("is refused for its client's address, and penalised for it", async () => {
    const { manager } = await start({
      denyFrom: "192.0.2.0/24",
      perSourcePenalties: { min: 1, noAuth: 60 },
    });
    await expectClosedWithoutAByte(await proxied(manager, header("192.0.2.7")));
    const guilty = await proxied(manager, header("198.51.100.7"));
    await guilty.readIdentification();
    await guilty.close();
    await vi.waitFor(() => expect(manager.getConnectionStats().penalisedSources).toBe(1));
    await expectClosedWithoutAByte(await proxied(manager, header("198.51.100.7")));
    await (await login(manager, header("198.51.100.8"))).close();
    expect(manager.getConnectionStats().refusedBy).toMatchObject({ denyFrom: 1, perSourcePenalties: 1 });
  });

  it("counts for its client's source, not for the proxy", async () => {
    const { manager } = await start({ perSourceMaxStartups: 1 });
    const held = await proxied(manager, header("192.0.2.7"));
    await held.readIdentification();
    await expectClosedWithoutAByte(await proxied(manager, header("192.0.2.7")));
    await (await login(manager, header("192.0.2.8"))).close();
    held.reset();
  });
});

describe("a listed proxy", () => {
  it.each([
    ["no header", Buffer.from("SSH-2.0-client\r\n"), "there is no header"],
    ["a wrong address", header("192.0.2.300"), "the header has a wrong address"],
    ["a header that is too long", binaryHeader({ rest: Buffer.alloc(5000) }), "the header is too long"],
    ["a line that does not end", Buffer.from(`PROXY UNKNOWN ${"x".repeat(200)}`), "the header's line does not end"],
  ])("with %s is cut off, told nothing, and the log says why", async (_, bytes, cause) => {
    const { manager, causes } = await start();
    await expectClosedWithoutAByte(await proxied(manager, bytes));
    expect(causes).toEqual([cause]);
    expect(manager.getConnectionStats()).toMatchObject({ accepted: 0, refused: 1, active: 0 });
    await (await login(manager, header("192.0.2.8"))).close();
  });

  it.each([["end"], ["reset"]])("may %s its connection before the header", async (how) => {
    const { manager, causes } = await start();
    const client = await proxied(manager, Buffer.from("PROX"));
    if (how === "reset") client.reset();
    else client.stream.socket.end();
    await vi.waitFor(() => expect(causes).toHaveLength(1));
    expect(manager.getConnectionStats().refusedBy.proxyProtocol).toBe(1);
  });

  it("that sends its header too slowly is cut off", async () => {
    const { manager, causes } = await start({ proxyProtocol: { ...proxyProtocol, timeout: 0.1 } });
    await expectClosedWithoutAByte(await proxied(manager, Buffer.from("PROXY TCP4 ")));
    expect(causes).toEqual(["the header did not come in time"]);
  });

  it("holds no more sockets without a header than there may be connections", async () => {
    const { manager } = await start();
    await manager.stopServer();
    manager.setMaxConnections(2);
    await manager.startServer();
    const held = [connectFrom(manager, PROXY), connectFrom(manager, PROXY)];
    for (const socket of held) await new Promise((resolve) => socket.once("connect", resolve));
    await expectClosedWithoutAByte(await proxied(manager, Buffer.alloc(0)));
    expect(manager.getConnectionStats().refusedBy.maxConnections).toBe(1);
    for (const socket of held) socket.destroy();
    await vi.waitFor(() => expect(manager.getConnectionStats().refusedBy.proxyProtocol).toBe(2));
    await (await login(manager, header("192.0.2.8"))).close();
  });

  it("is let go when the server stops", async () => {
    const { manager } = await start();
    const client = await proxied(manager, Buffer.from("PROXY"));
    await (await login(manager, header("192.0.2.8"))).close();
    await manager.stopServer({ gracePeriod: 0 });
    await expectClosedWithoutAByte(client);
  });
});

describe("a connection that comes from nowhere listed", () => {
  it("cannot claim to be someone else: a header is not an identification", async () => {
    const { manager } = await start();
    const client = await PacketClient.connect(manager.port, { localAddress: "127.0.0.11" });
    client.stream.socket.write(header("192.0.2.7"));
    await vi.waitFor(() => expect(manager.getConnectionStats()).toMatchObject({ accepted: 1, active: 0 }));
    client.reset();
  });

  it("is served without a header", async () => {
    const { manager } = await start();
    const client = await PacketClient.login(manager.port, USERNAME, PASSWORD, { localAddress: "127.0.0.11" });
    expect(manager.getActiveConnections()[0]?.remoteAddress).toBe("127.0.0.11");
    await client.close();
  });
});

import { once } from "node:events";
import { connect } from "node:net";
import { duplexPair } from "node:stream";
import { describe, expect, it } from "vitest";
import { createServer, type SSHServerManager } from "../../src/index.js";
import { AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { LogRecord } from "../authenticators/test-login.js";
import { PacketClient } from "../support/packet-client.js";
import { noneRequest } from "../support/packet-messages.js";
import { PacketSocket } from "../support/packet-socket.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { createManager, login, startManager } from "./test-server.js";

const refusedAt = async (port: number): Promise<unknown> => {
  const [error] = await once(connect(port, "127.0.0.1"), "error");
  return error.code;
};
const hello = async (client: PacketClient) => (await client.exec("hello")).exitStatus;
/** Resolves when the server has freed its addresses. */
const freed = (manager: SSHServerManager) => expect.poll(() => manager.isRunning(), { interval: 1 }).toBe(false);

describe("a manager that is drained", () => {
  it("frees its port at once, serves the clients that are there, and has stopped when the last is gone", async () => {
    const logger = new LogRecord();
    const manager = await startManager({ logger });
    const { port } = manager;
    const [idle, busy] = [await login(manager), await login(manager)];
    const startup = await PacketClient.authenticating(port);
    let isOver = false;
    const over = manager.stopListening().then(() => {
      isOver = true;
    });
    await freed(manager);
    expect(await refusedAt(port)).toBe("ECONNREFUSED");
    expect(() => manager.port).toThrow("does not run");
    expect(await hello(busy)).toBe(0);
    await idle.close();
    expect((await startup.authPassword("admin", "secret"))[0]).toBe(52);
    expect(await hello(startup)).toBe(0);
    await startup.close();
    expect(await hello(busy)).toBe(0);
    expect([isOver, manager.getConnectionCount()]).toEqual([false, 1]);
    await busy.close();
    await over;
    expect(logger.lines.map(({ message }) => message).filter((message) => /^the server/.test(`${message}`))).toEqual([
      "the server listens",
      "the server takes no new connections",
      "the server has stopped",
    ]);
    await manager.startServer();
    expect(await hello(await login(manager))).toBe(0);
  });

  it("ends the connections that are left at the deadline", async () => {
    const manager = await startManager();
    const client = await login(manager);
    await manager.stopListening({ deadline: 0.05 });
    await expect(client.nextPacket()).resolves.toSatisfy((payload: Buffer) => payload[0] === 1);
    expect(manager.getConnectionCount()).toBe(0);
  });

  it("takes the earliest of several deadlines", async () => {
    const manager = await startManager();
    await login(manager);
    await Promise.all([manager.stopListening({ deadline: false }), manager.stopListening({ deadline: 0.05 })]);
    expect(manager.getConnectionCount()).toBe(0);
  });

  it("can be stopped before, and does not listen again before that", async () => {
    const manager = await startManager();
    const client = await login(manager);
    const over = manager.stopListening({ deadline: false });
    await freed(manager);
    await expect(manager.startServer()).rejects.toThrow("is being drained");
    await manager.stopServer({ gracePeriod: 0.1 });
    await over;
    expect((await client.nextPacket())[0]).toBe(1);
    await manager.startServer();
  });

  it("takes no streams, and none of a proxy that has said nothing yet", async () => {
    const manager = await startManager({ proxyProtocol: { from: "127.0.0.10" } });
    const client = await login(manager);
    const proxied = await PacketSocket.connect(manager.port, 5000, "127.0.0.10");
    const closed = once(proxied.socket, "close");
    // Clients that come later are accepted later.
    await (await login(manager)).close();
    const over = manager.stopListening();
    await freed(manager);
    await closed;
    const [stream, other] = duplexPair();
    manager.handleConnection(stream);
    expect(`${(await once(other, "data"))[0]}`).toContain("SSH-2.0-spindlex");
    expect(manager.getConnectionStats().refusedBy).toMatchObject({ shutdown: 1, proxyProtocol: 1 });
    await client.close();
    await over;
  });

  it("resolves at once where there are no clients, and where it never ran", async () => {
    await (await startManager()).stopListening();
    await createManager().stopListening();
  });

  it.each([0, -1, Number.NaN, "5", 1e10])("takes no deadline of %j", async (deadline) => {
    const wrong = { deadline } as { deadline: number };
    const blame = expect.objectContaining({ name: "ConfigurationError", option: "deadline" });
    const manager = await startManager();
    await expect(manager.stopListening(wrong)).rejects.toEqual(blame);
    expect(manager.isRunning()).toBe(true);
    const server = createServer({ hostKey: RSA_KEY });
    await expect(server.stopListening(wrong)).rejects.toEqual(blame);
  });
});

describe("a server of createServer that is drained", () => {
  it("serves the clients that are there, and may listen again; its signal still ends it", async () => {
    const authentication = { none: () => AUTH_SUCCESSFUL } as const;
    await using server = createServer({ hostKey: RSA_KEY, logger: false, authentication });
    const enter = async () => {
      const client = await PacketClient.authenticating(server.port);
      expect((await client.authenticate(noneRequest("ann")))[0]).toBe(52);
      return client;
    };
    await server.listen(0);
    const client = await enter();
    const over = server.stopListening();
    await expect.poll(() => server.connections.length).toBe(1);
    await client.close();
    await over;
    const end = new AbortController();
    await server.listen(0, "127.0.0.1", { signal: end.signal });
    await enter();
    const second = server.stopListening({ deadline: false });
    end.abort();
    await second;
    expect(server.connections).toEqual([]);
  });
});

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import type { PacketClient } from "../support/packet-client.js";
import { channelClose, channelData, channelEof, globalRequest } from "../support/packet-messages.js";
import {
  ask,
  askedNumber,
  confirmation,
  handled,
  listenedPort,
  openFailure,
  place,
  startForwarding,
  visitor,
} from "./forwarding-client.js";

const LISTEN = "tcpip-forward";
const CANCEL = "cancel-tcpip-forward";
const LISTEN_ON_SOCKET = "streamlocal-forward@openssh.com";
const CANCEL_SOCKET = "cancel-streamlocal-forward@openssh.com";

const path = (name: string | Uint8Array): Buffer => new Writer().writeString(name).toBuffer();
const gone = (socket: Socket): Promise<void> => vi.waitFor(() => expect(socket.closed).toBe(true));

function makeRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "spindlex-test-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  return root;
}

describe("a place to listen on that cannot be one", () => {
  it("is refused, with one line of the log for each reason", async () => {
    const { client, lines, leave } = await startForwarding({
      remote: () => true,
      gatewayPorts: "clientspecified",
      socketRoots: [makeRoot()],
    });
    for (const address of ["\0", "a\0b", "a b", "[::1]", "\r\n", "x".repeat(30_000), Buffer.of(0xff)]) {
      expect(await ask(client, LISTEN, place(address, 0))).toBe(false);
    }
    for (const port of [1, 1023, 65_536, 2 ** 32 - 1]) {
      expect(await ask(client, LISTEN, place("localhost", port))).toBe(false);
    }
    for (const name of ["relative", "/", "/etc/x", "/".repeat(30_000)]) {
      expect(await ask(client, LISTEN_ON_SOCKET, path(name))).toBe(false);
      expect(await ask(client, CANCEL_SOCKET, path(name))).toBe(false);
    }
    expect(lines.map(({ reason }) => reason)).toEqual([
      "tcpip-forward: it is not an address",
      "a text is not UTF-8",
      "tcpip-forward: ports under 1024 are not listened on",
      "tcpip-forward: not a port",
      "streamlocal-forward@openssh.com: it is not the path of a socket",
      "cancel-streamlocal-forward@openssh.com: it is not listened on",
      "streamlocal-forward@openssh.com: it is outside the folders for sockets",
    ]);
    await leave();
  });

  it("is not asked about where no system has such a path", async () => {
    const { client, attacked, leave } = await startForwarding({ remote: () => true });
    for (const name of ["", "\0", "/a\0b"]) expect(await ask(client, LISTEN_ON_SOCKET, path(name))).toBe(false);
    expect(attacked.callNames).toEqual([]);
    await leave();
  });

  it("ends the connection where its fields are malformed", async () => {
    const { attacked, leave } = await startForwarding({ remote: () => true });
    const port = place("localhost", 0);
    for (const [kind, fields] of [
      [LISTEN, port.subarray(0, -1)],
      [LISTEN, Buffer.concat([port, port])],
      [CANCEL, port.subarray(0, 3)],
      [LISTEN_ON_SOCKET, Buffer.alloc(3)],
      [CANCEL_SOCKET, Buffer.concat([path("/x"), port])],
    ] as const) {
      const client = await attacked.login();
      client.sendPacket(globalRequest(kind, "no-reply", fields));
      expect((await client.waitDisconnect()).reason).toBe(2);
    }
    await leave();
  });
});

describe("the listeners of a client", () => {
  it("are nobody else's to cancel or to have", async () => {
    const root = makeRoot();
    const { client, attacked, leave } = await startForwarding({ remote: () => true, socketRoots: [root] });
    const other = await attacked.login();
    const port = await listenedPort(client);
    expect(await ask(client, LISTEN_ON_SOCKET, path(`${root}/s`))).toBe(true);
    for (const [kind, fields] of [
      [CANCEL, place("localhost", port)],
      [LISTEN, place("localhost", port)],
      [CANCEL_SOCKET, path(`${root}/s`)],
      [LISTEN_ON_SOCKET, path(`${root}/s`)],
    ] as const) {
      expect(await ask(other, kind, fields)).toBe(false);
    }
    await other.close();
    expect(readdirSync(root)).toEqual(["s"]);
    await visitor(port);
    await askedNumber(client, "forwarded-tcpip");
    await leave();
    expect(readdirSync(root)).toEqual([]);
  });

  it("are bounded, however often they are cancelled and made", async () => {
    const { client, lines, leave } = await startForwarding({ remote: () => true, maxListeners: 2 });
    const ports = [await listenedPort(client), await listenedPort(client)];
    for (let round = 0; round < 10; round++) {
      expect(await ask(client, LISTEN, place("localhost", 0))).toBe(false);
      const port = ports.shift() ?? 0;
      expect(await ask(client, CANCEL, place("localhost", port))).toBe(true);
      expect(await ask(client, CANCEL, place("localhost", port))).toBe(false);
      ports.push(await listenedPort(client));
    }
    expect(lines.map(({ reason }) => reason)).toEqual([
      "tcpip-forward: there are too many listeners",
      "cancel-tcpip-forward: it is not listened on",
    ]);
    await leave();
  });

  it("are gone where the client leaves while they are being made", async () => {
    const root = makeRoot();
    const { client, leave } = await startForwarding({ remote: () => true, socketRoots: [root] });
    for (let index = 0; index < 20; index++) {
      client.sendPacket(globalRequest(LISTEN, "want-reply", place("localhost", 0)));
      client.sendPacket(globalRequest(LISTEN_ON_SOCKET, "want-reply", path(`${root}/${index}`)));
    }
    await client.expect(M.REQUEST_SUCCESS);
    client.reset();
    await leave();
    await vi.waitFor(() => expect(readdirSync(root)).toEqual([]));
  });
});

describe("a connection to a listener", () => {
  it.each<[what: string, act: (client: PacketClient, id: number, socket: Socket) => Promise<void>]>([
    ["is refused", async (client, id) => client.sendPacket(openFailure(id))],
    [
      "is taken and closed",
      async (client, id) => {
        for (const one of [confirmation(id), channelClose(id)]) client.sendPacket(one);
      },
    ],
    [
      "is taken, and closed half and whole",
      async (client, id, socket) => {
        for (const one of [confirmation(id), channelData(id, "x"), channelEof(id)]) client.sendPacket(one);
        await vi.waitFor(() => expect(socket.readableLength + Number(socket.readableEnded)).toBeGreaterThan(0));
        client.sendPacket(channelClose(id));
      },
    ],
    [
      "is taken after the listener is cancelled",
      async (client, id, socket) => {
        expect(await ask(client, CANCEL, place("localhost", socket.remotePort ?? 0))).toBe(true);
        for (const one of [confirmation(id), channelData(id, "x"), channelClose(id)]) client.sendPacket(one);
      },
    ],
    [
      "has gone before it is taken",
      async (client, id, socket) => {
        socket.resetAndDestroy();
        client.sendPacket(confirmation(id));
        await client.expect(M.CHANNEL_CLOSE, { skip: [M.CHANNEL_EOF] });
        client.sendPacket(channelClose(id));
      },
    ],
    ["is never answered about, by a client that leaves", async (client) => client.reset()],
  ])("that %s leaves nothing", async (_, act) => {
    const { client, leave } = await startForwarding({ remote: () => true });
    const socket = await visitor(await listenedPort(client));
    socket.on("end", () => socket.end());
    await act(client, await askedNumber(client, "forwarded-tcpip"), socket);
    if (!client.stream.socket.destroyed) await handled(client);
    socket.resume();
    await gone(socket);
    await leave();
  });

  it("that is confirmed twice ends the client's connection", async () => {
    const { client, leave } = await startForwarding({ remote: () => true });
    const socket = await visitor(await listenedPort(client));
    const id = await askedNumber(client, "forwarded-tcpip");
    for (let index = 0; index < 2; index++) client.sendPacket(confirmation(id));
    expect((await client.waitDisconnect()).reason).toBe(2);
    socket.resume().on("end", () => socket.end());
    await gone(socket);
    await leave();
  });

  it("that a client never answers about is one of few; the others are reset", async () => {
    const { client, lines, leave } = await startForwarding({ remote: () => true, maxPendingConnections: 3 });
    const port = await listenedPort(client);
    const sockets = await Promise.all(Array.from({ length: 20 }, () => visitor(port)));
    for (const socket of sockets) socket.resume();
    await vi.waitFor(() => expect(sockets.filter(({ closed }) => closed)).toHaveLength(17));
    expect((await handled(client)).filter((number) => number === M.CHANNEL_OPEN)).toHaveLength(3);
    expect(lines.map(({ reason }) => reason)).toEqual(["tcpip-forward: too many connections wait for the client"]);
    client.reset();
    await Promise.all(sockets.map(gone));
    await leave();
  });
});

describe("a server that stops, or whose patience is over", () => {
  it.each(["stopServer", "idleTimeout"])("leaves no listener and no connection: %s", async (why) => {
    const root = makeRoot();
    const limits = why === "stopServer" ? {} : { idleTimeout: 2 };
    const { client, attacked } = await startForwarding({ remote: () => true, socketRoots: [root] }, limits);
    const port = await listenedPort(client);
    expect(await ask(client, LISTEN_ON_SOCKET, path(`${root}/s`))).toBe(true);
    const taken = await visitor(port);
    client.sendPacket(confirmation(await askedNumber(client, "forwarded-tcpip"), { window: 10 }));
    taken.write(Buffer.alloc(100_000));
    const waiting = await visitor(port);
    if (why === "stopServer") {
      client.stopReading();
      await attacked.manager.stopServer({ gracePeriod: 0.05 });
    }
    for (const socket of [taken, waiting]) {
      socket.resume();
      await vi.waitFor(() => expect(socket.closed).toBe(true), { timeout: 10_000 });
    }
    await vi.waitFor(() => expect(readdirSync(root)).toEqual([]));
    await expect(visitor(port)).rejects.toThrow("ECONNREFUSED");
    client.reset();
  });
});

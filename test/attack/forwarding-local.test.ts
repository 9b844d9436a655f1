import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import { extent } from "../support/extent.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  channelClose,
  channelData,
  channelEof,
  channelOpen,
  ping,
  readOpenFailure,
  windowAdjust,
} from "../support/packet-messages.js";
import {
  CHANNEL_TRAFFIC,
  directStreamlocal,
  directTcpip,
  handled,
  listeningTarget,
  openedNumber,
  place,
  startForwarding,
} from "./forwarding-client.js";

const MAX_CHANNELS = 8;
const BLOCK = Buffer.alloc(32_000);

async function refusal(client: PacketClient, open: Buffer): Promise<number> {
  client.sendPacket(open);
  return readOpenFailure(await client.expect(M.CHANNEL_OPEN_FAILURE, { skip: CHANNEL_TRAFFIC })).reason;
}

describe("a target that cannot be one", () => {
  const asked: string[] = [];
  const lookup = async (host: string) => {
    asked.push(host);
    return [];
  };

  it("is refused, and no resolver hears of it; the log has one line for each reason", async () => {
    asked.length = 0;
    const { client, lines, leave } = await startForwarding({ local: () => true, lookup });
    const long = "a".repeat(64 * 1024);
    const hosts = [
      "",
      "\0",
      "a\0b",
      long.slice(0, 30_000),
      "a b",
      "a\r\nb",
      "[::1]",
      "fe80::1%lo",
      "%00",
      "a/b",
      "\u202e",
    ];
    for (const host of hosts) expect(await refusal(client, directTcpip(host, 1))).toBe(2);
    expect(await refusal(client, directTcpip("127.0.0.1", 0))).toBe(2);
    for (const port of [65_536, 2 ** 32 - 1]) expect(await refusal(client, directTcpip("127.0.0.1", port))).toBe(1);
    for (const path of ["", "a\0b", Buffer.of(0x2f, 0xff)])
      expect(await refusal(client, directStreamlocal(path))).toBe(2);
    for (const path of ["relative", "/etc/passwd", "/".repeat(30_000)]) {
      expect(await refusal(client, directStreamlocal(path))).toBe(1);
    }
    expect(await refusal(client, directTcpip(Buffer.of(0xff), 1))).toBe(1);
    expect(asked).toEqual([]);
    expect(lines.map(({ reason }) => reason)).toEqual([
      "direct-tcpip: not connected",
      "direct-tcpip: not a target",
      "direct-streamlocal@openssh.com: not a target",
      "direct-streamlocal@openssh.com: the target is not allowed",
      "a text is not UTF-8",
    ]);
    await leave();
  });

  it("brings no control character into the log, by its name and by the system's error", async () => {
    const root = mkdtempSync(join(tmpdir(), "spindlex-test-"));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const { client, lines, leave } = await startForwarding({ local: () => true, socketRoots: [root] });
    expect(await refusal(client, directStreamlocal(`${root}/\x1b[2J\n`))).toBe(2);
    expect(lines).toMatchObject([{ target: `${root}/\\u{1b}[2J\\u{a}`, err: { code: "ENOENT" } }]);
    const err = lines[0]?.err as Error;
    expect(JSON.stringify([err.message, err.stack])).not.toContain("\\u001b");
    await leave();
  });
});

describe("channels that only the server opens", () => {
  it.each(["forwarded-tcpip", "forwarded-streamlocal@openssh.com", "x11", "auth-agent@openssh.com", "tun@openssh.com"])(
    "are none that a client can open: %s",
    async (kind) => {
      const forwarding = { local: () => true, remote: () => true, agent: true, x11: true };
      const { client, attacked, leave } = await startForwarding(forwarding);
      const fields = new Writer().writeString("127.0.0.1").writeUint32(22).writeString("127.0.0.1").writeUint32(1);
      expect(await refusal(client, Buffer.concat([channelOpen({ kind }), fields.toBuffer()]))).toBe(3);
      expect(attacked.callNames).toEqual(["checkChannelRequest"]);
      await leave();
    },
  );
});

describe("names", () => {
  it("that are never resolved take no more than the places of their client, and end with it", async () => {
    const { client, leave } = await startForwarding(
      { local: () => true, lookup: () => new Promise(() => {}), connectTimeout: 0.2 },
      { maxChannels: MAX_CHANNELS },
    );
    for (let index = 0; index < 50; index++) client.sendPacket(directTcpip(`host-${index}`, 1));
    const reasons: number[] = [];
    for (let index = 0; index < 50; index++) {
      reasons.push(readOpenFailure(await client.expect(M.CHANNEL_OPEN_FAILURE)).reason);
    }
    expect(reasons).toEqual([...Array(50 - MAX_CHANNELS).fill(4), ...Array(MAX_CHANNELS).fill(2)]);
    client.sendPacket(directTcpip("host", 1));
    await handled(client);
    await leave();
  });

  it("may have 10,000 addresses, of which few are tried", async () => {
    const tried = new Set<string>();
    const { client, leave } = await startForwarding({
      local: (target) => target.connect({ allowAddress: (address) => tried.add(address).size < 0 }),
      lookup: async () => Array.from({ length: 10_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`),
    });
    expect(await refusal(client, directTcpip("many", 1))).toBe(1);
    expect(tried.size).toBe(16);
    await leave();
  });
});

/** Times in a row that the server lets nothing more come while a write waits, until its target is taken for full. */
const QUIET_ROUNDS = 3;

/** Sends until the target takes nothing more, and neither does the server. */
async function fill(client: PacketClient, id: number, window: number): Promise<void> {
  let left = window;
  for (let quiet = 0; quiet < QUIET_ROUNDS; quiet++) {
    for (; left >= BLOCK.length; left -= BLOCK.length) client.sendPacket(channelData(id, BLOCK));
    client.sendPacket(ping(""));
    for (;;) {
      const payload = await client.nextPacket();
      if (payload[0] === M.PONG) break;
      if (payload[0] === M.CHANNEL_WINDOW_ADJUST) left += payload.readUInt32BE(5);
    }
    if (left >= BLOCK.length || pendingWrites() === 0) quiet = -1;
  }
}

/** Writes of this process that its sockets have not taken. */
function pendingWrites(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === "SimpleWriteWrap" || kind === "WriteWrap").length;
}

async function openFilled(client: PacketClient, port: number): Promise<number> {
  client.sendPacket(directTcpip("127.0.0.1", port));
  const payload = await client.expect(M.CHANNEL_OPEN_CONFIRMATION, { skip: CHANNEL_TRAFFIC });
  const id = payload.readUInt32BE(5);
  await fill(client, id, payload.readUInt32BE(9));
  return id;
}

describe("a target that accepts and never reads", () => {
  it.each(["leaves", "is told to leave"])("is left alone at once when the client %s", async (how) => {
    const { port, sockets } = await listeningTarget((socket) => socket.pause());
    const { client, attacked, leave } = await startForwarding({ local: () => true });
    await openFilled(client, port);
    const [connection] = attacked.manager.getActiveConnections().slice(-1);
    if (how === "leaves") client.reset();
    else connection?.disconnect();
    await vi.waitFor(() => expect(pendingWrites()).toBe(0));
    for (const socket of sockets) socket.resume();
    await leave();
  });

  it("counts as a channel until it has taken what came before the end of that", async () => {
    const takes: (() => void)[] = [];
    const makeTarget = () =>
      new Duplex({ highWaterMark: 2 ** 20, read() {}, write: (_chunk, _encoding, done) => void takes.push(done) });
    const { client, attacked, lines, leave } = await startForwarding({ local: makeTarget }, { maxChannels: 2 });
    for (let index = 0; index < 2; index++) {
      client.sendPacket(directTcpip("127.0.0.1", 1));
      const id = await openedNumber(client);
      for (const message of [channelData(id, "x"), channelEof(id), channelClose(id)]) client.sendPacket(message);
      await client.expect(M.CHANNEL_CLOSE);
    }
    const [, connection] = attacked.manager.getActiveConnections();
    await vi.waitFor(() => expect(connection?.channelCount).toBe(0));
    expect(await refusal(client, directTcpip("127.0.0.1", 1))).toBe(4);
    expect(lines.map(({ reason }) => reason)).toEqual(["direct-tcpip: too many targets"]);
    takes[0]?.();
    await handled(client);
    client.sendPacket(directTcpip("127.0.0.1", 1));
    await openedNumber(client);
    await leave();
  });
});

describe("a client that closes", () => {
  it.each<[when: string, act: (client: PacketClient, port: number) => Promise<void>]>([
    [
      "while its target is decided on",
      async (client, port) => {
        client.sendPacket(directTcpip("127.0.0.1", port));
        client.reset();
      },
    ],
    [
      "just after the confirmation",
      async (client, port) => {
        client.sendPacket(directTcpip("127.0.0.1", port));
        client.sendPacket(channelClose(await openedNumber(client)));
        await handled(client);
      },
    ],
    [
      "half, and then whole",
      async (client, port) => {
        client.sendPacket(directTcpip("127.0.0.1", port));
        const id = await openedNumber(client);
        client.sendPacket(channelData(id, "x"));
        client.sendPacket(channelEof(id));
        client.sendPacket(channelClose(id));
        await handled(client);
      },
    ],
    [
      "without window for what its target sends",
      async (client, port) => {
        client.sendPacket(directTcpip("127.0.0.1", port, { window: 0 }));
        const id = await openedNumber(client);
        client.sendPacket(channelData(id, BLOCK));
        await handled(client);
        client.sendPacket(windowAdjust(id, 1));
        client.sendPacket(channelClose(id));
        await handled(client);
      },
    ],
  ])("%s leaves nothing", async (_, act) => {
    const { port, sockets } = await listeningTarget((socket) => socket.pipe(socket));
    const { client, leave } = await startForwarding({ local: () => true });
    await act(client, port);
    await leave();
    await vi.waitFor(() => expect(sockets.every(({ destroyed }) => destroyed)).toBe(true));
  });
});

describe("a server that stops", () => {
  it("leaves no target, no matter what is under way", async () => {
    const { port, sockets } = await listeningTarget((socket) => socket.pause());
    const { client, attacked } = await startForwarding({ local: () => true, lookup: () => new Promise(() => {}) });
    await openFilled(client, port);
    client.sendPacket(directTcpip("never", 1));
    await handled(client);
    client.stopReading();
    await attacked.manager.stopServer({ gracePeriod: 0.05 });
    await vi.waitFor(() => expect(pendingWrites()).toBe(0));
    for (const socket of sockets) socket.resume();
    await vi.waitFor(() => expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true]));
    client.reset();
  });
});

describe("refusals without end", () => {
  it("are a line for each kind and reason, and a number", { timeout: 120_000 }, async () => {
    const count = extent(4000, 100_000);
    const { client, lines, attacked, leave } = await startForwarding({ local: () => false, remote: () => false });
    const requests = [directTcpip("\x1b[2J\n", 1), directStreamlocal("/\x1b\n"), channelOpen({ kind: "\x1b" })];
    const drained = (async () => {
      for (let index = 0; index < count; index++) await client.expect(M.CHANNEL_OPEN_FAILURE);
    })();
    let next = 0;
    expect(await client.flood(() => requests[next++ % requests.length] as Buffer, count, 20_000)).toBe(count);
    await drained;
    attacked.forgetCalls();
    await leave();
    const [end, ...refused] = lines.reverse();
    expect(refused.length).toBeLessThan(6);
    const counts = Object.values(end?.refused as Record<string, number>);
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(count);
    expect(JSON.stringify(lines)).not.toMatch(/\\u001b|\\n/);
  });
});

describe("malformed fields of a target", () => {
  it("end the connection, and no hook is asked", async () => {
    const { attacked, client, leave } = await startForwarding({ local: () => true });
    const whole = [directTcpip("h", 1), directStreamlocal("/x")];
    for (const open of whole.flatMap((one) => [one.subarray(0, -1), Buffer.concat([one, place("", 0)])])) {
      const other = await attacked.login();
      other.sendPacket(open);
      expect((await other.waitDisconnect()).reason).toBe(2);
    }
    expect(attacked.callNames.filter((name) => name.startsWith("checkChannel"))).toEqual([]);
    await handled(client);
    await leave();
  });
});

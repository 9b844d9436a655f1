import { randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { Channel, SSHServerManager } from "../../src/index.js";
import { MIB, memoryInUse } from "../attack/memory.js";
import { extent } from "../support/extent.js";
import { channelData, channelEof, execRequest } from "../support/packet-messages.js";
import { createManager, login, startManager, TestServer } from "./test-server.js";

/** One connection: login, a command, and an end of one kind or another. */
async function tryConnection(manager: SSHServerManager, index: number): Promise<void> {
  const client = await login(manager);
  const { stdout, exitStatus } = await client.exec(`number ${index}`);
  if (stdout.toString() !== `Executed: number ${index}\n` || exitStatus !== 0) throw new Error("wrong output");
  if (index % 3 === 0) {
    await client.openSession();
    client.reset();
  } else {
    await client.close();
  }
}

async function tryConnections(manager: SSHServerManager, count: number): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await tryConnection(manager, next++);
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  await vi.waitFor(() => expect(manager.getConnectionCount()).toBe(0), { timeout: 10_000 });
}

const FIRST = 300;
const COUNT = extent(400, 2000);

function activeResources(wanted: string): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === wanted).length;
}

/** Gives back what it has read when it has read all. */
class LateServer extends TestServer {
  override checkChannelExecRequest(channel: Channel): boolean {
    const giveBack = (input: Buffer) => {
      channel.end(input);
      channel.sendExitStatus(0);
    };
    // Some clients are gone before that.
    buffer(channel).then(giveBack, () => {});
    return true;
  }
}

/** Bytes that a client sends; the window that it has is larger. */
const INPUT_LENGTH = 256 * 1024;

describe("connections at the same time, all of which are read into the same memory,", () => {
  it("get back what they have sent, however it was cut, also while others are reset", async () => {
    const manager = await startManager({
      serverInterface: new LateServer(),
      maxStartups: false,
      perSourceMaxStartups: false,
    });
    const echo = async (index: number) => {
      const client = await login(manager);
      const channel = await client.openSession();
      client.sendPacket(execRequest(channel.id, "late"));
      const data = randomBytes(INPUT_LENGTH);
      for (let offset = 0, length = index + 1; offset < data.length; offset += length, length = (3 * length) % 30_011) {
        client.sendPacket(channelData(channel.id, data.subarray(offset, offset + length)));
        if (length % 5 === 0) await nextTurn();
        if (index % 4 === 3 && offset > INPUT_LENGTH / 2) return client.reset();
      }
      client.sendPacket(channelEof(channel.id));
      const { stdout } = await client.readProgram(channel);
      expect(stdout.equals(data)).toBe(true);
      await client.close();
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => echo(index)));
  });
});

describe("many connections, opened, used and closed,", () => {
  it("leave memory, timers and handles where they were", { timeout: 120_000 }, async () => {
    const remembered: WeakRef<object>[] = [];
    class Remembering extends TestServer {
      override onChannelOpened(channel: Channel): void {
        remembered.push(new WeakRef(channel), new WeakRef(channel.connection), new WeakRef(channel.signal));
      }
    }
    const manager = createManager({ serverInterface: new Remembering() });
    await manager.startServer();
    await tryConnections(manager, FIRST);
    const memory = memoryInUse();
    await tryConnections(manager, COUNT);
    // The clients' sockets close after the server's.
    await vi.waitFor(
      () => expect([activeResources("TCPServerWrap"), activeResources("TCPSocketWrap")]).toEqual([1, 0]),
      {
        interval: 5,
      },
    );
    // The test runner has one or two of its own.
    expect(activeResources("Timeout")).toBeLessThan(5);
    const growth = memoryInUse() - memory;
    expect(manager.getConnectionStats()).toMatchObject({ accepted: FIRST + COUNT, active: 0, authenticated: 0 });
    expect(remembered.length).toBeGreaterThan(3 * (FIRST + COUNT));
    expect(remembered.filter((reference) => reference.deref() !== undefined)).toEqual([]);
    // What V8 still learns about the code; one connection that is kept costs 15 KiB.
    expect(growth).toBeLessThan(3 * MIB);
  });
});

import { describe, expect, it, vi } from "vitest";
import type { Channel, SSHServerManager } from "../../src/index.js";
import { MIB, memoryInUse } from "../attack/memory.js";
import { extent } from "../support/extent.js";
import { createManager, login, TestServer } from "./test-server.js";

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

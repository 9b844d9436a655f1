import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { X11Displays } from "../../../src/forwarding/x11/x11-displays.js";

const fail = (error: Error) => expect.fail(error.message);

/** Opens a display whose clients are noted, until the test is over. */
async function open(displays: X11Displays) {
  const clients: Socket[] = [];
  const display = await displays.open((socket) => clients.push(socket), fail);
  onTestFinished(() => {
    display.close();
    for (const client of clients) client.destroy();
  });
  return { ...display, clients, port: 6000 + display.number };
}

/** Takes the port of a display that is free on one address, as another program of the machine. @returns its number */
async function occupyFree(displays: X11Displays, host: string): Promise<number> {
  for (;;) {
    const free = await displays.open(() => {}, fail);
    free.close();
    const server = createServer().listen({ port: 6000 + free.number, host, ipv6Only: host.includes(":") });
    try {
      await once(server, "listening");
    } catch {
      // Another test was faster.
      continue;
    }
    onTestFinished(() => {
      server.close();
    });
    return free.number;
  }
}

async function reached(port: number, host: string): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe("the displays of a server", () => {
  it("are at both addresses of localhost and no other one, from number 10 on", async () => {
    const display = await open(new X11Displays());
    expect(display.number).toBeGreaterThanOrEqual(10);
    expect(display.number).toBeLessThan(1000);
    expect(await reached(display.port, "127.0.0.1")).toBe(true);
    expect(await reached(display.port, "::1")).toBe(true);
    expect(await reached(display.port, "127.0.0.2")).toBe(false);
    await expect.poll(() => display.clients.length).toBe(2);
    expect(display.clients.map((socket) => [socket.isPaused(), socket.allowHalfOpen])).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  it.each(["127.0.0.1", "::1", "0.0.0.0", "::"])("are not where somebody has the port at %s", async (host) => {
    const displays = new X11Displays();
    const occupied = await occupyFree(displays, host);
    const display = await open(displays);
    expect(display.number).toBeGreaterThan(occupied);
    // What was taken before the other address was found occupied is given back.
    const other = host.includes(":") ? "127.0.0.1" : "::1";
    await expect.poll(() => reached(6000 + occupied, other)).toBe(false);
  });

  it("are different ones, also when they are opened at once, and as many as there may be", async () => {
    const displays = new X11Displays(20);
    const opened = await Promise.all(Array.from({ length: 20 }, () => open(displays)));
    expect(new Set(opened.map(({ number }) => number)).size).toBe(20);
    await expect(open(displays)).rejects.toThrow("there are 20 X displays already");
    // Twice is once.
    opened[0]?.close();
    opened[0]?.close();
    await open(displays);
    await expect(open(displays)).rejects.toThrow("there are 20 X displays already");
  });
});

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ListenLedger, type ListenOptions, resolveListenOptions } from "../../../src/forwarding/listen-options.js";
import { PortListeners } from "../../../src/forwarding/tcp/port-listeners.js";
import { systemLookups } from "../../../src/forwarding/tcp/system-lookup.js";
import { connectError, connected, ending, ListeningClient, readForwardedTcpip, received } from "../listening-client.js";

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function clientWith(options?: ListenOptions, ledger?: ListenLedger) {
  const client = new ListeningClient(options, ledger);
  ends.push(() => client.leave());
  return { client, ports: new PortListeners(client.context) };
}

async function listening(ports: PortListeners, address = "localhost"): Promise<number> {
  const port = await ports.listen({ address, port: 0 });
  if (port === undefined) throw new Error("nothing is listened on");
  return port;
}

const local = (port: number, host = "127.0.0.1") => ({ host, port });

async function connectedTo(port: number, host?: string): Promise<Socket> {
  const socket = await connected(local(port, host));
  ends.push(() => socket.destroy());
  return socket;
}

/** Another program's server. */
async function occupied(host: string, port = 0): Promise<Server & { readonly port: number }> {
  const server = createServer().listen({ host, port, ipv6Only: true });
  ends.push(() => server.close());
  await once(server, "listening");
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

describe("PortListeners", () => {
  it("lead a connection to the client, and keep the two ends of it apart", async () => {
    const { client, ports } = clientWith();
    const port = await listening(ports);
    const socket = await connectedTo(port);
    const asked = await client.nextChannel();
    expect([asked.kind, ...readForwardedTcpip(asked.fields)]).toEqual([
      "forwarded-tcpip",
      ...["localhost", port],
      ...["127.0.0.1", socket.localPort],
    ]);
    socket.end("question");
    const peer = asked.confirm();
    expect(`${await received(peer)}`).toBe("question");
    peer.end(Buffer.alloc(300_000, 7));
    expect((await received(socket)).equals(Buffer.alloc(300_000, 7))).toBe(true);
    await ports.cancel({ address: "localhost", port });
    await client.untilNothingIsLeft();
    expect(client.problems).toEqual([]);
  });

  it("tell the address as it was asked for, and each family by an address of its own", async () => {
    const { client, ports } = clientWith({ gatewayPorts: "yes" });
    const port = await listening(ports, "192.0.2.77");
    for (const host of ["127.0.0.1", "::1"]) {
      await connectedTo(port, host);
      const [address, told, originator] = readForwardedTcpip((await client.nextChannel()).fields);
      expect([address, told, originator]).toEqual(["192.0.2.77", port, host]);
    }
  });

  it.each([
    ["127.0.0.1", "::1"],
    ["::1", "127.0.0.1"],
  ])("listen on %s alone where that was asked for", async (address, other) => {
    const { ports } = clientWith();
    const port = await listening(ports, address);
    expect([await connectError(local(port, address)), await connectError(local(port, other))]).toEqual([
      undefined,
      "ECONNREFUSED",
    ]);
  });

  it("listen on loopback where all addresses were asked for", async () => {
    const { ports } = clientWith();
    const port = await listening(ports, "0.0.0.0");
    expect(await connectError(local(port, "127.0.0.2"))).toBe("ECONNREFUSED");
    expect(await connectError(local(port, "::1"))).toBeUndefined();
  });

  it("do not wait for the names of others where there is no name", async () => {
    const lookups = vi.spyOn(systemLookups(), "find").mockReturnValue(new Promise(() => {}));
    ends.push(() => lookups.mockRestore());
    expect(await listening(clientWith().ports)).toBeGreaterThan(0);
    expect(lookups).not.toHaveBeenCalled();
  });

  it("listen where the client says, with gatewayPorts: clientspecified", async () => {
    const { client, ports } = clientWith({ gatewayPorts: "clientspecified" });
    const port = await listening(ports, "127.0.0.2");
    expect(await connectError(local(port, "127.0.0.2"))).toBeUndefined();
    expect(await connectError(local(port))).toBe("ECONNREFUSED");
    // An address of no machine, one that sshd refuses as well, and a name.
    expect(await ports.listen({ address: "192.0.2.77", port: 0 })).toBeUndefined();
    expect(await ports.listen({ address: "::ffff:127.0.0.1", port: 0 })).toBeUndefined();
    expect(client.reasons).toEqual(["the system refuses it", "the system refuses it"]);
    const named = await listening(ports, "LOCALHOST");
    expect(await connectError(local(named))).toBeUndefined();
  });

  it("listen on addresses at once while names hang, and wait for a name no longer than 30 seconds", async () => {
    const find = vi.spyOn(systemLookups(), "find").mockReturnValue(new Promise(() => {}));
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    try {
      const { client, ports } = clientWith({ gatewayPorts: "clientspecified" });
      await listening(ports, "localhost");
      expect(find).not.toHaveBeenCalled();
      const named = ports.listen({ address: "name.example.com", port: 0 });
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await named).toBeUndefined();
      expect(client.reasons).toEqual(["the system refuses it"]);
    } finally {
      vi.useRealTimers();
      find.mockRestore();
    }
  });

  it.each([
    ["a port under 1024", "localhost", 1023],
    ["no port", "localhost", 65_536],
    ["a NUL", "127.0.0.1\0.example.com", 0],
    ["a space", "local host", 0],
    ["64 KiB", "\n".repeat(65_536), 0],
  ])("refuse %s", async (_, address, port) => {
    for (const gatewayPorts of ["no", "clientspecified"] as const) {
      const { client, ports } = clientWith({ gatewayPorts });
      expect(await ports.listen({ address, port })).toBeUndefined();
      expect(client.problems).toHaveLength(1);
      expect(client.problems[0]?.listener).toMatch(/^[ -~]{1,2000}…?$/);
      await client.untilNothingIsLeft();
    }
  });

  it("leave ports under 1024 to the system where they are allowed", async () => {
    const { client, ports } = clientWith({ privilegedPorts: true });
    const { port } = await occupied("127.0.0.1", process.getuid?.() === 0 ? 1023 : 0);
    expect(await ports.listen({ address: "localhost", port: Math.min(port, 1023) })).toBeUndefined();
    expect(client.reasons).toEqual(["the system refuses it"]);
  });

  it("do not share a port with another program, on either family", async () => {
    for (const host of ["127.0.0.1", "::1"]) {
      const { client, ports } = clientWith();
      const { port } = await occupied(host);
      expect(await ports.listen({ address: "localhost", port })).toBeUndefined();
      expect(client.reasons).toEqual(["the system refuses it"]);
      expect(await connectError(local(port, host === "::1" ? "127.0.0.1" : "::1"))).toBe("ECONNREFUSED");
    }
  });

  it("are cancelled by the address that was asked for and the port that is listened on, by their client alone", async () => {
    const ledger = new ListenLedger(resolveListenOptions({}));
    const [one, other] = [clientWith({}, ledger), clientWith({}, ledger)];
    const port = await listening(one.ports, "localhost");
    expect(await one.ports.listen({ address: "localhost", port })).toBeUndefined();
    expect(await other.ports.listen({ address: "localhost", port })).toBeUndefined();
    expect([one.client.reasons, other.client.reasons]).toEqual([
      ["it is listened on already"],
      ["the system refuses it"],
    ]);
    const wrong = [
      other.ports.cancel({ address: "localhost", port }),
      one.ports.cancel({ address: "localhost", port: 0 }),
      one.ports.cancel({ address: "", port }),
      one.ports.cancel({ address: "127.0.0.1", port }),
    ];
    expect(await Promise.all(wrong)).toEqual([false, false, false, false]);
    const socket = await connectedTo(port);
    const peer = (await one.client.nextChannel()).confirm();
    const cancelled = one.ports.cancel({ address: "localhost", port });
    // At once: the port is free for the next request.
    expect(await one.ports.listen({ address: "localhost", port })).toBe(port);
    expect(await cancelled).toBe(true);
    expect(await one.ports.cancel({ address: "localhost", port })).toBe(true);
    expect(await one.ports.cancel({ address: "localhost", port })).toBe(false);
    expect(await connectError(local(port))).toBe("ECONNREFUSED");
    // The connection that was accepted goes on.
    peer.end("still there");
    expect(`${await received(socket)}`).toBe("still there");
  });

  it("can be cancelled, and left, while they are being opened", async () => {
    const { client, ports } = clientWith();
    const { port } = await occupied("127.0.0.1");
    const opening = ports.listen({ address: "::1", port });
    expect(await ports.cancel({ address: "::1", port })).toBe(true);
    expect(await opening).toBeUndefined();
    expect(client.reasons).toEqual(["it was cancelled before it was listened on"]);
    const next = ports.listen({ address: "::1", port });
    client.leave();
    expect(await next).toBeUndefined();
    expect(await ports.listen({ address: "::1", port })).toBeUndefined();
    expect(await connectError(local(port, "::1"))).toBe("ECONNREFUSED");
    await client.untilNothingIsLeft();
  });

  it("are gone with the connection of their client, and all that has come by them", async () => {
    const { client, ports } = clientWith();
    const port = await listening(ports);
    const open = await connectedTo(port);
    (await client.nextChannel()).confirm();
    const waiting = await connectedTo(port);
    await client.nextChannel();
    const endings = [open, waiting].map(ending);
    client.leave();
    expect(await Promise.all(endings)).toEqual(["ECONNRESET", "ECONNRESET"]);
    expect(await connectError(local(port))).toBe("ECONNREFUSED");
    await client.untilNothingIsLeft();
    expect(client.problems).toEqual([]);
  });

  it("reset what the client refuses, and read nothing for a client that has not taken it", async () => {
    const { client, ports } = clientWith();
    const port = await listening(ports);
    const socket = await connectedTo(port);
    const asked = await client.nextChannel();
    // More than the buffers of both ends take.
    socket.write(Buffer.alloc(32 * 1024 * 1024));
    const reset = ending(socket);
    asked.refuse();
    expect(await reset).toMatch(/ECONNRESET|EPIPE/);
    expect(socket.bytesWritten - socket.writableLength).toBeLessThan(32 * 1024 * 1024);
    expect(client.problems).toEqual([
      { listener: `localhost:${port}`, reason: "the channel to the client was refused", cause: expect.any(Error) },
    ]);
    expect(client.context.places.connections.taken).toBe(0);
  });

  it("have bounds for each client, and for all of them", async () => {
    const options = {
      maxListeners: 2,
      maxListenersPerServer: 3,
      maxPendingConnections: 1,
      maxForwardedConnections: 2,
      maxForwardedConnectionsPerServer: 3,
    };
    const ledger = new ListenLedger(resolveListenOptions(options));
    const [one, other] = [clientWith(options, ledger), clientWith(options, ledger)];
    const port = await listening(one.ports);
    await listening(one.ports);
    expect(await one.ports.listen({ address: "localhost", port: 0 })).toBeUndefined();
    const otherPort = await listening(other.ports);
    expect(await other.ports.listen({ address: "localhost", port: 0 })).toBeUndefined();
    expect([one.client.reasons, other.client.reasons]).toEqual([
      ["there are too many listeners"],
      ["there are too many listeners"],
    ]);

    const lost = (to: number) => ending(connect(local(to)));
    const first = await connectedTo(port);
    const firstAsked = await one.client.nextChannel();
    expect(await lost(port)).toBe("ECONNRESET");
    const firstPeer = firstAsked.confirm();
    await connectedTo(port);
    (await one.client.nextChannel()).confirm();
    expect(await lost(port)).toBe("ECONNRESET");
    expect(one.client.reasons.slice(1)).toEqual([
      "too many connections wait for the client",
      "too many connections are forwarded",
    ]);
    // The last of the server's three.
    await connectedTo(otherPort);
    (await other.client.nextChannel()).confirm();
    expect(await lost(otherPort)).toBe("ECONNRESET");
    firstPeer.end();
    first.end().resume();
    await expect.poll(() => one.client.context.places.connections.taken, { interval: 2 }).toBe(1);
    await connectedTo(otherPort);
    (await other.client.nextChannel()).confirm();
  });
});

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { ChannelOpenError } from "../../../src/connection/channel-open-error.js";
import { type HostLookup, TargetConnector, type TargetRequest } from "../../../src/forwarding/tcp/connect-target.js";
import {
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_FAILED_CONNECT_FAILED,
} from "../../../src/protocol/constants.js";
import { SilentListener } from "./silent-listener.js";

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

/** Everything that a test has opened, last first. */
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Listener {
  readonly port: number;
  readonly server: Server;
  /** The ends of the connections that have come. */
  readonly sockets: Socket[];
}

async function listen(host: string, port = 0, onConnection = (_: Socket) => {}): Promise<Listener> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket.on("error", () => {}));
    onConnection(socket);
  });
  server.listen(port, host);
  await once(server, "listening");
  closing.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, server, sockets };
}

/** A port where nobody listens. */
async function closedPort(host: string): Promise<number> {
  const { port, server } = await listen(host);
  server.close();
  return port;
}

const owner = {};
const lives = new AbortController().signal;

async function connect(
  host: string,
  port: number,
  options: { lookup?: HostLookup } & Partial<TargetRequest> = {},
): Promise<Socket> {
  const { lookup, ...request } = options;
  const connector = new TargetConnector({ lookup });
  const socket = await connector.connect({ host, port }, { signal: lives, owner, ...request });
  closing.push(() => socket.destroy());
  return socket;
}

async function refusal(connecting: Promise<Socket>): Promise<ChannelOpenError> {
  const error = await connecting.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ChannelOpenError) return error;
  throw new Error("it was not refused", { cause: error });
}

const notAsked: HostLookup = () => {
  throw new Error("the resolver was asked");
};

const gives =
  (...addresses: readonly string[]): HostLookup =>
  async () =>
    addresses;

describe("TargetConnector", () => {
  it("connects to an address, without asking a resolver, and keeps the half that the other side has not ended", async () => {
    const { port, sockets } = await listen("127.0.0.1", 0, (socket) => socket.end("first"));
    const socket = await connect("127.0.0.1", port, { lookup: notAsked });
    const received: string[] = [];
    socket.on("data", (chunk) => received.push(chunk.toString()));
    await once(socket, "end");
    socket.end("second");
    expect(received).toEqual(["first"]);
    expect(await sockets[0]?.setEncoding("utf8").toArray()).toEqual(["second"]);
  });

  it.each([
    "localhost",
    "127.1",
    "2130706433",
    "017700000001",
    "0x7f.1",
    "0x7f000001",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
  ])("asks about %s as 127.0.0.1, and connects there", async (host) => {
    const { port } = await listen("127.0.0.1");
    const asked: string[] = [];
    const allowAddress = (address: string) => asked.push(address) > 0 && address === "127.0.0.1";
    const socket = await connect(host, port, { allowAddress });
    expect(asked).toContain("127.0.0.1");
    expect(socket.remoteAddress).toBe("127.0.0.1");
  });

  it("connects to the address that was checked, whatever the name resolves to later", async () => {
    const { port, sockets } = await listen("127.0.0.2");
    const inside = await listen("127.0.0.1", port);
    const answers = [["127.0.0.2"], ["127.0.0.1"]];
    const lookup = async () => answers.shift() ?? [];
    const socket = await connect("rebinds.example.com", port, {
      lookup,
      allowAddress: (address) => address !== "127.0.0.1",
    });
    expect(socket.remoteAddress).toBe("127.0.0.2");
    expect([answers.length, sockets.length, inside.sockets.length]).toEqual([1, 1, 0]);
  });

  it("uses those of a name's addresses that are allowed", async () => {
    const { port } = await listen("127.0.0.2");
    const inside = await listen("127.0.0.1", port);
    const socket = await connect("host", port, {
      lookup: gives("127.0.0.1", "::ffff:127.0.0.1", "127.0.0.2"),
      allowAddress: (address) => address === "127.0.0.2",
    });
    expect([socket.remoteAddress, inside.sockets.length]).toEqual(["127.0.0.2", 0]);
  });

  it("refuses where no address is allowed, where that is not decided and where the decision fails", async () => {
    const { port, sockets } = await listen("127.0.0.1");
    const mistake = new Error("mistake");
    const decisions: readonly (() => unknown)[] = [
      () => false,
      () => undefined,
      () => 1,
      async () => true,
      () => {
        throw mistake;
      },
    ];
    for (const decision of decisions) {
      const allowAddress = decision as () => boolean;
      const error = await refusal(connect("host", port, { lookup: gives("127.0.0.1"), allowAddress }));
      expect(error.reason).toBe(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED);
      expect(error.description).toBe("administratively prohibited");
      expect(error.message).not.toContain("127.0.0.1");
      expect((error.cause as Error).message).toMatch(/^mistake$|^host leads to 127\.0\.0\.1, which is not allowed/);
    }
    expect(sockets).toEqual([]);
  });

  it("fails where nobody listens, with the causes for the log", async () => {
    const port = await closedPort("127.0.0.1");
    const one = await refusal(connect("127.0.0.1", port));
    expect(one).toMatchObject({ reason: OPEN_FAILED_CONNECT_FAILED, description: "connect failed" });
    expect(one.cause).toMatchObject({ code: "ECONNREFUSED" });
    expect(one.message).not.toContain("127.0.0.1");
    const two = await refusal(connect("host", port, { lookup: gives("127.0.0.1", "127.0.0.2") }));
    expect((two.cause as AggregateError).errors).toMatchObject([{ address: "127.0.0.1" }, { address: "127.0.0.2" }]);
  });

  it("fails where the name is not known, or the resolver gives no addresses", async () => {
    const unknown = await refusal(connect("name.invalid", 22));
    expect(unknown).toMatchObject({ reason: OPEN_FAILED_CONNECT_FAILED, description: "connect failed" });
    expect(unknown.cause).toMatchObject({ syscall: "getaddrinfo" });
    for (const answer of [[], ["host"], [undefined], [{ address: "127.0.0.1" }], undefined, "127.0.0.1"]) {
      const error = await refusal(connect("host", 22, { lookup: async () => answer as never }));
      expect(error.reason).toBe(OPEN_FAILED_CONNECT_FAILED);
    }
  });

  it("looks at 16 addresses of a name that has 10,000, of both families", async () => {
    const port = await closedPort("127.0.0.1");
    const both = (index: number) => [`::ffff:127.0.${index >> 8}.${index & 255}`, `100::${index.toString(16)}`];
    const addresses = Array.from({ length: 5000 }, (_, index) => both(index + 1)).flat();
    const asked: string[] = [];
    const allowAddress = (address: string) => asked.push(address) > 0 && !address.includes(":");
    const error = await refusal(connect("host", port, { lookup: gives(...addresses), allowAddress }));
    expect((error.cause as AggregateError).errors.length).toBe(8);
    expect(asked.length).toBe(16);
  });

  it("reads 256 answers of a resolver", async () => {
    const { port } = await listen("127.0.0.1");
    const strange = (count: number) => Array.from({ length: count }, () => "strange");
    await connect("host", port, { lookup: gives(...strange(255), "127.0.0.1") });
    const error = await refusal(connect("host", port, { lookup: gives(...strange(256), "127.0.0.1") }));
    expect((error.cause as Error).message).toBe("host has no address");
  });

  it("tries the families in turn, that of the first address first", async () => {
    const asked: string[] = [];
    const allowAddress = (address: string) => asked.push(address) < 0;
    const lookup = gives("100::1", "100::2", "100::3", "127.0.0.1", "127.0.0.2", "::ffff:127.0.0.1");
    await refusal(connect("host", 22, { lookup, allowAddress }));
    expect(asked).toEqual(["100::1", "127.0.0.1", "100::2", "127.0.0.2", "100::3"]);
  });

  it("tries an address once, however often the resolver names it", async () => {
    const port = await closedPort("127.0.0.1");
    const lookup = gives("127.0.0.1", "::ffff:127.0.0.1", "127.0.0.1");
    const error = await refusal(connect("host", port, { lookup }));
    expect(error.cause).toMatchObject({ code: "ECONNREFUSED" });
  });

  it("asks the resolver for nothing that is not the name of a host", async () => {
    const isName = (text: string) => /^[\w.-]{1,255}$/.test(text);
    const strange = fc.oneof(
      fc.constantFrom(
        "",
        "a".repeat(256),
        "a\0b",
        "a b",
        "a\n",
        "[::1]",
        "::1%lo",
        "fe80::1%1",
        "１２７.0.0.1",
        "a/b",
        "a:b",
        "*",
      ),
      fc
        .array(fc.integer({ min: 0, max: 0x10ffff }), { maxLength: 10 })
        .map((points) => String.fromCodePoint(...points))
        .filter((text) => !isName(text) && !/^[\d:a-f]*$/i.test(text)),
    );
    await fc.assert(
      fc.asyncProperty(strange, async (host) => {
        const error = await refusal(connect(host, 22, { lookup: notAsked }));
        expect(error.reason).toBe(OPEN_FAILED_CONNECT_FAILED);
        expect((error.cause as Error).message).toContain("is not a name or an address of a host");
      }),
    );
    const longest = "a".repeat(255);
    const error = await refusal(connect(longest, 22, { lookup: async (host) => Promise.reject(new Error(host)) }));
    expect((error.cause as Error).message).toBe(longest);
  });

  it.each([0, 65_536, -1, 1.5, Number.NaN])("knows no port %d", async (port) => {
    const error = await refusal(connect("127.0.0.1", port));
    expect(error.reason).toBe(OPEN_FAILED_CONNECT_FAILED);
    expect((error.cause as Error).message).toBe(`there is no port ${port}`);
  });

  it("waits for a resolver no longer than until the signal fires, and tells it", async () => {
    let told: AbortSignal | undefined;
    const lookup: HostLookup = (_, { signal }) => {
      told = signal;
      return new Promise(() => {});
    };
    const error = await refusal(connect("host", 22, { lookup, signal: AbortSignal.timeout(20) }));
    expect(error.reason).toBe(OPEN_FAILED_CONNECT_FAILED);
    expect((error.cause as Error).name).toBe("TimeoutError");
    expect(told?.aborted).toBe(true);
  });

  it("ends with the signal at any time", async () => {
    const gone = new Error("gone");
    const before = await refusal(connect("host", 22, { lookup: notAsked, signal: AbortSignal.abort(gone) }));
    const client = new AbortController();
    const lookup = async () => {
      client.abort(gone);
      return new Promise<readonly string[]>(() => {});
    };
    const during = await refusal(connect("host", 22, { lookup, signal: client.signal }));
    expect([before, during]).toMatchObject([{ cause: gone }, { cause: gone }]);
    expect(before.reason).toBe(OPEN_FAILED_CONNECT_FAILED);
  });

  it("gives sockets that may break before anybody listens", async () => {
    const { port, server } = await listen("127.0.0.1");
    const [socket, [accepted]] = await Promise.all([connect("127.0.0.1", port), once(server, "connection")]);
    accepted.resetAndDestroy();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(socket.errored).toMatchObject({ code: "ECONNRESET" });
  });
});

describe.skipIf(!hasIPv6)("TargetConnector with IPv6", () => {
  /** The sockets that are made meanwhile. */
  async function socketsOf(run: () => Promise<unknown>): Promise<Socket[]> {
    const sockets: Socket[] = [];
    const add = (message: unknown) => sockets.push((message as { socket: Socket }).socket);
    subscribe("net.client.socket", add);
    try {
      await run();
    } finally {
      unsubscribe("net.client.socket", add);
    }
    return sockets;
  }

  it("takes the other family at once where the first refuses", async () => {
    const { port } = await listen("127.0.0.1");
    const begun = performance.now();
    const socket = await connect("host", port, { lookup: gives("::1", "127.0.0.1") });
    expect(socket.remoteAddress).toBe("127.0.0.1");
    expect(performance.now() - begun).toBeLessThan(240);
  });

  it("tries the other family beside a first that is silent, and ends the attempts that have lost", async () => {
    await using silent = await SilentListener.listen("::1");
    await listen("127.0.0.1", silent.port);
    const begun = performance.now();
    const sockets = await socketsOf(async () => {
      const socket = await connect("host", silent.port, { lookup: gives("::1", "::1", "127.0.0.1") });
      expect(socket.remoteAddress).toBe("127.0.0.1");
    });
    expect(performance.now() - begun).toBeGreaterThan(240);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, false]);
  });

  it("ends attempts with the signal", async () => {
    await using silent = await SilentListener.listen("::1");
    const sockets = await socketsOf(async () => {
      const error = await refusal(connect("::1", silent.port, { signal: AbortSignal.timeout(20) }));
      expect((error.cause as Error).name).toBe("TimeoutError");
    });
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true]);
  });
});

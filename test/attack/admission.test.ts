import { describe, expect, it, vi } from "vitest";
import type { Logger, Prompt, SSHServerManager } from "../../src/index.js";
import { AUTH_FAILED, type AuthResult, DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { binaryHeader } from "../server/admission/proxy-header-bytes.js";
import { sample } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import { keyboardInteractiveRequest, noneRequest, passwordRequest, ping } from "../support/packet-messages.js";
import { PacketSocket, StreamEnded } from "../support/packet-socket.js";
import { defaults, type PacketClientOptions } from "../support/packet-transport.js";
import { Attacked, type ManagerOptions, TargetServer, USERNAME } from "./attacked-server.js";

const { USERAUTH_INFO_REQUEST, GLOBAL_REQUEST } = MessageNumber;
const ATTACKER = "127.0.0.66";
const PROXY = "127.0.9.1";
const PROXIES = "127.0.9.0/24";

/** Never decides about a password, nor about the answers that it asks for. */
class SlowServer extends TargetServer {
  override getAllowedAuths(): string[] {
    return ["password", "keyboard-interactive"];
  }

  override checkAuthPassword(username: string, password: string): ReturnType<TargetServer["checkAuthPassword"]> {
    return password === "slow" ? new Promise<never>(() => {}) : super.checkAuthPassword(username, password);
  }

  override async checkAuthKeyboardInteractive(_username: string, _submethods: string, prompt: Prompt) {
    await prompt({ prompts: [{ prompt: "Code: ", echo: false }] });
    return AUTH_FAILED as AuthResult;
  }
}

/** A client behind a proxy. */
class ProxiedClient extends PacketClient {
  /** @param bytes that the proxy sends first */
  static async through(attacked: Attacked, bytes: Uint8Array, localAddress = PROXY): Promise<PacketClient> {
    const stream = await PacketSocket.connect(attacked.port, defaults.timeout, localAddress);
    stream.socket.write(bytes);
    return new ProxiedClient(stream, defaults);
  }
}

const at = (localAddress = ATTACKER): PacketClientOptions => ({ localAddress });

async function identified(attacked: Attacked, localAddress?: string): Promise<PacketClient> {
  const client = await attacked.connect(at(localAddress));
  await client.exchangeIdentifications();
  return client;
}

/** Penalties are told of, and never enforced, so that their causes can be seen. */
const LENIENT = { min: 86_400, max: 86_400 };

/** One address has room for one connection without a login, and for two in all: one that is still counted shows. */
const CRAMPED = {
  perSourceMaxStartups: 1,
  perSourceMaxConnections: 2,
  perSourcePenalties: LENIENT,
  perSourcePenaltyExemptList: ["127.0.0.1"],
} as const satisfies Partial<ManagerOptions>;

async function start(options: Partial<ManagerOptions>, prepare?: (manager: SSHServerManager) => void) {
  const causes: string[] = [];
  const attacked = await Attacked.start(new SlowServer(), options, (manager) => {
    manager.on("penalty", ({ cause }) => causes.push(cause));
    prepare?.(manager);
  });
  return { attacked, causes };
}

/** Nothing of the attacker counts any more: its address has room, and nobody is without a login. */
async function expectForgotten(attacked: Attacked, localAddress = ATTACKER): Promise<void> {
  await vi.waitFor(
    () => expect(attacked.manager.getConnectionStats()).toMatchObject({ active: 1, authenticated: 1, startups: 0 }),
    { timeout: 5_000 },
  );
  const clients = [await attacked.login(at(localAddress)), await attacked.login(at(localAddress))];
  for (const client of clients) expect((await client.exec("hello")).exitStatus).toBe(0);
  for (const client of clients) await client.close();
  await attacked.expectUnharmed();
}

describe("a client that stalls before a login is let go, penalised once and not counted any more:", () => {
  type Stall = (attacked: Attacked) => Promise<PacketClient>;
  const closed = (client: PacketClient): Promise<unknown> => client.stream.closed(5_000);
  async function expectLetGo(
    prepare: (manager: SSHServerManager) => void,
    stall: Stall,
    end: (client: PacketClient) => Promise<unknown>,
  ): Promise<void> {
    const { attacked, causes } = await start(CRAMPED, prepare);
    const client = await stall(attacked);
    await end(client);
    await expectForgotten(attacked);
    expect(causes).toEqual(["graceExceeded"]);
  }

  const inHandshake: readonly (readonly [when: string, stall: Stall])[] = [
    ["at once", (attacked) => attacked.connect(at())],
    [
      "in its identification",
      async (attacked) => {
        const client = await attacked.connect(at());
        client.sendRaw("SSH-2.0-sl");
        return client;
      },
    ],
    ["after its identification", (attacked) => identified(attacked)],
    [
      "inside a packet",
      async (attacked) => {
        const client = await identified(attacked);
        client.sendRaw(Buffer.from("00000ffc", "hex"));
        return client;
      },
    ],
    [
      "after KEXINIT",
      async (attacked) => {
        const client = await identified(attacked);
        client.sendKexInit();
        await client.readServerKexInit();
        return client;
      },
    ],
    [
      "before NEWKEYS",
      async (attacked) => {
        const client = await identified(attacked);
        client.sendKexInit();
        await client.readServerKexInit();
        await client.agreeOnKeys();
        return client;
      },
    ],
  ];

  it.each(sample(inHandshake, 2))("%s", (_, stall) =>
    expectLetGo((manager) => manager.setConnectionTimeout(0.4), stall, closed),
  );

  const inAuthentication: readonly (readonly [when: string, stall: Stall])[] = [
    ["after NEWKEYS", (attacked) => PacketClient.handshake(attacked.port, at())],
    ["after the service request", (attacked) => attacked.authenticating(at())],
    [
      "once it knows the methods",
      async (attacked) => {
        const client = await attacked.authenticating(at());
        await client.authenticate(noneRequest(USERNAME));
        return client;
      },
    ],
    [
      "after a failed attempt",
      async (attacked) => {
        const client = await attacked.authenticating(at());
        await client.authPassword(USERNAME, "wrong");
        return client;
      },
    ],
    [
      "while its password is looked at",
      async (attacked) => {
        const client = await attacked.authenticating(at());
        client.sendPacket(passwordRequest(USERNAME, "slow"));
        await vi.waitFor(() => expect(attacked.callNames).toContain("checkAuthPassword"));
        return client;
      },
    ],
    [
      "when it is asked for a code",
      async (attacked) => {
        const client = await attacked.authenticating(at());
        client.sendPacket(keyboardInteractiveRequest(USERNAME));
        await client.expect(USERAUTH_INFO_REQUEST);
        return client;
      },
    ],
  ];
  const limitLogin = (manager: SSHServerManager): void => manager.setAuthTimeout(0.4);

  it.each(sample(inAuthentication, 2))("%s, and is told so", (_, stall) =>
    expectLetGo(limitLogin, stall, async (client) =>
      expect((await client.waitEnd(5_000)).disconnect?.reason).toBe(DisconnectReason.BY_APPLICATION),
    ),
  );

  it("without reading what it asked for", () => {
    const stall: Stall = async (attacked) => {
      const client = await attacked.authenticating(at());
      client.stopReading();
      for (let count = 0; count < 500; count++) client.sendPacket(ping(Buffer.alloc(1000)));
      return client;
    };
    return expectLetGo(limitLogin, stall, closed);
  });

  it("half closed, at once", async () => {
    const { attacked, causes } = await start(CRAMPED);
    const client = await PacketClient.handshake(attacked.port, at());
    client.stream.socket.end();
    await client.stream.closed(5_000);
    await expectForgotten(attacked);
    expect(causes).toEqual(["noAuth"]);
  });

  it.each([
    ["in front of its header", Buffer.alloc(0)],
    ["in a header of version 1", Buffer.from("PROXY TCP4 192.0")],
    ["in a header of version 2", binaryHeader({ family: 0x11, source: "c0000207", port: 1 }).subarray(0, 20)],
  ])("a proxy %s, which costs neither it nor its clients anything", async (_, bytes) => {
    const { attacked, causes } = await start({ ...CRAMPED, proxyProtocol: { from: PROXIES, timeout: 0.2 } });
    const stalled = await ProxiedClient.through(attacked, bytes);
    await expect(stalled.stream.take(1)).rejects.toThrow(StreamEnded);
    expect(attacked.manager.getConnectionStats()).toMatchObject({ active: 1, refusedBy: { proxyProtocol: 1 } });
    await expectForgotten(attacked);
    expect(causes).toEqual([]);
  });
});

describe("a client that has logged in is let go, and not counted any more:", () => {
  async function expectLetGo(options: Partial<ManagerOptions>, stay: (client: PacketClient) => unknown): Promise<void> {
    const { attacked, causes } = await start({ ...CRAMPED, ...options });
    const client = await attacked.login(at());
    await stay(client);
    await client.stream.closed(5_000);
    // The client that was there first does nothing either.
    await vi.waitFor(() => expect(attacked.manager.getConnectionStats().active).toBe(0), { timeout: 5_000 });
    const clients = [await attacked.login(at()), await attacked.login(at())];
    expect(attacked.manager.getConnectionStats()).toMatchObject({ active: 2, startups: 0, refused: 0 });
    for (const next of clients) next.reset();
    expect(causes).toEqual([]);
  }

  it.each<[what: string, options: Partial<ManagerOptions>, stay: (client: PacketClient) => unknown]>([
    ["with no channel", { unusedConnectionTimeout: 0.3 }, () => {}],
    ["with an idle session", { idleTimeout: 0.3 }, (client) => client.openSession()],
    ["for too long", { sessionTimeout: 0.3 }, (client) => client.openSession()],
    [
      "without reading or answering",
      { clientAliveInterval: 0.1, clientAliveCountMax: 2 },
      (client) => client.stopReading(),
    ],
  ])("%s", (_, options, stay) => expectLetGo(options, stay));

  it.each<[what: string, options: Partial<ManagerOptions>]>([
    ["with nothing", { idleTimeout: 0.3 }],
    ["with no channel", { unusedConnectionTimeout: 0.3 }],
    ["for too long", { sessionTimeout: 0.3 }],
  ])("%s but pings", (_, options) =>
    expectLetGo(options, (client) => {
      const talking = setInterval(() => client.sendPacket(ping("x")), 20);
      client.stream.socket.once("close", () => clearInterval(talking));
    }),
  );
});

const line = (text: string) => Buffer.from(`${text}\r\n`, "latin1");
const V1 = line("PROXY TCP4 192.0.2.7 127.0.0.1 5000 22");
const V2 = binaryHeader({ family: 0x11, source: "c0000207", port: 5000 });
const V2_IPV6 = binaryHeader({ family: 0x21, source: "20010db8000000000000000000000007", port: 5000 });

describe("a header of the PROXY protocol", () => {
  const headers: readonly (readonly [string, Buffer])[] = [
    ["version 1", V1],
    ["version 2", V2],
    ["version 2 for IPv6", V2_IPV6],
  ];

  it.each(headers)("that ends anywhere too early lets nobody in: %s", async (_, header) => {
    const { attacked } = await start({ proxyProtocol: { from: PROXIES } });
    await Promise.all(
      Array.from({ length: header.length }, async (_value, length) => {
        const client = await ProxiedClient.through(attacked, header.subarray(0, length));
        client.stream.socket.end();
        await expect(client.stream.take(1)).rejects.toThrow(StreamEnded);
      }),
    );
    const { refusedBy, accepted } = attacked.manager.getConnectionStats();
    expect([refusedBy.proxyProtocol, accepted]).toEqual([header.length, 1]);
    await attacked.expectUnharmed();
  });

  it.each(headers)("may come in single bytes: %s", async (_, header) => {
    const { attacked } = await start({ proxyProtocol: { from: PROXIES } });
    const client = await ProxiedClient.through(attacked, Buffer.alloc(0));
    for (const byte of header) {
      client.sendRaw(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.exchangeIdentifications();
    await client.exchangeKeys();
    const address = attacked.manager.getActiveConnections()[1]?.remoteAddress;
    expect(address).toBe(header === V2_IPV6 ? "2001:db8::7" : "192.0.2.7");
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each<[what: string, bytes: Buffer]>([
    ["of version 1 without an end", Buffer.from(`PROXY UNKNOWN ${"x".repeat(1000)}`)],
    ["of version 1 that is too long", line(`PROXY UNKNOWN ${"x".repeat(100)}`)],
    ["of version 2 with 64 KiB", binaryHeader({ family: 0x11, rest: Buffer.alloc(65_535) })],
    ["of version 3", binaryHeader({ command: 0x31, family: 0x11, source: "c0000207", port: 5000 })],
    ["with an unknown command", binaryHeader({ command: 0x22, family: 0x11, source: "c0000207", port: 5000 })],
    ["over UDP", binaryHeader({ family: 0x12, source: "c0000207", port: 5000 })],
    ["whose addresses are cut off", binaryHeader({ family: 0x21, source: "c0000207", port: 5000 })],
    ["with a zone", line("PROXY TCP6 fe80::1%lo ::1 5000 22")],
    ["with an octal address", line("PROXY TCP4 0177.0.0.1 127.0.0.1 5000 22")],
    ["with a short address", line("PROXY TCP4 127.1 127.0.0.1 5000 22")],
    ["with an IPv6 address for TCP4", line("PROXY TCP4 ::1 ::1 5000 22")],
    ["with a port beyond the last", line("PROXY TCP4 192.0.2.7 127.0.0.1 65536 22")],
    ["with two spaces", line("PROXY  TCP4 192.0.2.7 127.0.0.1 5000 22")],
    ["with more in it", line("PROXY TCP4 192.0.2.7 127.0.0.1 5000 22 127.0.0.1")],
    ["with a NUL", line("PROXY TCP4 192.0.2.7\0 127.0.0.1 5000 22")],
    ["that ends with LF", Buffer.from("PROXY TCP4 192.0.2.7 127.0.0.1 5000 22\nSSH-2.0-x\n")],
    ["in small letters", line("proxy tcp4 192.0.2.7 127.0.0.1 5000 22")],
    ["behind an identification", Buffer.concat([line("SSH-2.0-x"), V1])],
  ])("%s is told nothing", async (_, bytes) => {
    const { attacked } = await start({ proxyProtocol: { from: PROXIES, timeout: 0.2 } });
    const client = await ProxiedClient.through(attacked, bytes);
    await expect(client.stream.take(1)).rejects.toThrow(StreamEnded);
    expect(attacked.manager.getConnectionStats()).toMatchObject({ accepted: 1, refusedBy: { proxyProtocol: 1 } });
  });

  it.each([
    ["version 1", V1],
    ["version 2", V2],
  ])("of %s counts once: a second one is the client's, and no identification", async (_, header) => {
    const second = line("PROXY TCP4 198.51.100.1 127.0.0.1 5000 22");
    const { attacked, causes } = await start({ proxyProtocol: { from: PROXIES }, perSourcePenalties: LENIENT });
    const seen: unknown[] = [];
    attacked.manager.on("connection", ({ remoteAddress }) => seen.push(remoteAddress));
    const client = await ProxiedClient.through(attacked, Buffer.concat([header, second]));
    await client.stream.closed(5_000);
    expect([seen, causes]).toEqual([["192.0.2.7"], ["noAuth"]]);
    await attacked.expectUnharmed();
  });

  it.each([
    ["version 1", V1],
    ["version 2", V2],
  ])("of %s from somewhere else claims nothing", async (_, header) => {
    const { attacked, causes } = await start({ ...CRAMPED, proxyProtocol: { from: PROXIES } });
    const seen: unknown[] = [];
    attacked.manager.on("connection", ({ remoteAddress }) => seen.push(remoteAddress));
    const client = await attacked.connect(at());
    client.sendRaw(header);
    await client.stream.closed(5_000);
    expect([seen, causes]).toEqual([[ATTACKER], ["noAuth"]]);
    await expectForgotten(attacked);
  });

  it.each([
    ["as it is", V1],
    ["mapped into IPv6", line("PROXY TCP6 ::ffff:192.0.2.7 ::1 5000 22")],
    ["mapped, in hexadecimal", line("PROXY TCP6 0:0:0:0:0:FFFF:C000:0207 ::1 5000 22")],
    ["mapped, in version 2", binaryHeader({ family: 0x21, source: "00000000000000000000ffffc0000207", port: 1 })],
  ])("does not hide an address that is denied: %s", async (_, header) => {
    const { attacked } = await start({ proxyProtocol: { from: PROXIES }, denyFrom: "192.0.2.0/24" });
    const client = await ProxiedClient.through(attacked, header);
    await expect(client.stream.take(1)).rejects.toThrow(StreamEnded);
    expect(attacked.manager.getConnectionStats().refusedBy.denyFrom).toBe(1);
  });

  it("whose client has misbehaved costs neither the proxy nor its other clients anything", async () => {
    const { attacked } = await start({
      proxyProtocol: { from: PROXIES },
      perSourcePenalties: { min: 1, noAuth: 60 },
      perSourcePenaltyExemptList: [],
    });
    const guilty = await ProxiedClient.through(attacked, V1);
    await guilty.exchangeIdentifications();
    guilty.reset();
    await vi.waitFor(() => expect(attacked.manager.getConnectionStats().penalisedSources).toBe(1));
    const refused = await ProxiedClient.through(attacked, V1);
    await expect(refused.stream.take(1)).rejects.toThrow(StreamEnded);
    for (const header of [V2_IPV6, line("PROXY TCP4 192.0.2.8 127.0.0.1 1 22"), binaryHeader({ command: 0x20 })]) {
      const client = await ProxiedClient.through(attacked, header);
      await client.exchangeIdentifications();
      await client.exchangeKeys();
    }
  });
});

describe("floods from 200 addresses", () => {
  const addresses = Array.from({ length: 200 }, (_, host) => `127.0.5.${host + 1}`);
  const proxies = addresses.map((address) => address.replace("127.0.5.", "127.0.9."));

  function recordingLogger(): { logger: Logger; lines: string[] } {
    const lines: string[] = [];
    const log = (_fields: object, message: string) => void lines.push(message);
    return { logger: { debug: () => {}, info: log, warn: log, error: log }, lines };
  }

  const resources = (): Record<string, number> => {
    const count = (wanted: string) => process.getActiveResourcesInfo().filter((name) => name === wanted).length;
    return { sockets: count("TCPSocketWrap"), timeouts: count("Timeout") };
  };

  /** Every address attacks, ten at a time; then everything is as it was. */
  async function flood(
    options: Partial<ManagerOptions>,
    from: readonly string[],
    attack: (attacked: Attacked, address: string) => Promise<PacketClient>,
  ) {
    const { logger, lines } = recordingLogger();
    // Half of those who come: the room of each has to be another one's later.
    const attacked = await Attacked.start(new SlowServer(), { logger, ...options }, (manager) =>
      manager.setMaxConnections(100),
    );
    await attacked.expectUnharmed();
    const before = resources();
    lines.length = 0;
    const waiting = [...from];
    const worker = async () => {
      for (let address = waiting.pop(); address !== undefined; address = waiting.pop()) {
        const client = await attack(attacked, address);
        client.reset();
      }
    };
    await Promise.all(Array.from({ length: 10 }, worker));
    await vi.waitFor(
      () => expect(attacked.manager.getConnectionStats()).toMatchObject({ active: 1, startups: 0, authenticated: 1 }),
      { timeout: 5_000 },
    );
    const logged = [...lines];
    await attacked.expectUnharmed();
    await vi.waitFor(() => expect(resources().sockets).toBeLessThanOrEqual(before.sockets ?? 0));
    // The test runner has timers of its own that come and go; a connection's would be 200.
    expect(resources().timeouts).toBeLessThanOrEqual((before.timeouts ?? 0) + 5);
    return { stats: attacked.manager.getConnectionStats(), logged };
  }

  it.each<[what: string, attack: (attacked: Attacked, address: string) => Promise<PacketClient>]>([
    ["that connect and reset", (attacked, address) => attacked.connect(at(address))],
    ["that stop after KEXINIT", (attacked, address) => stopAfterKexInit(attacked, address)],
    [
      "of garbage",
      async (attacked, address) => {
        const client = await attacked.connect(at(address));
        client.sendRaw(Buffer.alloc(2000, 0xff));
        return closed(client);
      },
    ],
  ])("%s leave nothing behind", async (_, attack) => {
    const { stats } = await flood({ maxStartups: 50, perSourceMaxStartups: 1 }, addresses, attack);
    expect(stats.accepted).toBeLessThanOrEqual(203);
    expect(stats.refused).toBe(0);
  });

  it("that are denied leave one line in the log, and nothing else", async () => {
    const { stats, logged } = await flood({ denyFrom: "127.0.5.0/24" }, addresses, async (attacked, address) =>
      closed(await attacked.connect(at(address))),
    );
    // Two are those who look whether the server is unharmed, one was there first.
    expect([stats.refusedBy.denyFrom, stats.accepted]).toEqual([200, 3]);
    expect(logged).toEqual(["a connection was refused"]);
  });

  it("whose guesses have to be remembered take no more room than there is", async () => {
    const { stats } = await flood(
      { perSourcePenalties: { min: 1, authFail: 60, maxSources4: 50 }, perSourcePenaltyExemptList: ["127.0.0.1"] },
      addresses.slice(0, 80),
      async (attacked, address) => {
        const client = await attacked.authenticating(at(address));
        await client.authPassword(USERNAME, "wrong");
        return client;
      },
    );
    expect(stats.penalisedSources).toBe(50);
  });

  it("of proxies with broken headers leave one line in the log, and nothing else", async () => {
    const { stats, logged } = await flood({ proxyProtocol: { from: PROXIES } }, proxies, async (attacked, address) =>
      closed(await ProxiedClient.through(attacked, Buffer.from("GET / HTTP/1.1\r\n\r\n"), address)),
    );
    expect([stats.refusedBy.proxyProtocol, stats.accepted]).toEqual([200, 3]);
    expect(logged).toEqual(["a connection was refused"]);
  });

  async function closed(client: PacketClient): Promise<PacketClient> {
    await client.stream.closed(5_000);
    return client;
  }

  async function stopAfterKexInit(attacked: Attacked, address: string): Promise<PacketClient> {
    const client = await identified(attacked, address);
    client.sendKexInit();
    await client.readServerKexInit();
    return client;
  }
});

describe("the number of connections", () => {
  it("without a login is what it should be, whichever others are refused", async () => {
    const { attacked } = await start({ maxStartups: 3, perSourceMaxStartups: 2, maxConnectionsPerUser: 3 });
    const held = [await identified(attacked, "127.0.0.2"), await identified(attacked, "127.0.0.2")];
    const refused = await attacked.connect(at("127.0.0.2"));
    await expect(refused.stream.take(1)).rejects.toThrow(StreamEnded);
    held.push(await identified(attacked, "127.0.0.3"));
    const tooMany = await attacked.connect(at("127.0.0.4"));
    await expect(tooMany.stream.take(1)).rejects.toThrow(StreamEnded);
    expect(attacked.manager.getConnectionStats()).toMatchObject({
      active: 4,
      startups: 3,
      authenticated: 1,
      refused: 2,
      refusedBy: { perSourceMaxStartups: 1, maxStartups: 1 },
    });
    for (const client of held) client.reset();
    await expectForgotten(attacked, "127.0.0.2");
  });

  it("is not made wrong by announcements that nobody reads", async () => {
    const { attacked } = await start(CRAMPED);
    const client = await attacked.login({ ...at(), hostKeys: "given" });
    await client.expect(GLOBAL_REQUEST);
    client.stopReading();
    client.reset();
    await expectForgotten(attacked);
  });
});

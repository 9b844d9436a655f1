import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { PassThrough, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import { HookError } from "../../src/base/hook-error.js";
import { AcceptedOpen } from "../../src/connection/accepted-open.js";
import { ChannelOpenError } from "../../src/connection/channel-open-error.js";
import { LocalForwarding } from "../../src/forwarding/local-forwarding.js";
import { openFailure } from "../../src/forwarding/open-failure.js";
import type { LocalTarget, TcpTarget } from "../../src/forwarding/target.js";
import { allowTargets } from "../../src/forwarding/tcp/allow-targets.js";
import { fakeConnection } from "../connection/fake-connection.js";

const OPEN = { host: "db\n", port: 5432, originatorAddress: "::1", originatorPort: 1 };
const PROHIBITED = { reason: 1, description: "administratively prohibited" };
const NOT_CONNECTED = { reason: 2, description: "connect failed" };

let target: Server;
const sockets: Socket[] = [];
const port = () => (target.address() as AddressInfo).port;

beforeAll(async () => {
  target = createServer().listen(0, "127.0.0.1");
  await once(target, "listening");
});

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  target.close();
});

function start(decide: (target: LocalTarget) => unknown, connectTimeout = 60_000) {
  const controller = new AbortController();
  const connection = { ...fakeConnection(), username: "alice", signal: controller.signal };
  const log = { refused: vi.fn(), ended: vi.fn(), failed: vi.fn() };
  const connectToPort = vi.fn(async () => {
    const socket = connect(port(), "127.0.0.1");
    sockets.push(socket);
    await once(socket, "connect");
    return socket;
  });
  const connectToSocket = vi.fn(() => Promise.reject(new ChannelOpenError(1, "secret", { cause: new Error("where") })));
  const forwarding = new LocalForwarding(
    { connectTimeout, maxTargets: 2, connectToPort, connectToSocket },
    connection,
    decide as never,
    log,
  );
  return { forwarding, connection, controller, log, connectToPort, connectToSocket };
}

describe("a decision about a target", () => {
  it("is asked for with the client and what it wants", async () => {
    const decide = vi.fn((_target: LocalTarget) => false);
    const { forwarding, connection, log } = start(decide);
    expect(await forwarding.open(OPEN)).toEqual(PROHIBITED);
    expect(decide.mock.calls[0]?.[0]).toMatchObject({ ...OPEN, user: "alice", connection });
    expect(log.refused.mock.calls).toEqual([["direct-tcpip", "refused by the decision", { target: "db\\u{a}:5432" }]]);
  });

  it("may tell the log why it refuses, and not the client", async () => {
    const { forwarding, log } = start(allowTargets({ targets: { alice: ["*:2311"], carol: [] } }));
    expect(await forwarding.open({ ...OPEN, host: "db" })).toEqual(PROHIBITED);
    expect(await forwarding.open({ ...OPEN, host: "127.0.0.1", port: 2311 })).toEqual(PROHIBITED);
    const others = start(allowTargets({ targets: { bob: [] } }));
    expect(await others.forwarding.open({ ...OPEN, host: "db" })).toEqual(PROHIBITED);
    const causes = [log, others.log].flatMap(({ refused }) => refused.mock.calls.map(([, , { cause }]) => cause));
    expect(causes).toEqual([
      "not in the list of alice",
      "a pattern of alice matches, but 127.0.0.1 is not a public address: list the address or its network",
      "alice has no list",
    ]);
  });

  it("may be true: the library connects", async () => {
    const { forwarding, connectToPort, connection } = start(() => true);
    expect(await forwarding.open(OPEN)).toBeInstanceOf(AcceptedOpen);
    const request = { signal: expect.any(AbortSignal), owner: connection };
    expect(connectToPort).toHaveBeenCalledExactlyOnceWith({ host: OPEN.host, port: OPEN.port }, request);
  });

  it("may lead elsewhere, by addresses that it allows", async () => {
    const allowAddress = () => true;
    const { forwarding, connectToPort } = start((asked) =>
      (asked as TcpTarget).connect({ host: "replica", port: 1, allowAddress }),
    );
    expect(await forwarding.open(OPEN)).toBeInstanceOf(AcceptedOpen);
    expect(connectToPort).toHaveBeenCalledWith({ host: "replica", port: 1 }, expect.objectContaining({ allowAddress }));
  });

  it.each<[options: object]>([
    [{ allowAddres: () => false }],
    [{ allowAddress: undefined }],
    [{ allowAddress: false }],
    [{ host: 5 }],
    [{ host: undefined }],
    [{ port: undefined }],
    [{ port: "1" }],
  ])("leads nowhere by options that cannot be right: %j", async (options) => {
    const { forwarding, connectToPort, log } = start((asked) => (asked as TcpTarget).connect(options));
    expect(await forwarding.open(OPEN)).toEqual(PROHIBITED);
    expect(connectToPort).not.toHaveBeenCalled();
    expect(log.failed).toHaveBeenCalledExactlyOnceWith("checkLocalForwardRequest", expect.any(ConfigurationError));
  });

  it("cannot allow a socket of the file system by its address", async () => {
    const { forwarding, connectToSocket, log } = start((asked) =>
      (asked as TcpTarget).connect({ allowAddress: () => false }),
    );
    expect(await forwarding.open({ socketPath: Buffer.from("/run/x") })).toEqual(PROHIBITED);
    expect(connectToSocket).not.toHaveBeenCalled();
    expect(log.failed).toHaveBeenCalledExactlyOnceWith("checkLocalForwardRequest", expect.any(ConfigurationError));
  });

  it("may be a reason with a text, which the client gets", async () => {
    const { forwarding } = start(async () => ({ reason: 4, description: "later" }));
    expect(await forwarding.open(OPEN)).toEqual({ reason: 4, description: "later" });
  });

  it("may be a stream, which is closed where there is no channel in the end", async () => {
    const stream = new PassThrough();
    const accepted = await start(() => stream).forwarding.open(OPEN);
    if (!(accepted instanceof AcceptedOpen)) expect.fail("the stream was not taken");
    accepted.abandoned();
    expect(stream.destroyed).toBe(true);
    stream.emit("error", new Error("later"));
  });

  it("may be a socket that still connects: it is waited for", async () => {
    const socket = connect(port(), "127.0.0.1");
    sockets.push(socket);
    expect(await start(() => socket).forwarding.open(OPEN)).toBeInstanceOf(AcceptedOpen);
    expect(socket.connecting).toBe(false);
  });

  it.each<[what: string, stream: () => unknown]>([
    ["that does not connect", () => connect(1, "127.0.0.1")],
    ["that is closed", () => new PassThrough().destroy()],
  ])("may be a stream %s: the client is told that", async (_, stream) => {
    const { forwarding, log } = start(stream);
    expect(await forwarding.open(OPEN)).toEqual(NOT_CONNECTED);
    expect(log.refused.mock.calls[0]?.slice(0, 2)).toEqual(["direct-tcpip", "not connected"]);
  });

  it("refuses by another shortage than one of channels, where too many names are looked up", async () => {
    const { forwarding, connectToPort } = start((asked) => asked.connect());
    connectToPort.mockRejectedValueOnce(openFailure(4, new Error("too many names are being looked up")));
    expect(await forwarding.open(OPEN)).toEqual({ reason: 4, description: "resource shortage" });
  });

  it.each([[undefined], [null], [0], [1], ["true"], [{}], [{ reason: 1 }], [Object(true)], [[true]], [new Writable()]])(
    "refuses by anything else, which is an error of the log: %o",
    async (answer) => {
      for (const decide of [() => answer, async () => answer]) {
        const { forwarding, log } = start(decide);
        expect(await forwarding.open(OPEN)).toEqual(PROHIBITED);
        expect(log.failed).toHaveBeenCalledExactlyOnceWith("checkLocalForwardRequest", expect.any(HookError));
      }
    },
  );

  it("need not wait for a connection that it does not return, which may fail, and is closed", async () => {
    const socket = connect(port(), "127.0.0.1");
    sockets.push(socket);
    await once(socket, "connect");
    const { forwarding, connectToPort } = start((asked) => {
      void asked.connect();
      return asked.connect().then(() => false);
    });
    connectToPort.mockRejectedValueOnce(new ChannelOpenError(2, "")).mockResolvedValueOnce(socket);
    expect(await forwarding.open(OPEN)).toEqual(PROHIBITED);
    expect(connectToPort).toHaveBeenCalledTimes(2);
    expect(socket.destroyed).toBe(true);
  });

  it("is not asked for where a client has too many targets, which are counted until they are decided on", async () => {
    const answers: ((answer: boolean) => void)[] = [];
    const { forwarding, log } = start(() => new Promise((resolve) => answers.push(resolve)));
    const opening = [forwarding.open(OPEN), forwarding.open(OPEN)];
    expect(await forwarding.open(OPEN)).toEqual({ reason: 4, description: "too many channels" });
    expect(log.refused.mock.calls[0]?.slice(0, 2)).toEqual(["direct-tcpip", "too many targets"]);
    answers[0]?.(false);
    expect(await opening[0]).toEqual(PROHIBITED);
    const next = forwarding.open(OPEN);
    answers[1]?.(false);
    answers[2]?.(true);
    expect(await next).toBeInstanceOf(AcceptedOpen);
  });

  it("may not be a stream that another channel has, of whichever client: that one keeps it", async () => {
    const stream = new PassThrough();
    const [first, second] = [start(() => stream), start(() => stream)];
    expect(await first.forwarding.open(OPEN)).toBeInstanceOf(AcceptedOpen);
    for (const { forwarding, log } of [first, second]) {
      expect(await forwarding.open(OPEN)).toEqual(PROHIBITED);
      expect(log.failed).toHaveBeenCalledExactlyOnceWith("checkLocalForwardRequest", expect.any(HookError));
    }
    expect(stream.destroyed).toBe(false);
  });

  it("refuses by a throw", async () => {
    const { forwarding, log } = start(() => {
      throw new Error("no database");
    });
    expect(await forwarding.open(OPEN)).toEqual(PROHIBITED);
    expect(log.failed).toHaveBeenCalledExactlyOnceWith("checkLocalForwardRequest", new Error("no database"));
  });

  it("tells the client the reason of what did not connect, and the log its cause", async () => {
    const { forwarding, log } = start((asked) => asked.connect());
    expect(await forwarding.open({ socketPath: Buffer.from("/run/x") })).toEqual(PROHIBITED);
    expect(log.refused.mock.calls).toEqual([
      ["direct-streamlocal@openssh.com", "the target is not allowed", { target: "/run/x", err: new Error("where") }],
    ]);
  });

  it("takes no longer than connecting may take; a socket that comes later is closed", async () => {
    let decide = (_stream: PassThrough) => {};
    const { forwarding, log } = start(() => new Promise((resolve) => (decide = resolve)), 1);
    expect(await forwarding.open(OPEN)).toEqual(NOT_CONNECTED);
    expect(log.refused.mock.calls[0]?.[2]?.err).toEqual(new Error("no connection within 0.001 s"));
    const late = new PassThrough();
    decide(late);
    await vi.waitFor(() => expect(late.destroyed).toBe(true));
  });

  it("is not waited for when the connection ends, which is not a line of the log", async () => {
    const { forwarding, controller, log } = start(() => new Promise(() => {}));
    const opening = forwarding.open(OPEN);
    controller.abort(new Error("gone"));
    expect(await opening).toEqual(NOT_CONNECTED);
    expect([log.refused, log.failed].map(({ mock }) => mock.calls)).toEqual([[], []]);
  });

  it.each([[Buffer.of(0xff)], [Buffer.alloc(0)], [Buffer.from("/run/\0x")]])(
    "is not asked for about a path that is not one: %j",
    async (socketPath) => {
      const decide = vi.fn(() => true);
      const { forwarding, log } = start(decide);
      expect(await forwarding.open({ socketPath })).toEqual(NOT_CONNECTED);
      expect(decide).not.toHaveBeenCalled();
      expect(log.refused.mock.calls[0]?.[1]).toBe("not a target");
    },
  );
});

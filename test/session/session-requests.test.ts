import { describe, expect, it, vi } from "vitest";
import { completePermissions, type Permissions } from "../../src/auth/permissions.js";
import { InvalidTextError, ProtocolError } from "../../src/protocol/errors.js";
import { decodeChannelRequest, encodeChannelRequest } from "../../src/protocol/messages/requests.js";
import { Writer } from "../../src/protocol/writer.js";
import type { AnyChannel } from "../../src/session/connection.js";
import type { PseudoTerminal, SessionChannel } from "../../src/session/session-channel.js";
import type { SessionForwarding } from "../../src/session/session-forwarding.js";
import { handleSessionRequest, type SessionHooks } from "../../src/session/session-requests.js";
import { Deferred } from "../attack/deferred.js";
import { fakeConnection } from "../connection/fake-connection.js";
import { openTestChannel } from "../connection/test-channel.js";

const text = (...values: readonly (string | Uint8Array)[]): Buffer => {
  const writer = new Writer();
  for (const value of values) writer.writeString(value);
  return writer.toBuffer();
};
const uint32 = (...values: readonly number[]): Buffer => {
  const writer = new Writer();
  for (const value of values) writer.writeUint32(value);
  return writer.toBuffer();
};
const modes = Buffer.concat([Buffer.of(53), uint32(1), Buffer.of(128), uint32(38_400), Buffer.of(0)]);
const ptyFields = (term: string | Uint8Array = "xterm"): Buffer =>
  Buffer.concat([text(term), uint32(80, 24, 640, 480), text(modes)]);

/** Hooks that note what they were asked, and allow it unless told otherwise. */
class TestHooks implements SessionHooks {
  readonly calls: unknown[][] = [];
  answer: () => boolean | Promise<boolean> = () => true;

  exec = (_channel: SessionChannel, command: Buffer) => this.#decide("exec", command.toString("latin1"));
  shell = () => this.#decide("shell");
  subsystem = (_channel: SessionChannel, name: string) => this.#decide("subsystem", name);
  pty = (_channel: SessionChannel, pty: PseudoTerminal) => this.#decide("pty", pty);
  windowChange = (_channel: SessionChannel, pty: PseudoTerminal) => this.#decide("windowChange", pty);
  environment = (_channel: SessionChannel, name: string, value: Buffer) =>
    this.#decide("environment", name, value.toString("latin1"));
  x11 = (_channel: SessionChannel, single: boolean, protocol: string, cookie: Buffer, screen: number) =>
    this.#decide("x11", single, protocol, cookie.toString(), screen);

  agent = () => this.#decide("agent");
  unknown = (_channel: AnyChannel, kind: string, payload: Buffer) =>
    this.#decide("unknown", kind, payload.toString("latin1"));

  #decide(...call: readonly unknown[]): boolean | Promise<boolean> {
    this.calls.push([...call]);
    return this.answer();
  }
}

const AGENT = { openStream: notHere, list: notHere, sign: notHere, listen: notHere };

const forwarding: SessionForwarding = {
  agent: () => AGENT,
  x11: (_channel, request) => (request.screenNumber > 1000 ? undefined : { ...request, listen: notHere }),
};

function notHere(): never {
  throw new Error("not here");
}

function start(permissions: Partial<Permissions> = {}) {
  const connection = { ...fakeConnection(), permissions: completePermissions(permissions) };
  const { channel, link } = openTestChannel({ connection });
  const hooks = new TestHooks();
  const ask = (kind: string, fields: Uint8Array = Buffer.alloc(0)) => {
    const payload = encodeChannelRequest(0, kind, "wanted", fields);
    const report = { refusedLate: notHere, failedLate: notHere };
    return handleSessionRequest(channel, decodeChannelRequest(payload), { hooks, forwarding, report });
  };
  return { channel, link, hooks, ask };
}

const programs = [
  ["exec", text("ls")],
  ["shell", text()],
  ["subsystem", text("sftp")],
] as const;

describe("a request to start a program", () => {
  it.each(programs)("reaches its hook: %s", (kind, fields) => {
    const { hooks, ask } = start();
    expect(ask(kind, fields)).toBe(true);
    expect(hooks.calls.map(([name]) => name)).toEqual([kind]);
  });

  it("hands the command over as the bytes that it is", () => {
    const { hooks, ask } = start();
    ask("exec", text(Buffer.from([0x00, 0xff, 0x0a])));
    expect(hooks.calls).toEqual([["exec", "\u0000\u00ff\n"]]);
  });

  it.each(programs.flatMap(([first]) => programs.map(([second, fields]) => [first, second, fields] as const)))(
    "is refused after one that was started: %s, then %s",
    (first, second, fields) => {
      const { hooks, ask } = start();
      ask(first, programs.find(([kind]) => kind === first)?.[1]);
      expect(ask(second, fields)).toBe(false);
      expect(hooks.calls).toHaveLength(1);
    },
  );

  it.each<[what: string, answer: () => boolean | Promise<boolean>]>([
    ["refuses", () => false],
    ["refuses later", () => Promise.resolve(false)],
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])("may come again when the hook %s", async (_, answer) => {
    const { hooks, ask } = start();
    hooks.answer = answer;
    const first = (async () => ask("exec", text("ls")))();
    await first.then(
      (allowed) => expect(allowed).toBe(false),
      (error) => expect(error.message).toBe("broken"),
    );
    hooks.answer = () => true;
    expect(ask("shell")).toBe(true);
    expect(ask("exec", text("ls"))).toBe(false);
  });

  it("on one channel does not count on another", () => {
    expect(start().ask("shell")).toBe(true);
    expect(start().ask("shell")).toBe(true);
  });
});

describe("a request for a terminal", () => {
  const pty = {
    term: Buffer.from("xterm"),
    width: 80,
    height: 24,
    pixelWidth: 640,
    pixelHeight: 480,
    modes: new Map([
      ["ECHO", 1],
      ["TTY_OP_ISPEED", 38_400],
    ]),
  };

  it("gives the channel its terminal", () => {
    const { channel, hooks, ask } = start();
    expect(ask("pty-req", ptyFields())).toBe(true);
    expect(hooks.calls).toEqual([["pty", pty]]);
    expect(channel.pty).toEqual(pty);
  });

  it("that is refused, at once or later, gives none", async () => {
    const { channel, hooks, ask } = start();
    hooks.answer = () => false;
    expect(ask("pty-req", ptyFields())).toBe(false);
    hooks.answer = () => Promise.resolve(false);
    expect(await ask("pty-req", ptyFields())).toBe(false);
    expect(channel.pty).toBe(undefined);
  });

  it("counts only when it is allowed", async () => {
    const { channel, hooks, ask } = start();
    const decision = new Deferred<boolean>();
    hooks.answer = () => decision.promise;
    const asked = ask("pty-req", ptyFields());
    expect(channel.pty).toBe(undefined);
    decision.resolve(true);
    expect(await asked).toBe(true);
    expect(channel.pty).toEqual(pty);
  });

  it("comes once", () => {
    const { channel, hooks, ask } = start();
    ask("pty-req", ptyFields());
    expect(ask("pty-req", ptyFields("vt100"))).toBe(false);
    expect([channel.pty?.term.toString(), hooks.calls.length]).toEqual(["xterm", 1]);
  });

  it("may name one that is not UTF-8, and keeps its bytes", () => {
    const { channel, ask } = start();
    expect(ask("pty-req", ptyFields(Buffer.of(0xff)))).toBe(true);
    expect(channel.pty?.term).toEqual(Buffer.of(0xff));
  });

  it("may not have NUL in its name, which no environment can hold", () => {
    const { channel, hooks, ask } = start();
    expect(ask("pty-req", ptyFields("xterm\0x"))).toBe(false);
    expect([channel.pty, hooks.calls]).toEqual([undefined, []]);
  });

  it("of another size tells the program", () => {
    const { channel, ask } = start();
    const sizes: unknown[] = [];
    channel.on("resize", ({ width, height, pixelWidth, pixelHeight }) =>
      sizes.push([width, height, pixelWidth, pixelHeight, channel.pty?.width]),
    );
    ask("pty-req", ptyFields());
    expect(ask("window-change", uint32(100, 50, 1, 2))).toBe(true);
    expect(sizes).toEqual([[100, 50, 1, 2, 100]]);
    expect(channel.pty).toEqual({ ...pty, width: 100, height: 50, pixelWidth: 1, pixelHeight: 2 });
  });

  it("of another size that is refused changes nothing", () => {
    const { channel, hooks, ask } = start();
    const resized = vi.fn();
    channel.on("resize", resized);
    ask("pty-req", ptyFields());
    hooks.answer = () => false;
    expect(ask("window-change", uint32(100, 50, 1, 2))).toBe(false);
    expect(resized).not.toHaveBeenCalled();
    expect(channel.pty).toEqual(pty);
  });

  it("of another size without a terminal is refused and asks nobody", () => {
    const { hooks, ask } = start();
    expect(ask("window-change", uint32(100, 50, 1, 2))).toBe(false);
    expect(hooks.calls).toEqual([]);
  });
});

describe("a variable of the environment", () => {
  it("is kept when allowed", async () => {
    const { channel, hooks, ask } = start();
    expect(ask("env", text("LANG", "de_DE.UTF-8"))).toBe(true);
    hooks.answer = () => Promise.resolve(true);
    expect(await ask("env", text("EMPTY", ""))).toBe(true);
    expect(await ask("env", text("LANG", "C"))).toBe(true);
    hooks.answer = () => false;
    expect(ask("env", text("LD_PRELOAD", "/tmp/x.so"))).toBe(false);
    expect([...channel.environment]).toEqual([
      ["LANG", Buffer.from("C")],
      ["EMPTY", Buffer.alloc(0)],
    ]);
  });

  it.each([
    ["no name", "", "x"],
    ["a name with =", "A=B", "x"],
    ["a name with NUL", "A\0B", "x"],
    ["a value with NUL", "A", "x\0y"],
  ])("with %s is refused and asks nobody", (_, name, value) => {
    const { channel, hooks, ask } = start();
    expect(ask("env", text(name, value))).toBe(false);
    expect([hooks.calls, channel.environment.size]).toEqual([[], 0]);
  });

  it("keeps its bytes, which need not be UTF-8", () => {
    const { channel, hooks, ask } = start();
    expect(ask("env", text("LC_ALL", Buffer.of(0x80, 0xff)))).toBe(true);
    expect(hooks.calls).toEqual([["environment", "LC_ALL", "\x80\xff"]]);
    expect(channel.environment.get("LC_ALL")).toEqual(Buffer.of(0x80, 0xff));
  });

  it("too many are refused, and ask nobody", () => {
    const { channel, hooks, ask } = start();
    let count = 0;
    while (count < 1000 && ask("env", text(`NAME${count}`, "x"))) count++;
    expect(count).toBeGreaterThan(100);
    expect(count).toBeLessThan(300);
    expect([hooks.calls.length, channel.environment.size]).toEqual([count, count]);
  });

  it("too long ones are refused, and ask nobody", () => {
    const { channel, hooks, ask } = start();
    expect(ask("env", text("A", "x".repeat(40_000)))).toBe(true);
    expect(ask("env", text("B", "x".repeat(40_000)))).toBe(false);
    expect(ask("env", text("x".repeat(40_000), "B"))).toBe(false);
    expect(ask("env", text("C", "x"))).toBe(true);
    expect([hooks.calls.length, [...channel.environment.keys()]]).toEqual([2, ["A", "C"]]);
  });

  it("named like a property of objects is only that", () => {
    const { channel, ask } = start();
    expect(ask("env", text("__proto__", "x"))).toBe(true);
    expect(channel.environment.get("__proto__")).toEqual(Buffer.from("x"));
  });
});

describe("events", () => {
  it.each([
    ["signal", text("TERM"), "TERM"],
    ["break", uint32(500), 500],
  ])("%s succeeds when somebody listens, and fails when not", (kind, fields, value) => {
    const { channel, ask } = start();
    expect(ask(kind, fields)).toBe(false);
    const heard = vi.fn();
    channel.on(kind, heard);
    expect(ask(kind, fields)).toBe(true);
    expect(heard).toHaveBeenCalledExactlyOnceWith(value);
  });

  it("eow@openssh.com tells the program, and closes the channel when it does not care", () => {
    const { channel, link, ask } = start();
    const heard = vi.fn();
    channel.once("eow", heard);
    expect(ask("eow@openssh.com")).toBe(true);
    expect([heard.mock.calls.length, link.received]).toEqual([1, []]);
    expect(ask("eow@openssh.com")).toBe(true);
    expect(link.received).toEqual(["CLOSE"]);
  });
});

describe("a request to forward X11", () => {
  it("reaches its hook", () => {
    const { channel, hooks, ask } = start();
    const fields = (screen: number) =>
      Buffer.concat([Buffer.of(1), text("MIT-MAGIC-COOKIE-1", "00ff"), uint32(screen)]);
    expect(ask("x11-req", fields(3))).toBe(true);
    expect(hooks.calls).toEqual([["x11", true, "MIT-MAGIC-COOKIE-1", "00ff", 3]]);
    expect(channel.x11).toMatchObject({ singleConnection: true, screenNumber: 3 });
    // There is one display for each session.
    expect(ask("x11-req", fields(3))).toBe(false);
    expect(hooks.calls.length).toBe(1);
  });

  it("asks nobody where it makes no sense", () => {
    const { channel, hooks, ask } = start();
    expect(ask("x11-req", Buffer.concat([Buffer.of(0), text("MIT-MAGIC-COOKIE-1", "00ff"), uint32(1001)]))).toBe(false);
    expect([hooks.calls, channel.x11]).toEqual([[], undefined]);
  });
});

describe("a request to forward the agent", () => {
  it("makes it known to the session, by one decision", () => {
    const { channel, hooks, ask } = start();
    hooks.answer = () => false;
    expect(ask("auth-agent-req@openssh.com")).toBe(false);
    expect(channel.agent).toBeUndefined();
    hooks.answer = () => true;
    expect([ask("auth-agent-req@openssh.com"), ask("auth-agent-req@openssh.com")]).toEqual([true, true]);
    expect(channel.agent).toBe(AGENT);
    expect(hooks.calls).toEqual([["agent"], ["agent"]]);
  });

  it("asks nobody where the user may not forward it", () => {
    const { hooks, ask } = start({ agentForwarding: false });
    expect(ask("auth-agent-req@openssh.com")).toBe(false);
    expect(hooks.calls).toEqual([]);
  });
});

describe("other requests", () => {
  it.each(["", "no-such-request", "EXEC", "exit-status", "__proto__", "constructor"])(
    "are decided by the hook for those that are not known: %j",
    (kind) => {
      const { hooks, ask } = start();
      expect(ask(kind, Buffer.from("payload"))).toBe(true);
      hooks.answer = () => false;
      expect(ask(kind)).toBe(false);
      expect(hooks.calls).toEqual([
        ["unknown", kind, "payload"],
        ["unknown", kind, ""],
      ]);
    },
  );
});

describe("a malformed request", () => {
  const x11 = new Writer().writeBoolean(true).writeString("p").writeString("c").writeUint32(0).toBuffer();
  const wellFormed = [
    ...programs,
    ["pty-req", ptyFields()],
    ["window-change", uint32(1, 2, 3, 4)],
    ["env", text("A", "B")],
    ["signal", text("TERM")],
    ["break", uint32(1)],
    ["eow@openssh.com", text()],
    ["x11-req", x11],
    ["auth-agent-req@openssh.com", text()],
  ] as const;

  it.each(wellFormed)("is an error that asks nobody and changes nothing: %s", (kind, fields) => {
    const { channel, link, hooks, ask } = start();
    for (const event of ["signal", "break"]) channel.on(event, () => expect.unreachable());
    for (let length = 0; length < fields.length; length++) {
      expect(() => ask(kind, fields.subarray(0, length))).toThrow(ProtocolError);
    }
    expect(() => ask(kind, Buffer.concat([fields, Buffer.alloc(1)]))).toThrow(ProtocolError);
    expect([hooks.calls, link.received, channel.pty]).toEqual([[], [], undefined]);
    channel.removeAllListeners();
    expect(() => ask(kind, fields)).not.toThrow();
  });

  it.each([
    ["subsystem", text(Buffer.of(0xff))],
    ["env", text(Buffer.of(0xff), "x")],
    ["signal", text(Buffer.of(0xff))],
  ])("is told apart when its name is not UTF-8: %s", (kind, fields) => {
    const { hooks, ask } = start();
    expect(() => ask(kind, fields)).toThrow(InvalidTextError);
    expect(hooks.calls).toEqual([]);
  });

  it("leaves the channel free for a program", () => {
    const { ask } = start();
    expect(() => ask("exec", text("ls").subarray(0, -1))).toThrow(ProtocolError);
    expect(ask("exec", text("ls"))).toBe(true);
  });
});

describe("permissions", () => {
  it.each([
    ["pty-req", ptyFields(), { pty: false }],
    ["x11-req", Buffer.concat([Buffer.of(0), text("MIT-MAGIC-COOKIE-1", "0123"), uint32(0)]), { x11Forwarding: false }],
    ["env", text("A", "client"), { environment: { A: "server" } }],
    ["env", text("SSH_ORIGINAL_COMMAND", "client"), {}],
  ] as const)("refuse %s without asking the hook", (kind, fields, permissions) => {
    const { hooks, ask, channel } = start(permissions);
    expect([ask(kind, fields), hooks.calls, channel.pty]).toEqual([false, [], undefined]);
  });

  it.each([
    ["exec", text("ls"), "ls"],
    ["shell", text(), undefined],
    ["subsystem", text("sftp"), "sftp"],
  ] as const)("run the forced command for %s", (kind, fields, asked) => {
    const { hooks, ask, channel } = start({ forceCommand: "date" });
    expect(ask(kind, fields)).toBe(true);
    expect(hooks.calls).toEqual([["exec", "date"]]);
    expect(channel.originalCommand?.toString()).toBe(asked);
    expect(channel.environment.get("SSH_ORIGINAL_COMMAND")?.toString()).toBe(asked);
  });

  it.each([
    ["exec", "internal-sftp"],
    ["exec", "date"],
    ["subsystem", "date"],
  ])("refuse %s with a NUL, which no variable can hold, where the command is forced: %s", (kind, forceCommand) => {
    const { hooks, ask, channel } = start({ forceCommand });
    expect(() => ask(kind, text("a\0b"))).toThrow(InvalidTextError);
    expect([hooks.calls, channel.environment.size, channel.originalCommand]).toEqual([[], 0, undefined]);
    expect(ask("exec", text("ab"))).toBe(true);
  });

  it("run SFTP for the forced command internal-sftp", () => {
    const { hooks, ask, channel } = start({ forceCommand: "internal-sftp" });
    expect(ask("exec", text("scp -t /"))).toBe(true);
    expect(hooks.calls).toEqual([["subsystem", "sftp"]]);
    expect(channel.originalCommand?.toString()).toBe("scp -t /");
  });

  it("run a forced command that is empty, too, and what was asked without one", () => {
    const forced = start({ forceCommand: "" });
    forced.ask("exec", text("ls"));
    expect(forced.hooks.calls).toEqual([["exec", ""]]);
    const free = start();
    free.ask("exec", text("ls"));
    expect([free.channel.originalCommand, free.hooks.calls]).toEqual([undefined, [["exec", "ls"]]]);
  });

  it("put their variables into a session", () => {
    const { channel } = start({ environment: { A: "1" } });
    expect([...channel.environment]).toEqual([["A", Buffer.from("1")]]);
  });
});

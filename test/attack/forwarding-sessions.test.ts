import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { AgentError } from "../../src/index.js";
import { MessageNumber as M } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import {
  channelClose,
  channelData,
  channelEof,
  channelOpen,
  channelRequest,
  readOpenFailure,
} from "../support/packet-messages.js";
import {
  ask,
  askedNumber,
  confirmation,
  directStreamlocal,
  directTcpip,
  handled,
  place,
  sessionWith,
  startForwarding,
  visitor,
} from "./forwarding-client.js";

const AGENT_REQUEST = "auth-agent-req@openssh.com";
const AGENT_CHANNEL = "auth-agent@openssh.com";

function program(path: string): Socket {
  const socket = connect(path);
  socket.on("error", () => {}).resume();
  onTestFinished(() => void socket.destroy());
  return socket;
}

describe("the agent of a client", () => {
  it.each<[what: string, code: string, answer: (id: number) => readonly Buffer[]]>([
    ["with nonsense", "malformed", (id) => [channelData(id, Buffer.alloc(1000, 0xff))]],
    ["with megabytes", "malformed", (id) => Array.from({ length: 60 }, () => channelData(id, Buffer.alloc(32_000, 1)))],
    ["with 2^32 - 1 keys", "malformed", (id) => [channelData(id, Buffer.of(0, 0, 0, 5, 12, 255, 255, 255, 255))]],
    ["with half an answer", "closed", (id) => [channelData(id, Buffer.of(0, 0, 0, 5, 12)), channelEof(id)]],
    ["with CLOSE", "closed", (id) => [channelClose(id)]],
  ])("answers %s: the program gets an error, and nothing is left", async (_, code, answer) => {
    const started = await startForwarding({ agent: true });
    const { client, leave } = started;
    const { channel } = await sessionWith(started, AGENT_REQUEST);
    const listing = channel.agent?.list().then(
      () => "keys",
      (error: AgentError) => error.code,
    );
    const id = await askedNumber(client, AGENT_CHANNEL);
    for (const message of [confirmation(id), ...answer(id)]) client.sendPacket(message);
    expect(await listing).toBe(code);
    await leave();
  });

  it("is never there: programs are few, and are left with their session, with its socket", async () => {
    const started = await startForwarding({ agent: true });
    const { client, lines, leave } = started;
    const { id, channel } = await sessionWith(started, AGENT_REQUEST);
    const path = (await channel.agent?.listen()) ?? "";
    const listing = channel.agent?.list().catch((error: AgentError) => error.code);
    const programs = Array.from({ length: 40 }, () => program(path));
    await vi.waitFor(() => expect(programs.filter(({ closed }) => closed)).toHaveLength(8));
    expect((await handled(client)).filter((number) => number === M.CHANNEL_OPEN)).toHaveLength(33);
    client.sendPacket(channelClose(id));
    expect(await listing).toBe("closed");
    await vi.waitFor(() => expect(programs.every(({ closed }) => closed)).toBe(true));
    await vi.waitFor(() => expect(existsSync(dirname(path))).toBe(false));
    expect(lines.map(({ reason }) => reason)).toEqual([`${AGENT_REQUEST}: too many programs use the agent`]);
    await leave();
  });
});

const COOKIE = Buffer.from("0123456789abcdef0123456789abcdef", "hex");
const PROTOCOL = "MIT-MAGIC-COOKIE-1";

const x11Request = ({ protocol = PROTOCOL, cookie = COOKIE.toString("hex"), screen = 0 } = {}): Buffer =>
  new Writer().writeBoolean(false).writeString(protocol).writeString(cookie).writeUint32(screen).toBuffer();

/** The first message of an X client, most significant byte first. */
function setup(cookie: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.write("B");
  head.writeUInt16BE(PROTOCOL.length, 6);
  head.writeUInt16BE(cookie.length, 8);
  return Buffer.concat([head, Buffer.from(PROTOCOL), Buffer.alloc(2), cookie]);
}

describe("X11 forwarding", () => {
  it("is refused where an authority file could not hold what is asked for", async () => {
    const { client, attacked, leave } = await startForwarding({ x11: true });
    const { id } = await client.openSession();
    attacked.forgetCalls();
    for (const fields of [
      ...["", "MIT\n", "MIT\0", "MIT MAGIC", "M".repeat(65)].map((protocol) => x11Request({ protocol })),
      ...["", "0", "zz", "00\n", "00".repeat(257)].map((cookie) => x11Request({ cookie })),
    ]) {
      client.sendPacket(channelRequest(id, "x11-req", "want-reply", fields));
      await client.expect(M.CHANNEL_FAILURE);
    }
    expect(attacked.callNames).toEqual([]);
    await leave();
  });

  it("leads no X client without the cookie to the client, and leaves nothing with its session", async () => {
    const started = await startForwarding({ x11: true });
    const { client, lines, leave } = started;
    const { id, channel } = await sessionWith(started, "x11-req", x11Request());
    const { display, authorityFile } = (await channel.x11?.listen()) ?? expect.fail("no X11");
    const port = 6000 + Number(/^localhost:(\d+)\./.exec(display)?.[1]);
    const wrong = [
      setup(Buffer.alloc(16)),
      setup(COOKIE).fill("X", 12, 30),
      setup(Buffer.alloc(0)),
      Buffer.alloc(1_000_000),
    ];
    for (const bytes of wrong) {
      const socket = await visitor(port);
      socket.resume().write(bytes);
      await vi.waitFor(() => expect(socket.closed).toBe(true));
    }
    const silent = await Promise.all(Array.from({ length: 60 }, () => visitor(port)));
    for (const socket of silent) socket.resume().write("B");
    await vi.waitFor(() => expect(silent.filter(({ closed }) => closed).length).toBeGreaterThanOrEqual(28));
    const right = await visitor(port);
    right.write(setup(COOKIE));
    const asked = await askedNumber(client, "x11");
    for (const message of [confirmation(asked), channelData(asked, "welcome")]) client.sendPacket(message);
    expect(String((await once(right, "data"))[0])).toBe("welcome");
    expect(await handled(client)).not.toContain(M.CHANNEL_OPEN);
    client.sendPacket(channelClose(id));
    await vi.waitFor(() => expect([...silent, right].every(({ closed }) => closed)).toBe(true));
    await vi.waitFor(() => expect(existsSync(dirname(authorityFile))).toBe(false));
    await expect(visitor(port)).rejects.toThrow("ECONNREFUSED");
    expect(new Set(lines.map(({ reason }) => reason))).toEqual(
      new Set(["x11-req: an X client has not shown the cookie", "x11-req: too many X clients wait"]),
    );
    await leave();
  });
});

describe("a user who may forward nothing", () => {
  it("reaches no hook and no channel, by whatever name", async () => {
    const forwarding = { local: () => true, remote: () => true, agent: true, x11: true, socketRoots: ["/"] };
    const permissions = { portForwarding: false, agentForwarding: false, x11Forwarding: false };
    const { client, attacked, leave } = await startForwarding(forwarding, { permissions });
    const { id } = await client.openSession();
    attacked.forgetCalls();
    for (const kind of ["x11", AGENT_CHANNEL, "forwarded-tcpip", "tun@openssh.com", "direct-tcpip@x"]) {
      client.sendPacket(channelOpen({ kind }));
      expect(readOpenFailure(await client.expect(M.CHANNEL_OPEN_FAILURE)).reason).toBe(1);
    }
    for (const open of [directTcpip("127.0.0.1", 22), directStreamlocal("/run/x")]) {
      client.sendPacket(open);
      expect(readOpenFailure(await client.expect(M.CHANNEL_OPEN_FAILURE)).reason).toBe(1);
    }
    const path = new Writer().writeString("/run/x").toBuffer();
    for (const [kind, fields] of [
      ["tcpip-forward", place("localhost", 0)],
      ["cancel-tcpip-forward", place("localhost", 22)],
      ["streamlocal-forward@openssh.com", path],
      ["cancel-streamlocal-forward@openssh.com", path],
    ] as const) {
      expect(await ask(client, kind, fields)).toBe(false);
    }
    for (const [kind, fields] of [
      [AGENT_REQUEST, Buffer.alloc(0)],
      ["x11-req", x11Request()],
    ] as const) {
      client.sendPacket(channelRequest(id, kind, "want-reply", fields));
      await client.expect(M.CHANNEL_FAILURE);
    }
    expect(attacked.callNames).toEqual([]);
    await leave();
  });
});

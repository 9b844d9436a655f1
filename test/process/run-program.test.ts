import { createHash } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packetPath } from "../../src/crypto/cipher/packet-path.js";
import { ConfigurationError, ProgramStartError } from "../../src/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import {
  channelClose,
  channelData,
  channelEof,
  channelRequest,
  execRequest,
  windowAdjust,
} from "../support/packet-messages.js";
import { testBytes } from "../support/server.js";
import { temporaryFolder } from "../support/tools.js";
import {
  breakRequest,
  ProgramServer,
  programClient,
  readEnd,
  readInSmallWindows,
  shown,
  signalRequest,
  startCommand,
  untilGone,
} from "./program-server.js";

const folder = temporaryFolder();
const isRoot = process.getuid?.() === 0;

const words = (text: string) => text.split(" ") as [string, ...string[]];

describe("a program on pipes", () => {
  it("has its output, its errors and its status handed on", async () => {
    const { client, server } = await programClient();
    const { stdout, stderr, exitStatus } = await client.exec("echo out; echo err >&2; exit 7");
    expect({ stdout: stdout.toString(), stderr: stderr.toString(), exitStatus }).toEqual({
      stdout: "out\n",
      stderr: "err\n",
      exitStatus: 7,
    });
    expect(await Promise.all(server.ends)).toEqual([{ status: 7 }]);
  });

  it.skipIf(packetPath().addon === undefined)("can open its streams anew, as with sshd", async () => {
    const { client } = await programClient();
    const channel = await client.openSession();
    await startCommand(client, channel, "echo error >/dev/stderr; echo out >/dev/stdout; cat /dev/stdin");
    client.sendPacket(channelData(channel.id, "input"));
    client.sendPacket(channelEof(channel.id));
    const { stdout, stderr } = await client.readProgram(channel);
    expect([String(stdout), String(stderr)]).toEqual(["out\ninput", "error\n"]);
  });

  it("that cannot be started leaves no descriptor open", async () => {
    const { client, server } = await programClient(new ProgramServer({}, words));
    const descriptors = () => readdirSync("/proc/self/fd").length;
    await client.exec("no-such-program-here");
    const before = descriptors();
    for (let count = 0; count < 5; count++) await client.exec("no-such-program-here");
    expect(server.ends).toHaveLength(6);
    expect(descriptors() - before).toBeLessThan(3);
  });

  it("gets its arguments as they are, without a shell", async () => {
    const { client } = await programClient(new ProgramServer({}, words));
    expect((await client.exec("printf %s. $HOME; `id` -- *")).stdout.toString()).toBe("$HOME;.`id`.--.*.");
  });

  it("starts in the account's home, or in the directory that is given", async () => {
    const { client } = await programClient();
    expect((await client.exec("pwd -P")).stdout.toString()).toBe(`${userInfo().homedir}\n`);
    const elsewhere = await programClient(new ProgramServer({ cwd: "/usr" }));
    expect((await elsewhere.client.exec("pwd -P")).stdout.toString()).toBe("/usr\n");
    const account = { name: "ann", home: join(folder, "missing"), shell: "/bin/sh" };
    const nowhere = await programClient(new ProgramServer({ account }));
    expect((await nowhere.client.exec("pwd -P")).stdout.toString()).toBe("/\n");
  });

  it("is the account's shell as a login shell, where that was asked for", async () => {
    const account = { name: "ann", home: "/", shell: "/bin/sh" };
    const { client } = await programClient(new ProgramServer({ account }));
    const channel = await client.openSession();
    client.sendPacket(channelRequest(channel.id, "shell", "want-reply"));
    client.sendPacket(channelData(channel.id, "echo $0; exit 3\n"));
    await client.expect(MessageNumber.CHANNEL_SUCCESS);
    expect(await client.readProgram(channel)).toMatchObject({ stdout: Buffer.from("-sh\n"), exitStatus: 3 });
  });

  it("reads all that the client sends", async () => {
    const { client } = await programClient();
    const channel = await client.openSession();
    await startCommand(client, channel, "sha256sum");
    const input = testBytes(channel.window);
    for (let at = 0; at < input.length; at += channel.maxPacket) {
      client.sendPacket(channelData(channel.id, input.subarray(at, at + channel.maxPacket)));
    }
    client.sendPacket(channelEof(channel.id));
    const { stdout } = await client.readProgram(channel);
    expect(stdout.toString()).toContain(createHash("sha256").update(input).digest("hex"));
  });

  it("has all its output handed on as it was, however little the client takes at a time", async () => {
    const { client } = await programClient();
    const channel = await client.openSession({ window: 1_000 });
    await startCommand(client, channel, "exec seq 1 60000");
    const lines = Array.from({ length: 60_000 }, (_, index) => `${index + 1}\n`).join("");
    expect((await readInSmallWindows(client, channel, 1_000, lines.length)) === lines).toBe(true);
    expect(await client.readProgram(channel)).toMatchObject({ stdout: Buffer.alloc(0), exitStatus: 0 });
  });

  it("may close its input, its output and its errors before it ends", async () => {
    const { client } = await programClient();
    const channel = await client.openSession();
    await startCommand(client, channel, "exec <&-; echo out; exec >&- 2>&-; sleep 0.1; exit 5");
    for (let sent = 0; sent + channel.maxPacket <= channel.window; sent += channel.maxPacket) {
      client.sendPacket(channelData(channel.id, Buffer.alloc(channel.maxPacket)));
    }
    client.sendPacket(channelEof(channel.id));
    expect(await client.readProgram(channel)).toMatchObject({ stdout: Buffer.from("out\n"), exitStatus: 5 });
  });

  it("that is not there, or cannot be run, is told as shells tell it", async () => {
    const { client, server } = await programClient(new ProgramServer({}, words));
    await client.exec("no-such-program-here");
    const file = join(folder, "text");
    writeFileSync(file, "");
    await client.exec(file);
    await client.exec("true").catch(() => undefined);
    const [missing, text] = await Promise.allSettled(server.ends);
    expect(missing).toMatchObject({ reason: { name: "ProgramStartError", status: 127, message: "command not found" } });
    expect(text).toMatchObject({ reason: { status: 126, message: "the command cannot be run" } });
    expect(missing).toMatchObject({ reason: expect.any(ProgramStartError) });
  });

  it("whose directory is not there is not called missing", async () => {
    const cwd = join(folder, "nowhere");
    const { client, server } = await programClient(new ProgramServer({ cwd }));
    await client.exec("true");
    await expect(server.ends[0]).rejects.toMatchObject({
      status: 126,
      cause: { message: `there is no directory ${cwd}` },
    });
  });
});

describe("the end of a program", () => {
  it("is told by its signal, or as shells do for one that SSH has no name for", async () => {
    const { client, server } = await programClient();
    const channel = await client.openSession();
    await startCommand(client, channel, "kill -TERM $$");
    expect(readEnd(await client.expect(MessageNumber.CHANNEL_REQUEST))).toEqual({ kind: "exit-signal", value: "TERM" });
    await client.readProgram(channel);
    expect(await client.exec("kill -BUS $$")).toMatchObject({ exitStatus: 128 + 7 });
    expect(await Promise.all(server.ends)).toEqual([{ signal: "TERM" }, { status: 135 }]);
  });

  it("waits a second at most for output of what it has left behind", async () => {
    const { client } = await programClient();
    const { stdout, exitStatus } = await client.exec("(sleep 0.2; echo late; exec sleep 60) & echo $!; exit 4");
    expect(stdout.toString()).toMatch(/^\d+\nlate\n$/);
    expect(exitStatus).toBe(4);
    process.kill(Number.parseInt(stdout.toString(), 10));
  });
});

describe("signals and breaks", () => {
  it("reach the program and what it has started", async () => {
    const { client } = await programClient();
    const channel = await client.openSession();
    const child = "sh -c 'trap \"echo child\" TERM; echo ready; while :; do sleep 0.02; done'";
    await startCommand(client, channel, `trap 'wait; echo parent; exit 9' TERM; ${child} & wait`);
    await shown(client, /ready/);
    for (const name of ["USR3", "SIGTERM", "constructor", "term"]) client.sendPacket(signalRequest(channel, name));
    client.sendPacket(signalRequest(channel, "TERM"));
    await shown(client, /child/);
    client.sendPacket(signalRequest(channel, "KILL"));
    expect(readEnd(await client.expect(MessageNumber.CHANNEL_REQUEST))).toEqual({ kind: "exit-signal", value: "KILL" });
  });

  it("interrupt it", async () => {
    const { client } = await programClient();
    const channel = await client.openSession();
    await startCommand(client, channel, "trap 'exit 8' INT; echo ready; while :; do sleep 0.02; done");
    await shown(client, /ready/);
    client.sendPacket(breakRequest(channel));
    expect(await client.readProgram(channel)).toMatchObject({ exitStatus: 8 });
  });

  it("are nothing where no program runs", async () => {
    const { client } = await programClient();
    const channel = await client.openSession();
    client.sendPacket(signalRequest(channel, "KILL"));
    client.sendPacket(breakRequest(channel));
    await startCommand(client, channel, "echo here");
    expect(await client.readProgram(channel)).toMatchObject({ stdout: Buffer.from("here\n"), exitStatus: 0 });
  });

  it("end it where the client takes no more output: it cannot write", async () => {
    const { client, server } = await programClient();
    const channel = await client.openSession();
    await startCommand(client, channel, "exec yes");
    await client.expect(MessageNumber.CHANNEL_DATA);
    client.sendPacket(channelRequest(channel.id, "eow@openssh.com", "no-reply"));
    // Like ssh, which throws away what still comes.
    client.sendPacket(windowAdjust(channel.id, 2 ** 30));
    // What it had written and nobody has read makes it a broken connection, not a broken pipe.
    expect([{ signal: "PIPE" }, { status: 1 }]).toContainEqual(await server.ends[0]);
    expect((await client.readProgram(channel)).stderr.toString()).not.toContain("No space");
  });
});

describe("a client that goes", () => {
  it("ends its program, and what that has started", async () => {
    const { client, server } = await programClient();
    const channel = await client.openSession();
    await startCommand(client, channel, "sleep 60 & echo pid $!; wait");
    const [, pid] = await shown(client, /pid (\d+)\n/);
    client.sendPacket(channelClose(channel.id));
    expect(await server.ends[0]).toEqual({ signal: "HUP" });
    await untilGone(Number(pid));
  });

  it("has its program killed two seconds later if that does not listen, or is stopped", async () => {
    const { client, server } = await programClient();
    const first = await client.openSession();
    await startCommand(client, first, "trap '' HUP TERM; echo ready; while :; do sleep 0.1; done");
    await shown(client, /ready/);
    const second = await client.openSession({ senderChannel: 1 });
    await startCommand(client, second, "echo ready; kill -STOP $$");
    await shown(client, /ready/);
    const start = performance.now();
    client.reset();
    expect(await server.ends[1]).toEqual({ signal: "HUP" });
    expect(await server.ends[0]).toEqual({ signal: "KILL" });
    expect(performance.now() - start).toBeGreaterThan(1_900);
    for (const group of server.groups) await untilGone(group);
  });

  it("before its program has started has none started", async () => {
    const { client, server } = await programClient();
    const marker = join(folder, "marker");
    const channel = await client.openSession();
    client.sendPacket(execRequest(channel.id, `mkdir ${marker}`));
    client.sendPacket(channelClose(channel.id));
    await client.expect(MessageNumber.CHANNEL_SUCCESS);
    await expect(server.ends[0]).rejects.toMatchObject({ name: "AbortError" });
    expect(existsSync(marker)).toBe(false);
    expect(server.groups).toEqual([]);
  });
});

describe("options", () => {
  it("name themselves where they cannot be used", async () => {
    const options: [object, string][] = [
      [{ uid: 1000 }, "gid"],
      [{ gid: 1000 }, "uid"],
      [{ cwd: "a\0b" }, "cwd"],
      [{ env: { "A=B": "" } }, "env"],
      [{ env: { A: "\0" } }, "env.A"],
      [{ account: { name: "ann" } }, "account.home"],
    ];
    for (const [wrong, option] of options) {
      const { client, server } = await programClient(new ProgramServer(wrong));
      await client.exec("true");
      await expect(server.ends[0]).rejects.toSatisfy(
        (error) => error instanceof ConfigurationError && error.option === option,
      );
    }
  });

  it("end the program by a signal of their own", async () => {
    const abort = new AbortController();
    const { client, server } = await programClient(new ProgramServer({ signal: abort.signal }));
    const channel = await client.openSession();
    await startCommand(client, channel, "echo ready; exec sleep 60");
    await shown(client, /ready/);
    abort.abort(new Error("enough"));
    expect(await server.ends[0]).toEqual({ signal: "HUP" });
    await client.readProgram(channel);
    await client.exec("true");
    await expect(server.ends[1]).rejects.toThrow("enough");
  });
});

describe.runIf(isRoot)("a program of another user", () => {
  it("has that user's rights, and no groups of the server's", async () => {
    const groups = process.getgroups?.() ?? [];
    process.setgroups?.([0, 3456]);
    try {
      const { client } = await programClient(new ProgramServer({ uid: 1234, gid: 2345 }));
      expect((await client.exec("id -u; id -g; id -G; pwd")).stdout.toString()).toBe("1234\n2345\n2345\n/\n");
    } finally {
      process.setgroups?.(groups);
    }
  });

  it("has the account that the system knows", async () => {
    const { client } = await programClient(new ProgramServer({ uid: 1, gid: 1 }, words));
    expect((await client.exec("/usr/bin/env")).stdout.toString()).toContain(
      "\nHOME=/usr/sbin\nUSER=daemon\nLOGNAME=daemon\n",
    );
  });
});

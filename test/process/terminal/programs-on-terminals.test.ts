import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MessageNumber } from "../../../src/protocol/constants.js";
import type { OpenedChannel, PacketClient } from "../../support/packet-client.js";
import {
  channelClose,
  channelData,
  channelRequest,
  execRequest,
  readChannelData,
} from "../../support/packet-messages.js";
import { temporaryFolder } from "../../support/tools.js";
import {
  breakRequest,
  ProgramServer,
  programClient,
  readInSmallWindows,
  requestTerminal,
  shown,
  startCommand,
  type TerminalRequest,
  windowChange,
} from "../program-server.js";

const folder = temporaryFolder();
const isRoot = process.getuid?.() === 0;
const words = (text: string) => text.split(" ") as [string, ...string[]];

/** A program of a client that has asked for a terminal. */
async function onTerminal(client: PacketClient, command: string, request?: TerminalRequest): Promise<OpenedChannel> {
  const channel = await client.openSession();
  await requestTerminal(client, channel, request);
  await startCommand(client, channel, command);
  return channel;
}

async function outputOf(server: ProgramServer, command: string, request?: TerminalRequest): Promise<string> {
  const { client } = await programClient(server);
  const channel = await onTerminal(client, command, request);
  const { stdout } = await client.readProgram(channel);
  return stdout.toString("latin1");
}

describe("a program on a terminal", () => {
  it("has it as its terminal, for input, output and errors, and leads its session and group", async () => {
    const { client } = await programClient();
    const channel = await onTerminal(
      client,
      "tty; test -t 0 && test -t 1 && test -t 2 && tty </dev/tty; ps -o pid=,pgid=,sid=,tpgid= -p $$; exit 6",
    );
    const { stdout, stderr, exitStatus } = await client.readProgram(channel);
    const [, path, again, ...ids] =
      /^(\/dev\/pts\/\d+)\r\n(\/dev\/tty)\r\n *(\d+) +(\d+) +(\d+) +(\d+)\r\n$/.exec(stdout.toString()) ?? [];
    expect({ path, again }, stdout.toString()).toMatchObject({ again: "/dev/tty" });
    expect(new Set(ids).size).toBe(1);
    expect(stderr.toString()).toBe("");
    expect(exitStatus).toBe(6);
  });

  it("finds its kind, its size and its path", async () => {
    const show = "stty size; echo $TERM $SSH_TTY $(tty)";
    expect(await outputOf(new ProgramServer(), show, { term: "vt220", width: 132, height: 43 })).toMatch(
      /^43 132\r\nvt220 (\/dev\/pts\/\d+) \1\r\n$/,
    );
    expect(
      await outputOf(new ProgramServer(), show, { term: Buffer.from([0xff]), width: 0, height: 2 ** 32 - 1 }),
    ).toMatch(/^65535 80\r\n(?:dumb )?\/dev/);
  });

  it("gets its arguments as they are", async () => {
    expect(await outputOf(new ProgramServer({}, words), "printf %s. $HOME; `id` -- '")).toBe("$HOME;.`id`.--.'.");
  });

  it("is the login shell under the name of one, which reads no other files first", async () => {
    const account = { name: "ann", home: folder, shell: "/bin/bash" };
    writeFileSync(join(folder, ".bashrc"), "echo bashrc\n");
    writeFileSync(join(folder, ".bash_profile"), "PS1='ready '\n");
    const { client } = await programClient(new ProgramServer({ account }));
    const channel = await client.openSession();
    await requestTerminal(client, channel);
    client.sendPacket(channelRequest(channel.id, "shell", "want-reply"));
    client.sendPacket(channelData(channel.id, "echo $0 $-; exit 3\n"));
    await client.expect(MessageNumber.CHANNEL_SUCCESS);
    const { stdout, exitStatus } = await client.readProgram(channel);
    expect(stdout.toString()).toMatch(/-bash \w*i\w*/);
    expect(stdout.toString()).not.toContain("bashrc");
    expect(exitStatus).toBe(3);
  });

  it("that is not there, or cannot be run, is not started", async () => {
    const file = join(folder, "text");
    writeFileSync(file, "");
    for (const [command, status] of [
      ["no-such-program", 127],
      ["/no/such/program", 127],
      [file, 126],
      [folder, 126],
    ] as const) {
      const { client, server } = await programClient(new ProgramServer({}, words));
      await onTerminal(client, command);
      await expect(server.ends[0]).rejects.toMatchObject({ name: "ProgramStartError", status });
    }
  });

  it("carries all bytes both ways, and much of them", async () => {
    const { client } = await programClient();
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const channel = await client.openSession({ window: 5 * 1024 * 1024 });
    await requestTerminal(client, channel);
    await startCommand(client, channel, "stty raw -echo; echo ready; head -c 256; exec head -c 4194304 /dev/zero");
    await shown(client, /ready\n/);
    client.sendPacket(channelData(channel.id, all));
    const { stdout } = await client.readProgram(channel);
    expect(stdout.subarray(0, 256).equals(all)).toBe(true);
    expect(stdout.subarray(256).equals(Buffer.alloc(4 * 1024 * 1024))).toBe(true);
  });
});

describe("the modes of a client", () => {
  it("are those of the terminal before the program starts", async () => {
    const modes = [
      [1, 7],
      [3, 8],
      [4, 255],
      [5, 0],
      [6, 200],
      [36, 0],
      [38, 0],
      [42, 1],
      [53, 0],
      [70, 1],
      [72, 0],
      [129, 9600],
    ] as const;
    const settings = await outputOf(new ProgramServer(), "exec stty -a", { modes });
    expect(settings).not.toContain("\r\n");
    for (const setting of [
      "speed 9600 baud",
      "intr = ^G;",
      "erase = ^H;",
      "kill = <undef>;",
      "eof = <undef>;",
      "eol = M-H;",
      " -icrnl ",
      " -ixon ",
      " iutf8",
      " -echo ",
      "opost ",
      " -onlcr ",
    ]) {
      expect(settings).toContain(setting);
    }
  });

  it("hold for what is typed before the program has started", async () => {
    const { client } = await programClient();
    const channel = await client.openSession();
    const modes = [
      [36, 0],
      [53, 0],
    ] as const;
    await requestTerminal(client, channel, { modes });
    client.sendPacket(execRequest(channel.id, "head -n 1 | od -An -tx1"));
    client.sendPacket(channelData(channel.id, "a\rb\n"));
    await client.expect(MessageNumber.CHANNEL_SUCCESS);
    expect((await client.readProgram(channel)).stdout.toString()).toBe(" 61 0d 62 0a\r\n");
  });

  it("change nothing where they are odd", async () => {
    const modes = [
      [1, 2 ** 32 - 1],
      [11, 3],
      [90, 1],
      [91, 0],
      [129, 12345],
      [128, 0],
    ] as const;
    const settings = await outputOf(new ProgramServer(), "exec stty -a", { modes });
    expect(settings).toMatch(/speed 38400 baud.*intr = <undef>;.* cs8 /s);
  });
});

describe("a terminal", () => {
  it("interrupts and stops programs for keys, and its shell controls jobs", async () => {
    const { client } = await programClient();
    const channel = await onTerminal(client, "PS1='ready ' exec sh -i");
    const type = (keys: string) => client.sendPacket(channelData(channel.id, keys));
    await shown(client, /ready /);
    type("cat; echo in''terrupted\n");
    await shown(client, /cat; .*\n/s);
    type("line\n");
    await shown(client, /line\r\nline\r\n/);
    type("\x1a");
    await shown(client, /Stopped.*ready /s);
    type("fg\n");
    await shown(client, /cat/);
    type("again\n");
    await shown(client, /again\r\nagain\r\n/);
    type("\x03");
    await shown(client, /ready /);
    type("exit 4\n");
    expect(await client.readProgram(channel)).toMatchObject({ exitStatus: 4 });
  });

  it("has the latest size, however many there were", async () => {
    const { client } = await programClient();
    // A shell may miss a signal that comes while its trap runs.
    const program =
      "const { stdout } = process; stdout.on('resize', () => stdout.write(stdout.rows + ' ' + stdout.columns + '\\n')).write('ready'); setInterval(() => {}, 1000)";
    const channel = await onTerminal(client, `exec '${process.execPath}' -e "${program}"`);
    await shown(client, /ready/);
    for (let width = 1; width <= 5_000; width++) client.sendPacket(windowChange(channel, width, 50));
    client.sendPacket(windowChange(channel, 0, 0));
    await shown(client, /50 5000/);
  });

  it("makes of a break what its settings say", async () => {
    const { client } = await programClient();
    const channel = await onTerminal(
      client,
      "stty raw -echo; echo ready; head -c 1 | od -An -tx1; stty brkint; trap 'echo inter''rupted' INT; echo ready; sleep 20; echo after",
    );
    await shown(client, /ready/);
    client.sendPacket(breakRequest(channel));
    await shown(client, / 00\n.*ready/s);
    client.sendPacket(breakRequest(channel));
    await shown(client, /interrupted/);
  });

  it("shows all that was written as it was, however little the client takes at a time", async () => {
    const { client } = await programClient();
    const channel = await client.openSession({ window: 1_000 });
    await requestTerminal(client, channel);
    await startCommand(client, channel, "exec seq 1 60000");
    const lines = Array.from({ length: 60_000 }, (_, index) => `${index + 1}\r\n`).join("");
    expect((await readInSmallWindows(client, channel, 1_000, lines.length)) === lines).toBe(true);
    expect(await client.readProgram(channel)).toMatchObject({ stdout: Buffer.alloc(0), exitStatus: 0 });
  });

  it("shows all that was written, however late it is read", async () => {
    for (let round = 0; round < 5; round++) {
      const { client } = await programClient();
      const channel = await onTerminal(client, "stty raw; exec head -c 60000 /dev/zero");
      expect((await client.readProgram(channel)).stdout.length).toBe(60_000);
    }
  });

  it("keeps what is typed for a program that does not read, and others are served meanwhile", async () => {
    const { client, server } = await programClient();
    const served = join(folder, "served");
    const wait = `until [ -e ${served} ]; do sleep 0.02; done`;
    const channel = await onTerminal(client, `stty raw -echo; echo ready; ${wait}; head -c 600000 | wc -c`);
    await shown(client, /ready/);
    for (let sent = 0; sent < 600_000; sent += 30_000) {
      client.sendPacket(channelData(channel.id, Buffer.alloc(30_000, "x")));
    }
    const { client: other } = await programClient(server);
    await other.exec(`echo >${served}`);
    await shown(client, /600000/);
  });

  it("hangs up its programs when the client goes", async () => {
    const { client, server } = await programClient();
    const marker = join(folder, "hung-up");
    const channel = await onTerminal(
      client,
      `trap 'echo >${marker}; exit 0' HUP; echo ready; while :; do sleep 0.02; done`,
    );
    await shown(client, /ready/);
    client.sendPacket(channelClose(channel.id));
    expect(await server.ends[0]).toEqual({ status: 0 });
    expect(existsSync(marker)).toBe(true);
  });

  it("that nobody reads keeps its program waiting", async () => {
    const { client, server } = await programClient();
    const channel = await client.openSession({ window: 10_000 });
    await requestTerminal(client, channel);
    await startCommand(client, channel, "exec yes");
    for (let read = 0; read < 10_000; ) read += readChannelData(await client.nextPacket()).length;
    client.sendPacket(channelClose(channel.id));
    expect(await server.ends[0]).toEqual({ signal: "HUP" });
  });

  it("ends with its program, whatever that has left behind", async () => {
    const { client } = await programClient();
    const channel = await onTerminal(client, "trap '' HUP; sleep 60 & echo $!; exit 2");
    const { stdout, exitStatus } = await client.readProgram(channel);
    process.kill(Number.parseInt(stdout.toString(), 10));
    expect(exitStatus).toBe(2);
  });

  it("is reached by no program but its own", async () => {
    const { client } = await programClient();
    const first = await onTerminal(client, "echo ready; exec sleep 60");
    await shown(client, /ready/);
    const look = "ls -l /proc/self/fd";
    const second = await client.openSession({ senderChannel: 1 });
    await requestTerminal(client, second);
    await startCommand(client, second, look);
    const terminal = (await client.readProgram(second)).stdout.toString();
    const third = await client.openSession({ senderChannel: 2 });
    await startCommand(client, third, look);
    const pipes = (await client.readProgram(third)).stdout.toString();
    client.sendPacket(channelClose(first.id));
    expect(terminal).toContain("/dev/pts/");
    expect(pipes).toContain("-> ");
    expect(`${terminal}${pipes}`).not.toContain("ptmx");
  });
});

describe.runIf(isRoot)("a terminal of another user", () => {
  it("belongs to that user, whose program has no groups of the server's", async () => {
    const groups = process.getgroups?.() ?? [];
    process.setgroups?.([0, 3456]);
    try {
      const server = new ProgramServer({ uid: 1234, gid: 2345 });
      expect(await outputOf(server, "id -u; id -g; id -G; stat -c %u $(tty); tty </dev/tty")).toBe(
        "1234\r\n2345\r\n2345\r\n1234\r\n/dev/tty\r\n",
      );
    } finally {
      process.setgroups?.(groups);
    }
  });
});

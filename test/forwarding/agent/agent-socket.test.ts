import { chmod, chown, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { AgentClient } from "../../../src/forwarding/agent/agent-client.js";
import { AgentSocket, type AgentSocketSettings } from "../../../src/forwarding/agent/agent-socket.js";
import type { Joined } from "../../../src/forwarding/join.js";
import { temporaryFolder } from "../../support/tools.js";
import { framed } from "./agent-answers.js";
import { answerWith, TestAgent } from "./test-agent.js";

const key = PKey.generate({ keyType: "ed25519" });
const agent = TestAgent.start();
agent.answer = answerWith(key);
const parent = temporaryFolder();
let folder = "";
let made = 0;
let abort = new AbortController();
const reported: string[] = [];
const notRemoved: string[] = [];
const ended: Joined[] = [];

beforeEach(async () => {
  folder = join(parent, `${++made}`);
  await mkdir(folder, { mode: 0o700 });
  vi.stubEnv("TMPDIR", folder);
  abort = new AbortController();
  for (const list of [reported, notRemoved, ended]) list.length = 0;
});

afterEach(async () => {
  abort.abort();
  vi.unstubAllEnvs();
  await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]));
});

function listen(settings: Partial<AgentSocketSettings> = {}): Promise<AgentSocket> {
  return AgentSocket.listen({
    owner: {},
    openStream: agent.open,
    signal: abort.signal,
    log: {
      refused: (problem) => reported.push(problem),
      notRemoved: (problem) => notRemoved.push(problem),
      ended: (joined) => ended.push(joined),
    },
    ...settings,
  });
}

const asProgram =
  ({ path }: AgentSocket) =>
  async (): Promise<Socket> =>
    connect(path);

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once("close", () => resolve()));

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o7777;

describe("the socket of an agent", () => {
  it("is for its owner alone", async () => {
    const { path } = await listen();
    expect(dirname(dirname(path))).toBe(folder);
    expect(await modeOf(dirname(path))).toBe(0o700);
    expect(await modeOf(path)).toBe(0o600);
  });

  it.runIf(process.getuid?.() === 0)("is given to the user of the programs", async () => {
    const { path } = await listen({ owner: { uid: 12345, gid: 54321 } });
    for (const made of [path, dirname(path)]) expect(await stat(made)).toMatchObject({ uid: 12345, gid: 54321 });
    expect(await modeOf(dirname(path))).toBe(0o700);
    expect(await modeOf(path)).toBe(0o600);
    const group = await listen({ owner: { gid: 54321 } });
    expect(await stat(group.path)).toMatchObject({ uid: 0, gid: 54321 });
  });

  it("leads each program to the agent", async () => {
    const client = new AgentClient(asProgram(await listen()));
    const lists = await Promise.all([client.list(), client.list(), client.list()]);
    for (const keys of lists) expect(keys.map(({ publicBlob }) => publicBlob)).toEqual([key.publicBlob]);
    const data = Buffer.from("data");
    expect(key.verify(data, await client.sign(key.publicKey, data))).toBe(true);
  });

  it("takes 32 programs at a time", async () => {
    const open = asProgram(await listen());
    const programs = await Promise.all(Array.from({ length: 32 }, open));
    const request = framed(Buffer.of(11));
    const answers = programs.map((program) => new Promise((resolve) => program.once("data", resolve)));
    for (const program of programs) program.write(request);
    await Promise.all(answers);
    const opened = agent.sockets.length;
    const refused = await open();
    refused.on("error", () => {});
    await closed(refused);
    expect(reported).toEqual(["too many programs use the agent"]);
    expect(agent.sockets).toHaveLength(opened);
    programs[0]?.destroy();
    await vi.waitFor(async () => expect(await new AgentClient(open).list()).toHaveLength(1));
    const ends = programs.slice(1).map(closed);
    abort.abort();
    await Promise.all(ends);
  });

  it("tells of each connection at its end", async () => {
    const program = await asProgram(await listen())();
    const answer = new Promise((resolve) => program.once("data", resolve));
    program.write(framed(Buffer.of(11)));
    await answer;
    program.end();
    await vi.waitFor(() => expect(ended).toMatchObject([{ bytesFromSecond: 5, cause: "ended" }]));
    expect(ended[0]?.bytesFromFirst).toBeGreaterThan(5);
  });

  it("tells where its folder is not removed", async () => {
    const { path } = await listen();
    const foreign = join(dirname(path), "foreign");
    await writeFile(foreign, "");
    abort.abort();
    await vi.waitFor(() => expect(notRemoved).toEqual(["the folder of the agent's socket was not removed"]));
    expect(reported).toEqual([]);
    await rm(dirname(path), { recursive: true });
  });

  it("hangs up where there is no way to the agent", async () => {
    const program = await asProgram(await listen({ openStream: () => Promise.reject(new Error("refused")) }))();
    await closed(program);
    expect(reported).toEqual(["a program was not connected to the agent"]);
  });

  it("leaves nothing, whenever it is no longer wanted", async () => {
    for (let turns = 0; turns < 12; turns++) {
      abort = new AbortController();
      const listening = listen();
      const outcome = listening.then(
        ({ path }) => path,
        (error: unknown) => error,
      );
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      const reason = new Error("no longer wanted");
      abort.abort(reason);
      const result = await outcome;
      if (typeof result !== "string") expect(result).toBe(reason);
      await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]));
    }
  });
});

describe("the folder of temporary files", () => {
  const failure = { name: "AgentError", code: "socket" };

  it("has to leave room for the path", async () => {
    const room = 107 - "/spindlex-XXXXXX/agent.0123456789abcdef".length;
    const long = (length: number) => `${folder}/${"x".repeat(length - folder.length - 1)}`;
    for (const length of [room, room + 1]) await mkdir(long(length));
    vi.stubEnv("TMPDIR", long(room));
    const { path } = await listen();
    expect(path).toHaveLength(107);
    vi.stubEnv("TMPDIR", long(room + 1));
    await expect(listen()).rejects.toMatchObject({ ...failure, message: expect.stringContaining("108 bytes") });
    expect(await readdir(long(room + 1))).toEqual([]);
    abort.abort();
    await vi.waitFor(async () => expect(await readdir(long(room))).toEqual([]));
    vi.stubEnv("TMPDIR", folder);
    await removeAll(folder);
  });

  it.runIf(process.getuid?.() === 0)("may not be one of somebody else", async () => {
    await chown(folder, 12345, 12345);
    await expect(listen()).rejects.toMatchObject(failure);
    await chown(folder, 0, 0);
  });

  it("has to take a folder for its owner alone", async () => {
    const umask = process.umask(0o277);
    try {
      await expect(listen()).rejects.toMatchObject(failure);
    } finally {
      process.umask(umask);
    }
  });

  it("has to be there", async () => {
    vi.stubEnv("TMPDIR", `${folder}/no`);
    await expect(listen()).rejects.toMatchObject({ ...failure, cause: { code: "ENOENT" } });
  });

  it.each([
    [0o777, false],
    [0o770, false],
    [0o1777, true],
    [0o755, true],
  ])("may be one of mode %o: %s", async (mode, taken) => {
    await chmod(folder, mode);
    if (taken) await listen();
    else await expect(listen()).rejects.toMatchObject(failure);
  });
});

async function removeAll(path: string): Promise<void> {
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true });
}

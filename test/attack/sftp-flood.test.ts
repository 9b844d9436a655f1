import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { OpenFlag, PacketType } from "../../src/sftp/codec/constants.js";
import { builtFile } from "../support/build.js";
import { extent, sample } from "../support/extent.js";
import { PacketClient } from "../support/packet-client.js";
import { SFTPChannel } from "../support/sftp-channel.js";
import { encodeFields, init, NO_ATTRIBUTES, request } from "../support/sftp-packets.js";
import { MIB } from "./memory.js";
import type { Measurement } from "./sftp-server-process.js";

const LONG = { timeout: 120_000 };
const COUNT = extent(2_000, 20_000);
const BATCH = 20;
const LIMIT = 16 * MIB;

/** A server in a process of its own. */
class MeasuredServer {
  readonly #process: ChildProcess;
  readonly #port: number;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.#port = port;
  }

  static async start(): Promise<MeasuredServer> {
    const process = fork(builtFile("test/attack/sftp-server-process.ts"));
    onTestFinished(() => {
      process.kill("SIGKILL");
    });
    const [port] = await once(process, "message");
    return new MeasuredServer(process, Number(port));
  }

  login(): Promise<PacketClient> {
    return PacketClient.login(this.#port, "user", "secret");
  }

  async measure(): Promise<Measurement> {
    const answer = once(this.#process, "message");
    this.#process.send("measure");
    const [measurement] = await answer;
    return measurement as Measurement;
  }
}

const HANDLE = encodeFields(1);
const WRITE = request(PacketType.WRITE, 7, HANDLE, 0n, Buffer.alloc(32 * 1024));
const READ = request(PacketType.READ, 7, HANDLE, 0n, 32 * 1024);
const LARGE_READ = request(PacketType.READ, 7, HANDLE, 0n, 2 ** 32 - 1);
const LIMITS = request(PacketType.EXTENDED, 7, "limits@openssh.com");
const SHORT_WRITE_IN_LONG_PIECE = Buffer.concat([
  request(PacketType.WRITE, 7, HANDLE, 0n, "x"),
  request(PacketType.EXTENDED, 8, "unknown", Buffer.alloc(100_000)),
]);

const openFile = (path: string): Buffer =>
  request(PacketType.OPEN, 1, path, OpenFlag.READ | OpenFlag.WRITE, NO_ATTRIBUTES);

describe("a client that pipelines without end and takes no reply", () => {
  const packets: readonly (readonly [what: string, path: string, packet: Buffer, window: number])[] = [
    ["WRITEs", "/file", WRITE, 1_000],
    ["WRITEs of which each is answered late", "/stuck", WRITE, 2 * MIB],
    ["READs", "/file", READ, 1_000],
    ["READs, with window enough and a network that takes nothing", "/file", READ, 2 ** 32 - 1],
    ["READs of all there is", "/file", LARGE_READ, 1_000],
    ["questions", "/file", LIMITS, 1_000],
    ["short WRITEs that are answered late, in long pieces", "/stuck", SHORT_WRITE_IN_LONG_PIECE, 2 * MIB],
  ];
  it.each(sample(packets, 3))(
    "%s: holds less than 16 MiB, all of which is given back",
    LONG,
    async (_, path, packet, window) => {
      const server = await MeasuredServer.start();
      const bystander = await SFTPChannel.open(await server.login(), 2 ** 32 - 1);
      await bystander.send(Buffer.concat([init(), openFile("/other")]));
      await bystander.receive(2);

      /** What the server needs after the attack. */
      const attack = async (round: number): Promise<number> => {
        const client = await server.login();
        const channel = await SFTPChannel.open(client, window);
        await channel.send(Buffer.concat([init(), openFile(path)]));
        await channel.receive(2);
        const before = await server.measure();
        if (window === 2 ** 32 - 1) client.stopReading();
        const sent = await flood(channel, packet);
        const during = await server.measure();
        expect(during.inUse - before.inUse).toBeLessThan(LIMIT);
        // It did not read what does not fit into memory and the window of the channel.
        if (packet === WRITE) expect(sent).toBeLessThan(LIMIT);

        await bystander.send(READ);
        await bystander.receive(2 + round);

        client.reset();
        const settings = { interval: 100, timeout: 10_000 };
        await vi.waitFor(async () => expect((await server.measure()).connections).toBe(1), settings);
        return (await server.measure()).inUse;
      };

      // Buffers are kept for the next session, up to some MiB in all; compiled code grows a little for a while.
      const first = await attack(1);
      await attack(2);
      expect((await attack(3)) - first).toBeLessThan(LIMIT / 4);
    },
  );
});

/** Sends until the server takes no more; returns how many bytes it took. */
async function flood(channel: SFTPChannel, packet: Buffer): Promise<number> {
  const batch = Buffer.concat(Array.from({ length: BATCH }, () => packet));
  let sent = 0;
  for (let count = 0; count < COUNT; count += BATCH) {
    const taken = await channel.send(batch);
    sent += taken;
    if (taken < batch.length) break;
  }
  return sent;
}

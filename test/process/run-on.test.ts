import { spawn } from "node:child_process";
import { describe, expect, it, vi } from "vitest";
import { type Channel, programEnvironment, runOn } from "../../src/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { TestServer } from "../server/test-server.js";
import { channelClose } from "../support/packet-messages.js";
import { programClient, readEnd, shown, signalRequest, startCommand } from "./program-server.js";

type Spawn = (command: string, channel: Channel) => ReturnType<typeof spawn>;

/** Spawns what clients ask for itself. */
class SpawningServer extends TestServer {
  readonly #spawn: Spawn;
  readonly ends: ReturnType<typeof runOn>[] = [];

  constructor(start: Spawn = (command) => spawn("/bin/sh", ["-c", command], { detached: true })) {
    super();
    this.#spawn = start;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    this.ends.push(runOn(channel, this.#spawn(command.toString(), channel)));
    return true;
  }
}

describe("a program that a hook has spawned", () => {
  it("is connected, and its end is told", async () => {
    const { client, server } = await programClient(new SpawningServer());
    const { stdout, stderr, exitStatus } = await client.exec("echo out; echo err >&2; exit 7");
    expect([`${stdout}`, `${stderr}`, exitStatus]).toEqual(["out\n", "err\n", 7]);
    const channel = await client.openSession();
    await startCommand(client, channel, "kill -USR1 $$");
    expect(readEnd(await client.expect(MessageNumber.CHANNEL_REQUEST))).toEqual({ kind: "exit-signal", value: "USR1" });
    expect(await Promise.all(server.ends)).toEqual([{ status: 7 }, { signal: "USR1" }]);
  });

  it("is told of signals, and of the client's end, with its group or without one", async () => {
    for (const detached of [true, false]) {
      const server = new SpawningServer((command) => spawn("/bin/sh", ["-c", command], { detached }));
      const { client } = await programClient(server);
      const channel = await client.openSession();
      await startCommand(client, channel, "trap 'echo usr1' USR1; echo ready; while :; do sleep 0.02; done");
      await shown(client, /ready/);
      client.sendPacket(signalRequest(channel, "USR1"));
      await shown(client, /usr1/);
      client.sendPacket(channelClose(channel.id));
      expect(await server.ends[0]).toEqual({ signal: "HUP" });
    }
  });

  it("has ended before it is connected", async () => {
    class LateServer extends SpawningServer {
      override checkChannelExecRequest(channel: Channel): boolean {
        const child = spawn("/bin/sh", ["-c", "echo early; exit 5"]);
        child.once("exit", () => this.ends.push(runOn(channel, child)));
        return true;
      }
    }
    const { client } = await programClient(new LateServer());
    const { stdout, exitStatus } = await client.exec("");
    expect([`${stdout}`, exitStatus]).toEqual(["early\n", 5]);
  });

  it("may have no streams", async () => {
    const server = new SpawningServer((command) => spawn("/bin/sh", ["-c", command], { stdio: "ignore" }));
    const { client } = await programClient(server);
    expect(await client.exec("echo out; exit 3")).toMatchObject({ stdout: Buffer.alloc(0), exitStatus: 3 });
  });

  it("that is not there ends the channel as shells do, and nothing else", async () => {
    const { client, server, lines } = await programClient(new SpawningServer((command) => spawn(command)));
    const { stderr, exitStatus } = await client.exec("/no/such/program");
    expect([`${stderr}`, exitStatus]).toEqual(["command not found\n", 127]);
    expect(await server.ends[0]).toEqual({ status: 127 });
    expect(lines).toContainEqual(
      expect.objectContaining({ level: "warn", msg: "a program could not be started", err: expect.anything() }),
    );
  });

  it("that is not there is one line for a connection, however often its client asks, and a number at its end", async () => {
    const { client, lines } = await programClient(new SpawningServer((command) => spawn(command)));
    for (let times = 0; times < 3; times++) await client.exec("/no/such/program");
    client.close();
    const ended = () => lines.find(({ msg }) => msg === "a connection has ended");
    await vi.waitFor(() => expect(ended()).toMatchObject({ warnings: { "a program could not be started": 3 } }));
    expect(lines.filter(({ level }) => level === "warn")).toHaveLength(1);
  });

  it("can have the environment that runProgram would give it", async () => {
    const server = new SpawningServer((command, channel) => spawn(command, { env: programEnvironment(channel) }));
    const { client } = await programClient(server);
    const { stdout } = await client.exec("/usr/bin/env");
    expect(stdout.toString()).toMatch(/^SSH_CONNECTION=127/m);
    expect(stdout.toString()).not.toMatch(/^VITEST/m);
  });
});

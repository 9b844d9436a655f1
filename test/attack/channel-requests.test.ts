import { describe, expect, it } from "vitest";
import type { Channel } from "../../src/index.js";
import { DisconnectReason, MessageNumber } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  channelRequest,
  execRequest,
  globalRequest,
  ping,
  type Reply,
  recipientChannel,
} from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { Deferred } from "./deferred.js";

const { CHANNEL_FAILURE, CHANNEL_SUCCESS, PONG, REQUEST_FAILURE, REQUEST_SUCCESS } = MessageNumber;
const { PROTOCOL_ERROR } = DisconnectReason;

const text = (...values: readonly string[]): Buffer => {
  const writer = new Writer();
  for (const value of values) writer.writeString(value);
  return writer.toBuffer();
};
const ptyBody = (modes: Uint8Array): Buffer =>
  new Writer()
    .writeString("xterm")
    .writeUint32(80)
    .writeUint32(24)
    .writeUint32(0)
    .writeUint32(0)
    .writeString(modes)
    .toBuffer();

/** Nothing else has come from the server since. */
async function expectQuiet(client: PacketClient): Promise<void> {
  client.sendPacket(ping("quiet"));
  expect((await client.nextPacket())[0]).toBe(PONG);
}

async function start<Target extends TargetServer>(server: Target) {
  const attacked = await Attacked.start(server);
  const client = await attacked.login();
  const { id } = await client.openSession();
  attacked.forgetCalls();
  return { attacked, client, id };
}

describe("channel requests", () => {
  const unknown = [
    "no-such-request",
    "",
    "x".repeat(100_000),
    "winadj@putty.projects.tartarus.org",
    "__proto__",
    "constructor",
  ];
  it.each(unknown.map((name) => [name.slice(0, 40), name]))(
    "that are unknown (%j) fail, or are passed over, unless their hook knows them",
    async (_, name) => {
      const { attacked, client, id } = await start(new TargetServer());
      client.sendPacket(channelRequest(id, name, "want-reply", Buffer.from("some content")));
      expect(recipientChannel(await client.expect(CHANNEL_FAILURE))).toBe(0);
      client.sendPacket(channelRequest(id, name, "no-reply", Buffer.from("some content")));
      await expectQuiet(client);
      expect(attacked.callNames).toEqual(["checkUnknownChannelRequest", "checkUnknownChannelRequest"]);
      await client.close();
      await attacked.expectUnharmed();
    },
  );

  it("are still answered after exec", async () => {
    const { attacked, client, id } = await start(new TargetServer());
    client.sendPacket(execRequest(id, "hold"));
    await client.expect(CHANNEL_SUCCESS);
    for (let round = 0; round < 3; round++) {
      client.sendPacket(channelRequest(id, "winadj@putty.projects.tartarus.org", "want-reply"));
      await client.expect(CHANNEL_FAILURE);
    }
    await client.close();
    await attacked.expectUnharmed();
  });

  it("start one program only, also while the hook is still deciding", async () => {
    const decision = new Deferred<boolean>();
    class SlowServer extends TargetServer {
      override checkChannelExecRequest(channel: Channel, command: Buffer) {
        return command.toString() === "slow" ? decision.promise : super.checkChannelExecRequest(channel, command);
      }
    }
    const { attacked, client, id } = await start(new SlowServer());
    client.sendPacket(execRequest(id, "slow"));
    client.sendPacket(execRequest(id, "hello"));
    client.sendPacket(channelRequest(id, "shell", "want-reply"));
    await expectQuiet(client);
    expect(attacked.callNames).toEqual(["checkChannelExecRequest"]);
    decision.resolve(true);
    await client.expect(CHANNEL_SUCCESS);
    await client.expect(CHANNEL_FAILURE);
    await client.expect(CHANNEL_FAILURE);
    expect(attacked.callNames).toEqual(["checkChannelExecRequest"]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("that no hook allows fail: shell, subsystem, pty, env, x11, agent", async () => {
    const { attacked, client, id } = await start(new TargetServer());
    const requests: readonly (readonly [string, Buffer])[] = [
      ["shell", text()],
      ["subsystem", text("sftp")],
      ["pty-req", ptyBody(Buffer.of(0))],
      ["env", text("LD_PRELOAD", "/tmp/evil.so")],
      ["window-change", Buffer.alloc(16)],
      ["auth-agent-req@openssh.com", text()],
      ["x11-req", new Writer().writeBoolean(false).writeString("MIT").writeString("00").writeUint32(0).toBuffer()],
    ];
    for (const [name, body] of requests) {
      client.sendPacket(channelRequest(id, name, "want-reply", body));
      expect([name, (await client.nextPacket())[0]]).toEqual([name, CHANNEL_FAILURE]);
    }
    await client.close();
    await attacked.expectUnharmed();
  });

  it("are refused when the hook answers 1, which is not true", async () => {
    class SloppyServer extends TargetServer {
      sloppy: boolean | undefined;
      override checkChannelEnvRequest(): boolean {
        return 1 as unknown as boolean;
      }
      override checkChannelPtyRequest(): boolean {
        return 1 as unknown as boolean;
      }
      override checkChannelShellRequest(): boolean {
        return 1 as unknown as boolean;
      }
      override onChannelOpened(channel: Channel): void {
        this.held.push(channel);
      }
    }
    const { attacked, client, id } = await start(new SloppyServer());
    client.sendPacket(channelRequest(id, "env", "want-reply", text("NAME", "value")));
    client.sendPacket(channelRequest(id, "pty-req", "want-reply", ptyBody(Buffer.of(0))));
    client.sendPacket(channelRequest(id, "shell", "want-reply"));
    for (let index = 0; index < 3; index++) expect((await client.nextPacket())[0]).toBe(CHANNEL_FAILURE);
    const channel = attacked.server.held.at(-1);
    expect([channel?.environment.size, channel?.pty]).toEqual([0, undefined]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("whose hook throws fail, and the channel goes on", async () => {
    class ThrowingServer extends TargetServer {
      override checkChannelEnvRequest(): boolean {
        throw new Error("the hook is broken");
      }
    }
    const { attacked, client, id } = await start(new ThrowingServer());
    client.sendPacket(channelRequest(id, "env", "want-reply", text("NAME", "value")));
    await client.expect(CHANNEL_FAILURE);
    client.sendPacket(execRequest(id, "hello"));
    await client.expect(CHANNEL_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each([
    ["no end", Buffer.from("0100000001", "hex")],
    ["a cut value", Buffer.from("010000", "hex")],
    ["unknown modes", Buffer.from("fa0000000100", "hex")],
    ["nothing", Buffer.alloc(0)],
    ["thousands", Buffer.alloc(50_000, 1)],
  ])("for a terminal take its modes as they are: %s", async (_, modes) => {
    class TerminalServer extends TargetServer {
      override checkChannelPtyRequest(): boolean {
        return true;
      }
    }
    const { attacked, client, id } = await start(new TerminalServer());
    client.sendPacket(channelRequest(id, "pty-req", "want-reply", ptyBody(modes)));
    const answer = await client.nextPacket();
    expect([CHANNEL_SUCCESS, CHANNEL_FAILURE, MessageNumber.DISCONNECT]).toContain(answer[0]);
    client.reset();
    await attacked.expectUnharmed();
  });

  it("cannot fill the environment without bound", async () => {
    class EnvironmentServer extends TargetServer {
      override checkChannelEnvRequest(): boolean {
        return true;
      }
      override onChannelOpened(channel: Channel): void {
        this.held.push(channel);
      }
    }
    const { attacked, client, id } = await start(new EnvironmentServer());
    let index = 0;
    await client.flood(() => channelRequest(id, "env", "no-reply", text(`NAME${index++}`, "x".repeat(1000))), 10_000);
    await expectQuiet(client);
    expect(attacked.server.held.at(-1)?.environment.size).toBeLessThan(1000);
    await client.close();
    await attacked.expectUnharmed();
  });
});

describe("global requests", () => {
  it.each(["no-such-request", "", "hostkeys-00@openssh.com", "__proto__"])(
    "that are unknown (%j) fail, or are passed over",
    async (name) => {
      const { attacked, client } = await start(new TargetServer());
      client.sendPacket(globalRequest(name, "want-reply", Buffer.from("content")));
      await client.expect(REQUEST_FAILURE);
      client.sendPacket(globalRequest(name, "no-reply", Buffer.from("content")));
      await expectQuiet(client);
      await client.close();
      await attacked.expectUnharmed();
    },
  );

  it("that ask for a sign of life are answered", async () => {
    const { attacked, client } = await start(new TargetServer());
    client.sendPacket(globalRequest("keepalive@openssh.com", "want-reply"));
    expect([REQUEST_SUCCESS, REQUEST_FAILURE]).toContain((await client.nextPacket())[0]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each(["tcpip-forward", "cancel-tcpip-forward", "streamlocal-forward@openssh.com"])(
    "to forward (%s) fail by default",
    async (name) => {
      const { attacked, client } = await start(new TargetServer());
      const body = new Writer().writeString("0.0.0.0").writeUint32(0).toBuffer();
      client.sendPacket(globalRequest(name, "want-reply", body));
      await client.expect(REQUEST_FAILURE);
      await client.close();
      await attacked.expectUnharmed();
    },
  );

  it("are answered in their order, though the first takes longest", async () => {
    const first = new Deferred<boolean>();
    class SlowServer extends TargetServer {
      override checkGlobalRequest(kind: string): boolean | Promise<boolean> {
        return kind === "first" ? first.promise : kind === "second";
      }
    }
    const { attacked, client } = await start(new SlowServer());
    for (const name of ["first", "second", "third"]) client.sendPacket(globalRequest(name, "want-reply"));
    await expectQuiet(client);
    first.resolve(true);
    for (const expected of [REQUEST_SUCCESS, REQUEST_SUCCESS, REQUEST_FAILURE]) {
      expect((await client.nextPacket())[0]).toBe(expected);
    }
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each<[what: string, reply: Reply]>([
    ["rejects", "want-reply"],
    ["rejects", "no-reply"],
    ["throws", "want-reply"],
    ["throws", "no-reply"],
  ])("whose hook %s harm nobody (%s)", async (what, reply) => {
    class BrokenServer extends TargetServer {
      override checkGlobalRequest(): boolean | Promise<boolean> {
        if (what === "throws") throw new Error("the hook is broken");
        return Promise.reject(new Error("the hook is broken"));
      }
    }
    const { attacked, client } = await start(new BrokenServer());
    client.sendPacket(globalRequest("anything", reply));
    if (reply === "want-reply") await client.expect(REQUEST_FAILURE);
    await expectQuiet(client);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("without content end the connection", async () => {
    const { attacked, client } = await start(new TargetServer());
    client.sendPacket(globalRequest("x", "want-reply").subarray(0, 3));
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    await attacked.expectUnharmed();
  });
});

describe("pings", () => {
  it.each([0, 1, 1000, 100_000])("of %i bytes come back whole", async (length) => {
    const { attacked, client } = await start(new TargetServer());
    const data = Buffer.alloc(length, "ping");
    client.sendPacket(ping(data));
    expect((await client.expect(PONG)).subarray(5).equals(data)).toBe(true);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("with a wrong length end the connection", async () => {
    const { attacked, client } = await start(new TargetServer());
    client.sendPacket(ping("data").subarray(0, -1));
    expect((await client.waitDisconnect()).reason).toBe(PROTOCOL_ERROR);
    await attacked.expectUnharmed();
  });
});

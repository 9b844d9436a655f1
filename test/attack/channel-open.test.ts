import { describe, expect, it } from "vitest";
import {
  MessageNumber,
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_FAILED_RESOURCE_SHORTAGE,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
} from "../../src/protocol/constants.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  channelClose,
  channelOpen,
  execRequest,
  globalRequest,
  ping,
  readChannelData,
  readOpenFailure,
  recipientChannel,
  windowAdjust,
} from "../support/packet-messages.js";
import { Attacked, TargetServer } from "./attacked-server.js";
import { Deferred } from "./deferred.js";

const { CHANNEL_CLOSE, CHANNEL_OPEN_CONFIRMATION, CHANNEL_OPEN_FAILURE, CHANNEL_SUCCESS, PONG } = MessageNumber;

async function start(): Promise<{ attacked: Attacked; client: PacketClient }> {
  const attacked = await Attacked.start(new TargetServer());
  return { attacked, client: await attacked.login() };
}

describe("opening a channel", () => {
  it.each([0, 1, 2 ** 32 - 1])(
    "with packets of nothing in a window of %i fails, and freezes nobody",
    async (window) => {
      const { attacked, client } = await start();
      attacked.forgetCalls();
      client.sendPacket(channelOpen({ window, maxPacket: 0 }));
      await client.expect(CHANNEL_OPEN_FAILURE);
      expect(attacked.callNames).toEqual([]);
      expect((await client.exec("hello")).exitStatus).toBe(0);
      await client.close();
      await attacked.expectUnharmed();
    },
  );

  it("with a maximum packet size of 1 and a window of 3 gets output in those pieces", async () => {
    const { attacked, client } = await start();
    const channel = await client.openSession({ maxPacket: 1, window: 3 });
    client.sendPacket(execRequest(channel.id, "hello"));
    await client.expect(CHANNEL_SUCCESS);
    const pieces: Buffer[] = [];
    while (pieces.length < 3) pieces.push(readChannelData(await client.expect(MessageNumber.CHANNEL_DATA)));
    expect(pieces.map((piece) => piece.toString())).toEqual(["E", "x", "e"]);
    client.sendPacket(ping("nothing before this"));
    expect((await client.nextPacket())[0]).toBe(PONG);
    client.sendPacket(windowAdjust(channel.id, 100));
    const { stdout, exitStatus } = await client.readProgram(channel);
    expect([stdout.toString(), exitStatus]).toEqual(["cuted: hello\n", 0]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("with the largest window and packet size works", async () => {
    const { attacked, client } = await start();
    const channel = await client.openSession({
      maxPacket: 2 ** 32 - 1,
      window: 2 ** 32 - 1,
      senderChannel: 2 ** 32 - 1,
    });
    client.sendPacket(execRequest(channel.id, "hello"));
    expect(recipientChannel(await client.expect(CHANNEL_SUCCESS))).toBe(2 ** 32 - 1);
    expect((await client.readProgram(channel)).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });

  const kinds = ["", "x11", "forwarded-tcpip", "auth-agent@openssh.com", "Session", "x".repeat(100_000)];
  it.each(kinds.map((kind) => [kind.slice(0, 40), kind]))("of type %j is refused", async (_, kind) => {
    const { attacked, client } = await start();
    client.sendPacket(channelOpen({ kind }));
    const { reason } = readOpenFailure(await client.expect(CHANNEL_OPEN_FAILURE));
    expect([OPEN_FAILED_UNKNOWN_CHANNEL_TYPE, OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED]).toContain(reason);
    expect((await client.exec("hello")).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("is refused when the hook answers true, which is not a number", async () => {
    let sloppy = false;
    class SloppyServer extends TargetServer {
      override checkChannelRequest(kind: string) {
        return sloppy ? (true as unknown as number) : super.checkChannelRequest(kind);
      }
    }
    const attacked = await Attacked.start(new SloppyServer());
    const client = await attacked.login();
    sloppy = true;
    client.sendPacket(channelOpen());
    await client.expect(CHANNEL_OPEN_FAILURE);
    sloppy = false;
    await client.close();
    await attacked.expectUnharmed();
  });

  it("more often than allowed is refused, and allowed again once one is closed", async () => {
    const attacked = await Attacked.start(new TargetServer(), { maxChannels: 3 });
    const client = await attacked.login();
    const channels = [await client.openSession(), await client.openSession(), await client.openSession()];
    client.sendPacket(channelOpen());
    const { reason } = readOpenFailure(await client.expect(CHANNEL_OPEN_FAILURE));
    expect(reason).toBe(OPEN_FAILED_RESOURCE_SHORTAGE);
    client.sendPacket(channelClose(channels[1]?.id ?? -1));
    await client.expect(CHANNEL_CLOSE);
    await client.openSession();
    await client.close();
    await attacked.expectUnharmed();
  });

  it("more often than allowed while the hook is still deciding is refused", async () => {
    const decision = new Deferred<number>();
    let slow = false;
    class SlowServer extends TargetServer {
      override checkChannelRequest(kind: string) {
        return slow ? decision.promise : super.checkChannelRequest(kind);
      }
    }
    const attacked = await Attacked.start(new SlowServer(), { maxChannels: 2 });
    const client = await attacked.login();
    slow = true;
    for (let index = 0; index < 3; index++) client.sendPacket(channelOpen({ senderChannel: index }));
    const refused = await client.expect(CHANNEL_OPEN_FAILURE);
    expect([recipientChannel(refused), readOpenFailure(refused).reason]).toEqual([2, OPEN_FAILED_RESOURCE_SHORTAGE]);
    decision.resolve(0);
    slow = false;
    await client.expect(CHANNEL_OPEN_CONFIRMATION);
    await client.expect(CHANNEL_OPEN_CONFIRMATION);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("after no-more-sessions is refused, what is open goes on", async () => {
    const { attacked, client } = await start();
    const channel = await client.openSession();
    client.sendPacket(globalRequest("no-more-sessions@openssh.com", "no-reply"));
    client.sendPacket(channelOpen());
    await client.expect(CHANNEL_OPEN_FAILURE);
    client.sendPacket(execRequest(channel.id, "hello"));
    await client.expect(CHANNEL_SUCCESS);
    expect((await client.readProgram(channel)).exitStatus).toBe(0);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("again and again with one number of the client's keeps its channels apart", async () => {
    const { attacked, client } = await start();
    const first = await client.openSession({ senderChannel: 5 });
    const second = await client.openSession({ senderChannel: 5 });
    expect(first.id).not.toBe(second.id);
    await client.close();
    await attacked.expectUnharmed();
  });
});

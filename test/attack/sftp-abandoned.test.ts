import { expect, it, onTestFinished, vi } from "vitest";
import { type Channel, SFTPServer } from "../../src/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import { PacketType } from "../../src/sftp/codec/constants.js";
import { channelClose, channelData, channelRequest } from "../support/packet-messages.js";
import { extended, init, NO_ATTRIBUTES, request } from "../support/sftp-packets.js";
import { Attacked, TargetServer } from "./attacked-server.js";

const { CHANNEL_DATA, CHANNEL_SUCCESS } = MessageNumber;
/** As many as a session takes before it stops reading. */
const REQUESTS_UNDER_WAY = 128;

/** Serves one file that never ends. */
class EndlessFileServer extends TargetServer {
  sessions = 0;
  reads = 0;

  override checkChannelSubsystemRequest(channel: Channel): boolean {
    const read = (buffer: Buffer) => {
      this.reads++;
      return new Promise<number>((resolve) => setImmediate(resolve, buffer.length));
    };
    this.sessions++;
    void new SFTPServer(channel, { fileSystem: { open: () => ({ read }) } }).closed.then(() => this.sessions--);
    return true;
  }
}

it("a client that asks for what never ends and closes its channel leaves no work behind", async () => {
  const server = new EndlessFileServer();
  const attacked = await Attacked.start(server);
  const client = await attacked.login();
  onTestFinished(() => client.reset());
  const { id } = await client.openSession();
  client.sendPacket(channelRequest(id, "subsystem", "want-reply", new Writer().writeString("sftp").toBuffer()));
  await client.expect(CHANNEL_SUCCESS);
  client.sendPacket(channelData(id, init()));
  await client.expect(CHANNEL_DATA);
  client.sendPacket(channelData(id, request(PacketType.OPEN, 1, "/f", 1, NO_ATTRIBUTES)));
  await client.expect(CHANNEL_DATA);
  const handle = Buffer.of(0, 0, 0, 1);
  const hashes = Array.from({ length: REQUESTS_UNDER_WAY }, (_, number) =>
    extended(number, "check-file-handle", handle, "md5", 0n, 0n, 0),
  );
  client.sendPacket(channelData(id, Buffer.concat(hashes)));
  await vi.waitFor(() => expect(server.reads).toBeGreaterThan(REQUESTS_UNDER_WAY));
  client.sendPacket(channelClose(id));
  await vi.waitFor(() => expect(server.sessions).toBe(0));
  await client.close();
  await attacked.expectUnharmed();
});

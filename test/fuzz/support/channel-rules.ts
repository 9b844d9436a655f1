import { MessageNumber as M } from "../../../src/protocol/constants.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { Reader } from "../../../src/protocol/reader.js";
import { assertTrue, refusable } from "../engine/harness.js";

/** A channel as the client sees it. */
interface Channel {
  readonly maximumPacket: number;
  /** Bytes that the client has let the server send at all, now or later. */
  readonly granted: number;
  used: number;
  ended: boolean;
  closed: boolean;
}

interface Open {
  readonly window: number;
  readonly maximumPacket: number;
}

/** What a server may send in return for what a client has sent (RFC 4254), whatever that was. */
export class ChannelRules {
  /** By the client's number of the channel: those that were asked for. */
  readonly #opens = new Map<number, Open[]>();
  /** By the server's number. */
  readonly #adjustments = new Map<number, number>();
  readonly #channels = new Map<number, Channel>();
  /** Numbers that the client has given to two channels at a time: nobody knows which is meant. */
  readonly #ambiguous = new Set<number>();
  #wantedReplies = 0;
  #wantedGlobalReplies = 0;
  #disconnected = false;

  /** A message of the client. All are to be told before the first of the server. */
  sent(payload: Buffer): void {
    refusable(() => this.#note(new Reader(payload, 1), payload[0]), ProtocolError);
  }

  /** A message of the server: throws when it may not come now. */
  received(payload: Buffer): void {
    const reader = new Reader(payload, 1);
    const number = payload[0] ?? 0;
    assertTrue(!this.#disconnected, `message ${number} comes after DISCONNECT`);
    if (number === M.DISCONNECT) this.#disconnected = true;
    if (number === M.REQUEST_SUCCESS || number === M.REQUEST_FAILURE) {
      assertTrue(this.#wantedGlobalReplies-- > 0, "a reply to no global request");
    }
    if (number < M.CHANNEL_OPEN_CONFIRMATION || number > M.CHANNEL_FAILURE) return;
    const id = reader.readUint32();
    if (number === M.CHANNEL_OPEN_CONFIRMATION || number === M.CHANNEL_OPEN_FAILURE) this.#answered(id, number, reader);
    else if (!this.#ambiguous.has(id)) this.#receivedOn(id, number, reader);
  }

  #note(reader: Reader, number: number | undefined): void {
    switch (number) {
      case M.CHANNEL_OPEN: {
        reader.readName();
        const id = reader.readUint32();
        const open = { window: reader.readUint32(), maximumPacket: reader.readUint32() };
        this.#opens.set(id, [...(this.#opens.get(id) ?? []), open]);
        return;
      }
      case M.CHANNEL_WINDOW_ADJUST: {
        const id = reader.readUint32();
        this.#adjustments.set(id, (this.#adjustments.get(id) ?? 0) + reader.readUint32());
        return;
      }
      case M.CHANNEL_REQUEST:
        reader.readUint32();
        reader.readName();
        if (reader.readBoolean()) this.#wantedReplies++;
        return;
      case M.GLOBAL_REQUEST:
        reader.readName();
        if (reader.readBoolean()) this.#wantedGlobalReplies++;
    }
  }

  #answered(id: number, number: number, reader: Reader): void {
    const opens = this.#opens.get(id) ?? [];
    // The server may answer in another order than it was asked.
    if (opens.length > 1) this.#ambiguous.add(id);
    const open = opens.shift();
    assertTrue(open !== undefined, "an answer to no CHANNEL_OPEN");
    if (number === M.CHANNEL_OPEN_FAILURE) return;
    const granted = open.window + (this.#adjustments.get(reader.readUint32()) ?? 0);
    const { maximumPacket } = open;
    if (this.#channels.get(id)?.closed === false) this.#ambiguous.add(id);
    this.#channels.set(id, { maximumPacket, granted, used: 0, ended: false, closed: false });
  }

  #receivedOn(id: number, number: number, reader: Reader): void {
    const channel = this.#channels.get(id);
    assertTrue(channel !== undefined, `message ${number} for a channel that was never open`);
    assertTrue(!channel.closed, `message ${number} comes after CLOSE`);
    switch (number) {
      case M.CHANNEL_EXTENDED_DATA:
      case M.CHANNEL_DATA: {
        assertTrue(!channel.ended, "data comes after EOF");
        if (number === M.CHANNEL_EXTENDED_DATA) reader.readUint32();
        const { length } = reader.readString();
        reader.end();
        channel.used += length;
        assertTrue(length <= channel.maximumPacket, `${length} bytes where ${channel.maximumPacket} may come at once`);
        assertTrue(channel.used <= channel.granted, `${channel.used} bytes where the window lets ${channel.granted}`);
        return;
      }
      case M.CHANNEL_EOF:
        assertTrue(!channel.ended, "EOF comes twice");
        channel.ended = true;
        return;
      case M.CHANNEL_CLOSE:
        channel.closed = true;
        return;
      case M.CHANNEL_SUCCESS:
      case M.CHANNEL_FAILURE:
        assertTrue(this.#wantedReplies-- > 0, "a reply to no request");
    }
  }
}

/** The payloads of a stream of packets that nothing protects, behind the identification line. */
export function readPlainPackets(stream: Buffer): Buffer[] {
  const payloads: Buffer[] = [];
  for (let offset = stream.indexOf("\n") + 1; offset < stream.length; ) {
    const end = offset + 4 + stream.readUInt32BE(offset);
    assertTrue(end <= stream.length, "a packet is cut short");
    payloads.push(stream.subarray(offset + 5, end - stream.readUInt8(offset + 4)));
    offset = end;
  }
  return payloads;
}

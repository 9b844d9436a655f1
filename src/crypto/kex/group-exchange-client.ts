import { MessageNumber } from "../../protocol/constants.js";
import { Writer } from "../../protocol/writer.js";
import { offerInGroup } from "./explicit-group.js";
import { encodeAgreedGroup, type GroupSizes } from "./group-sizes.js";
import type { ClientKeyExchange, ClientStep } from "./key-exchange.js";
import { keyExchangeFailed, readMessage } from "./messages.js";
import { isInRange } from "./modp-group.js";
import type { ClientShare } from "./one-round.js";

/** As OpenSSH's limits; 3072 bits are as strong as a cipher of 128 bits. */
const SIZES: GroupSizes = { minimum: 2048, preferred: 3072, maximum: 8192 };

type Expected =
  | { readonly message: "group" }
  | { readonly message: "reply"; readonly share: ClientShare; readonly agreed: Buffer }
  | { readonly message: "none" };

/** The client's side of RFC 4419 §3. The group is the server's choice: whether its p is a prime is not tested, as by ssh. */
export class GroupExchangeClient implements ClientKeyExchange {
  readonly opening = new Writer(16)
    .writeByte(MessageNumber.KEX_DH_GEX_REQUEST)
    .writeUint32(SIZES.minimum)
    .writeUint32(SIZES.preferred)
    .writeUint32(SIZES.maximum)
    .toBuffer();
  #expected: Expected = { message: "group" };

  receive(payload: Buffer): ClientStep {
    const expected = this.#expected;
    // A message that is refused ends the exchange as well.
    this.#expected = { message: "none" };
    switch (expected.message) {
      case "group":
        return this.#takeGroup(payload);
      case "reply":
        return finish(payload, expected.share, expected.agreed);
      case "none":
        throw keyExchangeFailed("the key exchange takes no further message");
    }
  }

  #takeGroup(payload: Buffer): ClientStep {
    const { prime, generator } = readMessage(payload, MessageNumber.KEX_DH_GEX_GROUP, (reader) => ({
      prime: reader.readMpint(),
      generator: reader.readMpint(),
    }));
    checkGroup(prime, generator);
    const share = offerInGroup(prime, generator);
    this.#expected = { message: "reply", share, agreed: encodeAgreedGroup(SIZES, prime, generator) };
    return {
      kind: "continue",
      payload: new Writer(share.clientValue.length + 16)
        .writeByte(MessageNumber.KEX_DH_GEX_INIT)
        .writeMpint(share.clientValue)
        .toBuffer(),
    };
  }
}

/** @throws {ProtocolError} unless p is odd and of a size that was asked for, and 2 <= g <= p-2 */
function checkGroup(prime: Buffer, generator: Buffer): void {
  const bits = prime.length * 8 - Math.clz32(prime[0] ?? 0) + 24;
  if (bits < SIZES.minimum || bits > SIZES.maximum) {
    throw keyExchangeFailed(`a group of ${bits} bits is not of a size that was asked for`);
  }
  if (((prime.at(-1) ?? 0) & 1) === 0) throw keyExchangeFailed("the modulus of the group is even");
  if (!isInRange(generator, prime)) throw keyExchangeFailed("the generator is out of the range of the group");
}

function finish(payload: Buffer, share: ClientShare, agreed: Buffer): ClientStep {
  const { hostKey, serverValue, signature } = readMessage(payload, MessageNumber.KEX_DH_GEX_REPLY, (reader) => ({
    hostKey: reader.readString(),
    serverValue: reader.readMpint(),
    signature: reader.readString(),
  }));
  const sharedSecret = share.agree(serverValue);
  const { clientValue } = share;
  const transcript = new Writer(agreed.length + clientValue.length + serverValue.length + 16)
    .writeBytes(agreed)
    .writeMpint(clientValue)
    .writeMpint(serverValue)
    .toBuffer();
  return { kind: "done", hostKey, signature, transcript, sharedSecret };
}

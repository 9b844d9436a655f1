import { getDiffieHellman } from "node:crypto";
import { MessageNumber } from "../../protocol/constants.js";
import { Writer } from "../../protocol/writer.js";
import { encodeAgreedGroup, type GroupSizes } from "./group-sizes.js";
import type { ServerKeyExchange, ServerStep } from "./key-exchange.js";
import { keyExchangeFailed, readMessage } from "./messages.js";
import { agreeModp, type ModpGroup } from "./modp-group.js";

/** The groups there are to choose from, smallest first. */
const GROUPS: readonly { readonly bits: number; readonly group: ModpGroup }[] = [
  { bits: 2048, group: "modp14" },
  { bits: 3072, group: "modp15" },
  { bits: 4096, group: "modp16" },
  { bits: 6144, group: "modp17" },
  { bits: 8192, group: "modp18" },
];

type Expected =
  | { readonly message: "request" }
  | {
      readonly message: "init";
      readonly group: ModpGroup;
      /** The start of the transcript: min, n, max, p, g (RFC 4419 §3). */
      readonly agreed: Buffer;
    }
  | { readonly message: "none" };

/** The server's side of RFC 4419 §3. */
export class GroupExchangeServer implements ServerKeyExchange {
  #expected: Expected = { message: "request" };

  receive(payload: Buffer): ServerStep {
    const expected = this.#expected;
    // A message that is refused ends the exchange as well.
    this.#expected = { message: "none" };
    switch (expected.message) {
      case "request":
        return this.#offerGroup(payload);
      case "init":
        return finish(payload, expected.group, expected.agreed);
      case "none":
        throw keyExchangeFailed("the key exchange takes no further message");
    }
  }

  #offerGroup(payload: Buffer): ServerStep {
    const request = readMessage(
      payload,
      MessageNumber.KEX_DH_GEX_REQUEST,
      (reader): GroupSizes => ({
        minimum: reader.readUint32(),
        preferred: reader.readUint32(),
        maximum: reader.readUint32(),
      }),
    );
    const group = chooseGroup(request);
    const parameters = getDiffieHellman(group);
    const prime = parameters.getPrime();
    const generator = parameters.getGenerator();
    const agreed = encodeAgreedGroup(request, prime, generator);
    this.#expected = { message: "init", group, agreed };
    return {
      kind: "continue",
      payload: new Writer(prime.length + 32)
        .writeByte(MessageNumber.KEX_DH_GEX_GROUP)
        .writeMpint(prime)
        .writeMpint(generator)
        .toBuffer(),
    };
  }
}

/** The smallest group within the client's limits of at least the preferred size, else the largest (RFC 4419 §3). */
function chooseGroup({ minimum, preferred, maximum }: GroupSizes): ModpGroup {
  if (minimum > preferred || preferred > maximum) {
    throw keyExchangeFailed(`the requested group sizes ${minimum}, ${preferred}, ${maximum} are not in order`);
  }
  const possible = GROUPS.filter(({ bits }) => bits >= minimum && bits <= maximum);
  const chosen = possible.find(({ bits }) => bits >= preferred) ?? possible.at(-1);
  if (chosen === undefined) throw keyExchangeFailed(`there is no group of ${minimum} to ${maximum} bits`);
  return chosen.group;
}

function finish(payload: Buffer, group: ModpGroup, agreed: Buffer): ServerStep {
  const clientValue = readMessage(payload, MessageNumber.KEX_DH_GEX_INIT, (reader) => reader.readMpint());
  const { serverValue, sharedSecret } = agreeModp(group, clientValue);
  return {
    kind: "done",
    transcript: new Writer(agreed.length + clientValue.length + serverValue.length + 16)
      .writeBytes(agreed)
      .writeMpint(clientValue)
      .writeMpint(serverValue)
      .toBuffer(),
    sharedSecret,
    reply: (hostKey, signature) =>
      new Writer(hostKey.length + serverValue.length + signature.length + 32)
        .writeByte(MessageNumber.KEX_DH_GEX_REPLY)
        .writeString(hostKey)
        .writeMpint(serverValue)
        .writeString(signature)
        .toBuffer(),
  };
}

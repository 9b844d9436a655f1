import { AgentMessage } from "../../../src/forwarding/agent/messages.js";
import { Writer } from "../../../src/protocol/writer.js";

/** A message as it is on the wire, with its length in front. */
export function framed(message: Uint8Array): Buffer {
  return new Writer().writeString(message).toBuffer();
}

export interface TestIdentity {
  readonly publicBlob: Uint8Array;
  readonly comment: Uint8Array | string;
}

/** SSH_AGENT_IDENTITIES_ANSWER (RFC 9987 §5.5). */
export function identitiesAnswer(identities: readonly TestIdentity[], count = identities.length): Buffer {
  const writer = new Writer().writeByte(AgentMessage.IDENTITIES_ANSWER).writeUint32(count);
  for (const { publicBlob, comment } of identities) writer.writeString(publicBlob).writeString(comment);
  return writer.toBuffer();
}

/** SSH_AGENT_SIGN_RESPONSE (RFC 9987 §5.6). */
export function signResponse(signature: Uint8Array): Buffer {
  return new Writer().writeByte(AgentMessage.SIGN_RESPONSE).writeString(signature).toBuffer();
}

import { AgentError } from "../../../src/forwarding/agent/agent-error.js";
import { MessageAssembler } from "../../../src/forwarding/agent/message-assembler.js";
import { decodeIdentities, decodeSignature } from "../../../src/forwarding/agent/messages.js";
import { framed, identitiesAnswer, signResponse } from "../../forwarding/agent/agent-answers.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";
import { blobs, privateKeys } from "../support/keys.js";

const answers = [
  identitiesAnswer(blobs.slice(0, 2).map((publicBlob) => ({ publicBlob, comment: "fuzz" }))),
  signResponse(privateKeys[0]?.sign(Buffer.from("data")) ?? Buffer.alloc(0)),
  Buffer.of(5),
];

/** What the agent of a client answers, in one piece and byte by byte. */
export const harness: Harness = {
  name: "agent-answer",
  seeds: answers.map(framed),
  memory: { base: 1024 * 1024, perByte: 1024 },
  run(bytes) {
    const whole = refusable(() => new MessageAssembler().push(bytes), AgentError);
    const assembler = new MessageAssembler();
    const pieces = refusable(() => {
      for (const byte of bytes) {
        const message = assembler.push(Buffer.of(byte));
        if (message !== undefined) return message;
      }
      return undefined;
    }, AgentError);
    assertTrue(whole?.toString("hex") === pieces?.toString("hex"), "the message depends on how it is cut");
    if (whole === undefined) return;
    const identities = refusable(() => decodeIdentities(whole), AgentError) ?? [];
    assertTrue(
      identities.every(({ comment }) => !/\p{Cc}/u.test(comment)),
      "a comment holds control characters",
    );
    refusable(() => decodeSignature(whole), AgentError);
  },
};

import { keyExchangeAlgorithms } from "../../../src/crypto/kex/registry.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { converse } from "../../support/exchange.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";
import { joinMessages, splitMessages } from "../support/messages.js";

/** Without second names, and without what other harnesses add (plain-algorithms.ts). */
const algorithms = [...keyExchangeAlgorithms.values()].filter(({ name }) => !name.includes("@") && name !== "plain");

/** The client's side of each key exchange method. The first byte of an input chooses it, a server's messages follow. */
export const harness: Harness = {
  name: "key-exchange-client",
  seeds: algorithms.map((algorithm, index) =>
    Buffer.concat([Buffer.of(index), joinMessages(converse(algorithm).toClient)]),
  ),
  maximumLength: 3000,
  // Keys of sntrup761, and powers in the largest groups.
  maximumTime: 3000,
  shortRun: 100,
  run(bytes) {
    const client = algorithms[(bytes[0] ?? 0) % algorithms.length]?.startClient();
    for (const message of splitMessages(bytes.subarray(1)).slice(0, 3)) {
      const step = refusable(() => client?.receive(message), ProtocolError);
      if (step === undefined) return;
      if (step.kind === "continue") continue;
      assertTrue(step.sharedSecret.length > 4, "there is no secret");
      assertTrue(step.hostKey.length + step.signature.length < message.length, "more fields than there are bytes");
      return;
    }
  },
};

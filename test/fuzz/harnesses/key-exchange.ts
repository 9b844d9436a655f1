import { keyExchangeAlgorithms } from "../../../src/crypto/kex/registry.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { startClient } from "../../support/kex-client.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";
import { joinMessages, splitMessages } from "../support/messages.js";

/** Without what other harnesses add (plain-algorithms.ts). */
const algorithms = [...keyExchangeAlgorithms.values()].filter(({ name }) => name !== "plain");

/** The server's side of each key exchange method. The first byte of an input chooses it, messages follow. */
export const harness: Harness = {
  name: "key-exchange",
  seeds: algorithms.map(({ name }, index) => Buffer.concat([Buffer.of(index), joinMessages([startClient(name).init])])),
  maximumLength: 3000,
  shortRun: 150,
  run(bytes) {
    const server = algorithms[(bytes[0] ?? 0) % algorithms.length]?.startServer();
    for (const message of splitMessages(bytes.subarray(1)).slice(0, 3)) {
      const step = refusable(() => server?.receive(message), ProtocolError);
      if (step === undefined) return;
      if (step.kind === "continue") continue;
      assertTrue(step.sharedSecret.length > 4, "there is no secret");
      step.reply(Buffer.from("host key"), Buffer.from("signature"));
      return;
    }
  },
};

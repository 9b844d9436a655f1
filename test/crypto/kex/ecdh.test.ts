import { describe, expect, it } from "vitest";
import {
  curve25519Sha256,
  curve25519Sha256Libssh,
  ecdhSha2Nistp256,
  ecdhSha2Nistp384,
  ecdhSha2Nistp521,
} from "../../../src/crypto/kex/ecdh.js";
import { startClient } from "../../support/kex-client.js";

describe.each([curve25519Sha256, curve25519Sha256Libssh, ecdhSha2Nistp256, ecdhSha2Nistp384, ecdhSha2Nistp521])(
  "$name",
  (algorithm) => {
    it("gives both sides the same transcript and secret", () => {
      const client = startClient(algorithm.name);
      const step = algorithm.startServer().receive(client.init);
      if (step.kind !== "done") throw new Error("the exchange is not done");
      const result = client.finish(step.reply(Buffer.from("host key"), Buffer.from("signature")));
      expect(result.hostKey.toString()).toBe("host key");
      expect(result.signature.toString()).toBe("signature");
      expect(result.transcript).toEqual(step.transcript);
      expect(result.sharedSecret).toEqual(step.sharedSecret);
    });
  },
);

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyExchangeAlgorithms } from "../../../src/crypto/kex/registry.js";
import { REFUSED, refusalOf, runExchange } from "../../support/exchange.js";
import { extent, isLong } from "../../support/extent.js";
import { startClient } from "../../support/kex-client.js";

describe("keyExchangeAlgorithms", () => {
  it("prefers post-quantum methods, then curves, then integers", () => {
    expect([...keyExchangeAlgorithms.keys()]).toEqual([
      "mlkem768x25519-sha256",
      "sntrup761x25519-sha512",
      "sntrup761x25519-sha512@openssh.com",
      "curve25519-sha256",
      "curve25519-sha256@libssh.org",
      "ecdh-sha2-nistp256",
      "ecdh-sha2-nistp384",
      "ecdh-sha2-nistp521",
      "diffie-hellman-group14-sha256",
      "diffie-hellman-group16-sha512",
      "diffie-hellman-group18-sha512",
      "diffie-hellman-group-exchange-sha256",
    ]);
  });
});

describe.each([...keyExchangeAlgorithms.values()])("$name", (algorithm) => {
  it("hashes as its name says", () => {
    const hashes: Record<string, string> = { "ecdh-sha2-nistp384": "sha384", "ecdh-sha2-nistp521": "sha512" };
    expect(algorithm.hash).toBe(hashes[algorithm.name] ?? (algorithm.name.includes("sha512") ? "sha512" : "sha256"));
  });

  it("gives both sides the same transcript and secret", () => {
    const { server, client } = runExchange(algorithm, startClient(algorithm.name));
    expect(client.transcript).toEqual(server.transcript);
    expect(client.sharedSecret).toEqual(server.sharedSecret);
    expect(client.hostKey.toString()).toBe("host key");
    expect(client.signature.toString()).toBe("signature");
  });
});

/** In the short run without the other names of the same methods. */
const methods = [...keyExchangeAlgorithms.values()].filter(({ name }) => isLong || !name.includes("@"));

describe.each(methods)("$name", (algorithm) => {
  it("answers with fresh values each time", () => {
    const first = runExchange(algorithm, startClient(algorithm.name));
    const second = runExchange(algorithm, startClient(algorithm.name));
    expect(first.server.sharedSecret).not.toEqual(second.server.sharedSecret);
    expect(first.server.transcript).not.toEqual(second.server.transcript);
  });

  it("takes no message after it is done", () => {
    const { exchange } = runExchange(algorithm, startClient(algorithm.name));
    expect(refusalOf(exchange, startClient(algorithm.name).init)).toBe(REFUSED);
  });

  it("takes no message after one was refused", () => {
    const exchange = algorithm.startServer();
    expect(refusalOf(exchange, Buffer.alloc(0))).toBe(REFUSED);
    expect(refusalOf(exchange, startClient(algorithm.name).init)).toBe(REFUSED);
  });

  it("refuses every other message number", () => {
    const { init } = startClient(algorithm.name);
    for (let number = 0; number < 256; number += extent(3, 1)) {
      if (number === init[0]) continue;
      const payload = Buffer.concat([Buffer.of(number), init.subarray(1)]);
      expect(refusalOf(algorithm.startServer(), payload), `number ${number}`).toBe(REFUSED);
    }
  });

  it("refuses a message with bytes after it", () => {
    const payload = Buffer.concat([startClient(algorithm.name).init, Buffer.alloc(1)]);
    expect(refusalOf(algorithm.startServer(), payload)).toBe(REFUSED);
  });

  it("refuses a message cut short anywhere", () => {
    const { init } = startClient(algorithm.name);
    for (let length = 0; length < init.length; length++) {
      expect(refusalOf(algorithm.startServer(), init.subarray(0, length)), `${length} bytes`).toBe(REFUSED);
    }
  });

  it("refuses what is not a message of it, and nothing worse happens", () => {
    const number = startClient(algorithm.name).init[0] ?? 0;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const payload = Buffer.concat([Buffer.of(number), bytes]);
        const refusal = refusalOf(algorithm.startServer(), payload);
        expect([REFUSED, undefined]).toContain(refusal);
      }),
      { numRuns: 200 },
    );
  });
});

import { ECDH, getDiffieHellman } from "node:crypto";
import { describe, expect, it } from "vitest";
import { keyExchangeAlgorithms } from "../../../src/crypto/kex/registry.js";
import { Reader } from "../../../src/protocol/reader.js";
import { Writer } from "../../../src/protocol/writer.js";
import { converse, HOST_KEY_BYTES, REFUSED, refusalOf, SIGNATURE_BYTES } from "../../support/exchange.js";
import { isLong } from "../../support/extent.js";

const CURVES: Readonly<Record<string, string>> = {
  "ecdh-sha2-nistp256": "prime256v1",
  "ecdh-sha2-nistp384": "secp384r1",
  "ecdh-sha2-nistp521": "secp521r1",
};

describe.each([...keyExchangeAlgorithms.values()])("the client of $name", (algorithm) => {
  it("agrees with the server on the transcript and the secret, and hands over host key and signature", () => {
    const { server, client } = converse(algorithm);
    expect(client.transcript).toEqual(server.transcript);
    expect(client.sharedSecret).toEqual(server.sharedSecret);
    expect(client.sharedSecret.length).toBeGreaterThan(4 + 28);
    expect([client.hostKey, client.signature]).toEqual([HOST_KEY_BYTES, SIGNATURE_BYTES]);
  });
});

// The other names are those of the same methods.
describe.each([...keyExchangeAlgorithms.values()].filter(({ name }) => !name.includes("@")))(
  "the client of $name",
  (algorithm) => {
    const first = converse(algorithm).toClient[0] ?? Buffer.alloc(0);
    const refuses = (payload: Buffer) => expect(refusalOf(algorithm.startClient(), payload)).toBe(REFUSED);

    it("has fresh values each time", () => {
      expect(converse(algorithm).client.sharedSecret).not.toEqual(converse(algorithm).client.sharedSecret);
    });

    it("takes no message after one was refused", () => {
      const exchange = algorithm.startClient();
      expect(refusalOf(exchange, Buffer.alloc(0))).toBe(REFUSED);
      expect(refusalOf(exchange, first)).toBe(REFUSED);
    });

    it("refuses other message numbers, a message cut short, and bytes after it", () => {
      // Each attempt needs a key pair of its own, which sntrup761 makes a hundred times slower than the others.
      const isSlow = algorithm.name.startsWith("sntrup761") && !isLong;
      const numbers = isSlow ? [33] : [0, 21, 30, 33, 50];
      const lengths = isSlow ? [first.length - 1] : [1, 5, first.length - 1];
      for (const number of numbers) refuses(Buffer.concat([Buffer.of(number), first.subarray(1)]));
      for (const length of lengths) refuses(first.subarray(0, length));
      refuses(Buffer.concat([first, Buffer.alloc(1)]));
    });

    it.runIf(algorithm.name.startsWith("diffie-hellman-group1"))("refuses 0, 1, p-1, p and what is beyond", () => {
      const prime = primeOf(algorithm.name);
      const primeMinusOne = Buffer.concat([prime.subarray(0, -1), Buffer.of((prime.at(-1) ?? 0) - 1)]);
      for (const value of [Buffer.alloc(0), Buffer.of(1), primeMinusOne, prime, Buffer.concat([Buffer.of(1), prime])]) {
        refuses(reply((writer) => writer.writeMpint(value)));
      }
      expect(
        refusalOf(
          algorithm.startClient(),
          reply((writer) => writer.writeMpint(Buffer.of(2))),
        ),
      ).toBeUndefined();
    });

    it.skipIf(algorithm.name.startsWith("diffie-hellman"))("refuses values of another length or form", () => {
      const value = valueIn(first);
      const other = [Buffer.alloc(0), Buffer.alloc(1), value.subarray(1), Buffer.concat([value, Buffer.alloc(1)])];
      const curve = CURVES[algorithm.name];
      if (curve === undefined) {
        // A point of small order, alone or behind the ciphertext of a KEM.
        other.push(Buffer.concat([value.subarray(0, -32), Buffer.alloc(32)]));
      } else {
        const off = Buffer.from(value);
        off.writeUInt8(off.readUInt8(off.length - 1) ^ 1, off.length - 1);
        other.push(off, Buffer.from(ECDH.convertKey(value, curve, undefined, "hex", "compressed").toString(), "hex"));
      }
      for (const bytes of other) refuses(reply((writer) => writer.writeString(bytes)));
    });
  },
);

/** The public value in a server's reply. */
function valueIn(payload: Buffer): Buffer {
  const reader = new Reader(payload, 1);
  reader.readString();
  return reader.readString();
}

function reply(writeValue: (writer: Writer) => Writer): Buffer {
  const start = new Writer().writeByte(31).writeString(HOST_KEY_BYTES);
  return writeValue(start).writeString(SIGNATURE_BYTES).toBuffer();
}

function primeOf(name: string): Buffer {
  const group = /group(\d+)/.exec(name)?.[1];
  return getDiffieHellman(`modp${group}`).getPrime();
}

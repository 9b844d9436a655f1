import { describe, expect, it } from "vitest";
import { cipherAlgorithms, macAlgorithms } from "../../src/crypto/cipher/registry.js";
import { PacketReader } from "../../src/transport/packet-reader.js";
import { PacketWriter } from "../../src/transport/packet-writer.js";

/** A full packet of one connection on its way, and its reader. */
function connection(name: string, fill: number) {
  const cipher = cipherAlgorithms.get(name);
  const algorithm = macAlgorithms.get("hmac-sha2-256-etm@openssh.com");
  if (cipher === undefined || algorithm === undefined) throw new Error(`no ${name}`);
  const mac = cipher.aead ? {} : { mac: { algorithm, key: Buffer.alloc(algorithm.keyLength, fill) } };
  const keys = { key: Buffer.alloc(cipher.keyLength, fill), iv: Buffer.alloc(cipher.ivLength, fill), ...mac };
  const sent: Buffer[] = [];
  const writer = new PacketWriter(cipher.createSealer(keys), { output: (bytes) => sent.push(Buffer.from(bytes)) });
  const reader = new PacketReader(cipher.createOpener(keys));
  const payload = Buffer.alloc(32 * 1024, fill);
  writer.write(payload);
  writer.flush();
  return { reader, payload, packet: Buffer.concat(sent) };
}

describe.each([...cipherAlgorithms.keys()])("packets of several connections in pieces, %s", (name) => {
  it("do not meet in the buffer that readers share", () => {
    const connections = [1, 2, 3].map((fill) => connection(name, fill));
    const read: Buffer[][] = connections.map(() => []);
    for (let start = 0; start < 40_000; start += 10_000) {
      connections.forEach(({ reader, packet }, index) => {
        reader.push(Buffer.from(packet.subarray(start, start + 10_000)));
        const payload = reader.next();
        if (payload !== undefined) read[index]?.push(payload);
      });
    }
    // Compared only now: what one has returned must outlive what the others have read since.
    connections.forEach(({ payload }, index) => {
      expect(read[index]?.[0]?.equals(payload)).toBe(true);
    });
  });
});

import { ProtocolError } from "../../../src/protocol/errors.js";
import { IdentificationReader } from "../../../src/transport/identification.js";
import { assertEqual, assertTrue, type Harness, refusable } from "../engine/harness.js";
import { cutInChunks } from "../support/messages.js";

const LONGEST = 8192;

function read(chunks: readonly Buffer[], linesBefore: number) {
  const reader = new IdentificationReader(linesBefore);
  for (const [index, chunk] of chunks.entries()) {
    const read = reader.receive(chunk);
    if (read !== undefined) {
      return { ...read, rest: Buffer.concat([read.rest, ...chunks.slice(index + 1)]) };
    }
  }
  return undefined;
}

export const harness: Harness = {
  name: "identification",
  seeds: [
    "SSH-2.0-OpenSSH_10.0\r\nrest",
    "SSH-1.99-x\n",
    "SSH-2.0-PuTTY_Release_0.78 comment\r\n",
    "GET / HTTP/1.1\r\n",
    "Welcome\r\n\nSSH-2.0-server\r\nrest",
  ].map((text) => Buffer.from(text)),
  maximumLength: 9000,
  memory: { base: 256 * 1024, perByte: 1024 },
  run(bytes) {
    // As a server reads it, and as a client does.
    for (const linesBefore of [0, 3]) check(bytes, linesBefore);
  },
};

function check(bytes: Buffer, linesBefore: number): void {
  const whole = refusable(() => read([bytes], linesBefore), ProtocolError);
  const pieces = refusable(() => read(cutInChunks(bytes), linesBefore), ProtocolError);
  assertTrue(whole?.identification === pieces?.identification, "the chunks decide about the identification");
  if (whole === undefined || pieces === undefined) return;
  assertEqual(whole.rest, pieces.rest, "the chunks decide about the rest");
  assertTrue(/^SSH-(2\.0|1\.99)-[^\0\r\n]*$/.test(whole.identification), "a malformed identification");
  assertTrue(whole.identification.length <= LONGEST, "too long an identification");
}

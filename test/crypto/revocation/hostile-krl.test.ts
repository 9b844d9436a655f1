import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { KeyError } from "../../../src/crypto/keys/key-error.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { RevocationList } from "../../../src/crypto/revocation/revocation-list.js";
import { isMissing, needs } from "../../support/clients.js";
import { extent } from "../../support/extent.js";
import { temporaryFolder } from "../../support/tools.js";
import * as bytes from "./krl-bytes.js";
import { type Individual, keygenAnswers, keygenAnswersToAll, makePopulation } from "./population.js";

const { certificates, extension, fields, header, krl, section } = bytes;

const authority = PKey.generate({ keyType: "ed25519" }).publicBlob;
const MAXIMUM = 2n ** 64n - 1n;
const signature = Buffer.concat([section(bytes.SIGNATURE, Buffer.from("key")), fields("signature")]);
const list = (...serials: readonly bigint[]) => section(bytes.SERIAL_LIST, fields(...serials));
const range = (first: bigint, last: bigint) => section(bytes.SERIAL_RANGE, fields(first, last));
const bitmap = (start: bigint, bits: Buffer) => section(bytes.SERIAL_BITMAP, fields(start, bits));
const keyIds = (...ids: readonly string[]) => section(bytes.KEY_ID, fields(...ids));
const bits = (length: number, first: number) => Buffer.concat([Buffer.from([first]), Buffer.alloc(length - 1, 0x5a)]);

const TAKEN = {
  "no sections": krl(),
  "a reserved text": Buffer.concat([header().subarray(0, 36), fields("reserved", "comment")]),
  "a comment that ends with NUL": header(1, "comment\0"),
  "no certificates": krl(certificates([])),
  "an authority without certificates": krl(certificates([], authority)),
  "a reserved text with certificates": krl(
    section(bytes.CERTIFICATES, Buffer.concat([fields("", "reserved"), list(5n)])),
  ),
  "an empty list": krl(certificates([list()])),
  "a list with the same number twice": krl(certificates([list(5n, 5n, 5n)])),
  "a list out of order": krl(certificates([list(64n, 5n, 1n)])),
  "a range of one": krl(certificates([range(5n, 5n)])),
  "the greatest range": krl(certificates([range(1n, MAXIMUM)])),
  "ranges that overlap": krl(certificates([range(50n, 70n), range(1n, 5n), range(3n, 63n)])),
  "ranges within others": krl(certificates([range(1n, 100n), range(5n, 6n), range(100n, 100n)])),
  "sections of the same authority": krl(certificates([list(1n)]), certificates([list(5n)]), certificates([list(63n)])),
  "an empty bitmap": krl(certificates([bitmap(5n, Buffer.alloc(0))])),
  "a bitmap of zeros": krl(certificates([bitmap(5n, Buffer.alloc(9))])),
  "a bitmap with zeros before it": krl(certificates([bitmap(4n, Buffer.from([0, 0, 0, 2]))])),
  "a bitmap from 0 without 0": krl(certificates([bitmap(0n, Buffer.from([0x22]))])),
  "a bitmap to the last number": krl(certificates([bitmap(MAXIMUM - 6n, Buffer.from([0x40]))])),
  "bitmaps that overlap": krl(
    certificates([1n, 3n, 4n, 60n].map((start) => bitmap(start, Buffer.from([0x10, 0x04, 0x21])))),
  ),
  "the longest bitmap": krl(certificates([bitmap(1n, bits(2048, 0x7f))])),
  "the longest bitmap with all bits": krl(
    certificates([bitmap(1n, Buffer.concat([Buffer.alloc(1), bits(2048, 0xff)]))]),
  ),
  "an empty key ID": krl(certificates([keyIds("")])),
  "a key ID that ends with NUL": krl(certificates([keyIds("alice\0")])),
  "an empty key": krl(section(bytes.EXPLICIT_KEY, fields(""))),
  "bytes that are no key": krl(section(bytes.EXPLICIT_KEY, fields("abc", "abc"))),
  "an empty section": krl(
    section(bytes.EXPLICIT_KEY, Buffer.alloc(0)),
    section(bytes.FINGERPRINT_SHA1, Buffer.alloc(0)),
  ),
  "a signature": krl(certificates([list(5n)]), signature),
  "two signatures": krl(certificates([list(5n)]), signature, signature),
  "an extension that is not critical": krl(section(bytes.EXTENSION, extension("x@y", 0)), certificates([list(5n)])),
  "a certificate extension that is not critical": krl(
    certificates([section(bytes.CERTIFICATE_EXTENSION, extension("x@y", 0, "content")), list(5n)]),
  ),
};

const REFUSED = {
  "the format 0": header(0),
  "the format 2": header(2),
  "NUL within the comment": header(1, "com\0ment"),
  "an unknown section": krl(section(6, Buffer.alloc(0))),
  "section 0": krl(section(0, Buffer.alloc(0))),
  "a critical extension": krl(section(bytes.EXTENSION, extension("x@y", 1))),
  "an extension of criticality 2": krl(section(bytes.EXTENSION, extension("x@y", 2))),
  "an extension with a rest": krl(section(bytes.EXTENSION, Buffer.concat([extension("x@y", 0), Buffer.alloc(1)]))),
  "an extension without a name": krl(section(bytes.EXTENSION, Buffer.alloc(0))),
  "a signature that is missing": krl(section(bytes.SIGNATURE, Buffer.from("key"))),
  "a short SHA-1": krl(section(bytes.FINGERPRINT_SHA1, fields(Buffer.alloc(19)))),
  "a long SHA-1": krl(section(bytes.FINGERPRINT_SHA1, fields(Buffer.alloc(21)))),
  "SHA-256 for SHA-1": krl(section(bytes.FINGERPRINT_SHA1, fields(Buffer.alloc(32)))),
  "a short SHA-256": krl(section(bytes.FINGERPRINT_SHA256, fields(Buffer.alloc(31)))),
  "SHA-1 for SHA-256": krl(section(bytes.FINGERPRINT_SHA256, fields(Buffer.alloc(20)))),
  "an authority that is no key": krl(section(bytes.CERTIFICATES, fields("key", ""))),
  "an authority of an unknown type": krl(certificates([], fields("ssh-future", "bytes"))),
  "an authority with a rest": krl(certificates([], Buffer.concat([authority, Buffer.alloc(1)]))),
  "an unknown subsection": krl(certificates([section(0x24, Buffer.alloc(0))])),
  "a section among subsections": krl(certificates([section(bytes.EXPLICIT_KEY, Buffer.alloc(0))])),
  "a critical certificate extension": krl(certificates([section(bytes.CERTIFICATE_EXTENSION, extension("x", 1))])),
  "the number 0": krl(certificates([list(0n)])),
  "the number 0 among others": krl(certificates([list(1n, 0n, 2n)])),
  "half a number": krl(certificates([section(bytes.SERIAL_LIST, Buffer.alloc(12, 1))])),
  "a range from 0": krl(certificates([range(0n, 5n)])),
  "a range that ends before it starts": krl(certificates([range(6n, 5n)])),
  "a range with a rest": krl(certificates([section(bytes.SERIAL_RANGE, fields(1n, 2n, 3n))])),
  "half a range": krl(certificates([section(bytes.SERIAL_RANGE, fields(1n))])),
  "a bitmap with 0": krl(certificates([bitmap(0n, Buffer.from([1]))])),
  "a negative bitmap": krl(certificates([bitmap(1n, Buffer.from([0x80]))])),
  "a bitmap past the last number": krl(certificates([bitmap(MAXIMUM, Buffer.from([2]))])),
  "a bitmap far past the last number": krl(certificates([bitmap(MAXIMUM - 3n, bits(100, 1))])),
  "a bitmap of one bit too many": krl(certificates([bitmap(1n, bits(2049, 1))])),
  "a bitmap with too many zeros": krl(certificates([bitmap(1n, Buffer.alloc(2050))])),
  "a bitmap of a mebibyte": krl(certificates([bitmap(1n, bits(2 ** 20, 1))])),
  "a bitmap with a rest": krl(certificates([section(bytes.SERIAL_BITMAP, fields(1n, Buffer.from([1]), ""))])),
  "NUL within a key ID": krl(certificates([keyIds("al\0ice")])),
  "bytes at the end": Buffer.concat([krl(certificates([list(5n)])), Buffer.alloc(1)]),
};

const EVERYTHING = krl(
  certificates([list(5n, 63n), range(64n, 65n), bitmap(1n, Buffer.from([0x21, 3])), keyIds("bob", "al")]),
  certificates([list(1n), section(bytes.CERTIFICATE_EXTENSION, extension("x", 0))], authority),
  section(bytes.EXPLICIT_KEY, fields(authority)),
  section(bytes.FINGERPRINT_SHA1, fields(Buffer.alloc(20, 1))),
  section(bytes.FINGERPRINT_SHA256, fields(Buffer.alloc(32, 2))),
  section(bytes.EXTENSION, extension("y", 0)),
);

/** ssh-keygen is asked about every ninth byte, which is of any part of any field, and in the long run about all. */
const STEP = extent(9, 1);

const folder = temporaryFolder();
const KEYGENS = ["ssh-keygen", "ssh-keygen10"] as const;
const missing = KEYGENS.some(isMissing);
let population: readonly Individual[] = [];

beforeAll(async () => {
  if (!missing) population = await makePopulation(folder);
}, 60_000);

/** Undefined when the list is refused. */
function ourAnswers(content: Buffer): readonly boolean[] | undefined {
  try {
    const parsed = RevocationList.parse(content);
    return population.map(({ key }) => parsed.isRevoked(key));
  } catch (error) {
    if (error instanceof KeyError && !error.message.includes("\n")) return undefined;
    throw error;
  }
}

async function expectAsKeygen(content: Buffer): Promise<void> {
  const file = join(folder, "hostile.krl");
  writeFileSync(file, content);
  expect(ourAnswers(content), content.toString("hex").slice(0, 2000)).toEqual(
    await keygenAnswers("ssh-keygen10", file, population),
  );
}

describe("a key revocation list made by hand", () => {
  it.each(Object.entries(TAKEN))("is taken with %s", async (_, content) => {
    expect(ourAnswers(content)).toBeDefined();
    if (!missing) await expectAsKeygen(content);
  });

  it.each(Object.entries(REFUSED))("is refused with %s", async (_, content) => {
    expect(ourAnswers(content)).toBeUndefined();
    if (!missing) await expectAsKeygen(content);
  });

  it("is refused with a section after its signature, as PROTOCOL.krl wants it", () => {
    expect(() => RevocationList.parse(krl(signature, certificates([list(5n)])))).toThrow(/follows a signature/);
  });

  it("of any bytes is taken or refused, and nothing else happens", () => {
    const subsection = fc
      .tuple(fc.constantFrom(0x20, 0x21, 0x22, 0x23, 0x39, 0x40), fc.uint8Array({ maxLength: 40 }))
      .map(([type, data]) => section(type, Buffer.from(data)));
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
      fc
        .tuple(fc.constantFrom(1, 2, 3, 4, 5, 6, 255), fc.uint8Array({ maxLength: 60 }))
        .map(([type, data]) => section(type, Buffer.from(data))),
      fc.array(subsection, { maxLength: 3 }).map((subsections) => certificates(subsections)),
      fc.constant(EVERYTHING.subarray(header().length)),
    );
    let taken = 0;
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        if (ourAnswers(krl(...parts)) !== undefined) taken++;
      }),
      { numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(100);
    expect(taken).toBeLessThan(2900);
  });

  it("is refused with more authorities than memory is meant for", () => {
    // Weak keys, which are not refused here, so that not so many have to be made.
    const weak = (index: number) =>
      fields("ssh-rsa", Buffer.from([3]), Buffer.from([0x7f, index >> 8, index & 0xff, 1]));
    const sections = Array.from({ length: 4097 }, (_, index) => certificates([list(5n)], weak(index)));
    expect(() => RevocationList.parse(krl(...sections))).toThrow(/more than 4096 authorities/);
    expect(() => RevocationList.parse(krl(...sections.slice(1), ...sections.slice(1)))).not.toThrow();
  });

  it("is what ssh-keygen takes it for when it ends at any byte", {
    ...needs(...KEYGENS),
    timeout: 120_000,
  }, async () => {
    await expectAllAsKeygen(
      Array.from({ length: Math.floor((EVERYTHING.length - 8) / STEP) }, (_, index) =>
        EVERYTHING.subarray(0, STEP * index + 8),
      ),
    );
  });

  it("is what ssh-keygen takes it for when any byte is another", {
    ...needs(...KEYGENS),
    timeout: 120_000,
  }, async () => {
    const contents: Buffer[] = [];
    // That the key of an authority is a point on its curve, OpenSSH does not look at.
    const point = EVERYTHING.indexOf(authority) + authority.length - 32;
    for (let index = 8; index < EVERYTHING.length; index += STEP) {
      if (index >= point && index < point + 32) continue;
      const changed = Buffer.from(EVERYTHING);
      changed.writeUInt8(changed.readUInt8(index) ^ (index % 2 === 0 ? 0x80 : 0x01), index);
      contents.push(changed);
    }
    await expectAllAsKeygen(contents);
  });

  it.each([
    ["comment", header(1, "HERE")],
    ["section", krl(Buffer.concat([Buffer.from([bytes.EXPLICIT_KEY]), fields("HERE")]))],
    ["key", krl(section(bytes.EXPLICIT_KEY, fields("HERE")))],
    ["fingerprint", krl(section(bytes.FINGERPRINT_SHA256, fields("HERE".repeat(8))))],
    ["authority", krl(section(bytes.CERTIFICATES, fields("HERE", "")))],
    ["reserved text", krl(section(bytes.CERTIFICATES, fields("", "HERE")))],
    ["subsection", krl(certificates([section(bytes.KEY_ID, Buffer.from("HERE"))]))],
    ["bitmap", krl(certificates([bitmap(1n, Buffer.from("HERE"))]))],
    ["key ID", krl(certificates([keyIds("HERE")]))],
    ["extension's name", krl(section(bytes.EXTENSION, extension("HERE", 0)))],
    ["extension's content", krl(section(bytes.EXTENSION, extension("x", 0, "HERE")))],
    ["signing key", krl(section(bytes.SIGNATURE, Buffer.from("HERE")))],
    ["signature", krl(section(bytes.SIGNATURE, Buffer.alloc(0)), fields("HERE"))],
  ])("is refused with a %s of 2^32-1 bytes", (_, content) => {
    for (const length of [0xffff_ffff, 0x8000_0000, 0x7fff_ffff]) {
      content.writeUInt32BE(length, content.indexOf("HERE") - 4);
      expect(() => RevocationList.parse(content)).toThrow(/malformed: \d+ bytes expected where \d+ are left/);
    }
  });
});

async function expectAllAsKeygen(contents: readonly Buffer[]): Promise<void> {
  const few = population.slice(-12);
  const files = contents.map((content, index) => {
    const file = join(folder, `hostile-${index}.krl`);
    writeFileSync(file, content);
    return file;
  });
  const theirs = await keygenAnswersToAll("ssh-keygen10", files, few);
  expect(theirs).toHaveLength(contents.length);
  for (const [index, content] of contents.entries()) {
    expect(ourAnswers(content)?.slice(-12), content.toString("hex")).toEqual(theirs[index]);
  }
}

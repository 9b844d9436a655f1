import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyError } from "../../../src/crypto/keys/key-error.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { Writer } from "../../../src/protocol/writer.js";
import { needs } from "../../support/clients.js";
import { craftCertificate, optionText } from "../../support/crafted-certificate.js";
import { RSA_KEY } from "../../support/rsa-key.js";
import { SoftwareSecurityKey } from "../../support/security-key.js";
import { temporaryDirectory } from "../keys/ssh-keygen.js";

const directory = temporaryDirectory();
const authority = PKey.generate({ keyType: "ed25519" });
const keys = [
  PKey.generate({ keyType: "ed25519" }),
  PKey.generate({ keyType: "ecdsa" }),
  RSA_KEY,
  new SoftwareSecurityKey("ed25519").key,
  new SoftwareSecurityKey("ecdsa").key,
];
const NONCE_END = 4 + 32;

interface Mutation {
  readonly place: number;
  readonly kind: "flip" | "set" | "insert" | "remove";
  readonly byte: number;
}

const mutation = fc.record<Mutation>({
  place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  kind: fc.constantFrom("flip", "set", "insert", "remove"),
  byte: fc.oneof(fc.constantFrom(0, 1, 4, 255), fc.nat(255)),
});

/** A certificate's signed part with something changed behind the nonce, and signed all the same. */
function mutated(key: PKey, mutations: readonly Mutation[]): Buffer {
  let body: Buffer = Buffer.alloc(0);
  craftCertificate({
    key,
    authority,
    principals: ["alice", "bob"],
    criticalOptions: [
      ["force-command", optionText("ls")],
      ["verify-required", ""],
    ],
    extensions: [
      ["permit-pty", ""],
      ["login@example", "abc"],
    ],
    sign: (data) => {
      body = data;
      return Buffer.alloc(0);
    },
  });
  const start = 4 + body.readUInt32BE(0) + NONCE_END;
  for (const { place, kind, byte } of mutations) {
    const at = start + Math.floor(place * (body.length - start));
    const [before, after] = [body.subarray(0, at), body.subarray(kind === "insert" ? at : at + 1)];
    const changed = { flip: [body.readUInt8(at) ^ (1 << (byte % 8))], set: [byte], insert: [byte], remove: [] }[kind];
    body = Buffer.concat([before, Buffer.from(changed), after]);
  }
  return new Writer(1024).writeBytes(body).writeString(authority.sign(body)).toBuffer();
}

/** Where this library refuses what ssh-keygen still reads; sshd refuses the options' forms when they are used. */
const STRICTER: readonly RegExp[] = [
  /^an Ed25519 public key is not a usable point$/,
  /^an RSA exponent is not valid$/,
  /^an RSA exponent is too large$/,
  /^an RSA key of \d+ bits is too small/,
  /^an RSA modulus is even$/,
  /holds a NUL$/,
  /^the application of a security key is not a text$/,
  /^the option \S+ of a certificate has data$/,
  /^the certificate is malformed: /,
];

describe("certificates with changes that are signed", needs("ssh-keygen"), () => {
  it("none is taken that OpenSSH refuses", { timeout: 60_000 }, () => {
    const cases = fc.sample(fc.tuple(fc.constantFrom(...keys), fc.array(mutation, { minLength: 1, maxLength: 2 })), {
      numRuns: 2000,
      seed: 4,
    });
    const blobs = cases.map(([key, mutations]) => mutated(key, mutations));
    const line = (blob: Buffer, index: number) => {
      const name = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString();
      return `${name} ${blob.toString("base64")} case-${index}\n`;
    };
    const path = join(directory, "certificates.pub");
    writeFileSync(path, blobs.map(line).join(""));
    const { stdout } = spawnSync("ssh-keygen", ["-l", "-f", path], { encoding: "utf8", maxBuffer: 2 ** 24 });
    const taken = new Set(Array.from(stdout.matchAll(/ case-(\d+) \(/g), (match) => Number(match[1])));

    let agreed = 0;
    blobs.forEach((blob, index) => {
      const refusal = refusalOf(blob);
      if (refusal === undefined) {
        expect(taken.has(index), `case ${index}: ${blob.toString("hex")}`).toBe(true);
        agreed++;
      } else if (taken.has(index)) {
        expect(
          STRICTER.some((pattern) => pattern.test(refusal)),
          refusal,
        ).toBe(true);
      }
    });
    expect(agreed).toBeGreaterThan(100);
    expect(taken.size).toBeLessThan(1000);
  });
});

function refusalOf(blob: Buffer): string | undefined {
  try {
    PKey.fromBlob(blob);
    return undefined;
  } catch (error) {
    if (error instanceof KeyError) return error.message;
    throw error;
  }
}

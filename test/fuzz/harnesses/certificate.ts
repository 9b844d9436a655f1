import { checkUserCertificate } from "../../../src/auth/user-certificate.js";
import { KeyError } from "../../../src/crypto/keys/key-error.js";
import { caSignatureAlgorithms } from "../../../src/crypto/keys/signature-algorithms.js";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { Writer } from "../../../src/protocol/writer.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";
import { checkKey } from "../support/check-key.js";
import { privateKeys } from "../support/keys.js";

/** Signs what the corpus is made of, too. */
export const [authority = PKey.generate({ keyType: "ed25519" })] = privateKeys;
const LOGIN = { remoteAddress: "192.0.2.1", now: new Date(1_800_000_000_000), caSignatureAlgorithms };

/** What stands behind the contents that an input is: the authority and its signature. */
export const ENDING_LENGTH = new Writer()
  .writeString(authority.publicBlob)
  .writeString(authority.sign(Buffer.of()))
  .toBuffer().length;

const options = {
  type: "user",
  keyId: "id",
  serial: 7n,
  principals: ["admin", "other"],
  criticalOptions: { "force-command": "ls", "source-address": "192.0.2.0/24,2001:db8::/32", "verify-required": "" },
  extensions: { "permit-pty": "", "permit-port-forwarding": "", "other@example.com": "data" },
} as const;

/**
 * The contents of certificates. They are signed by a real authority, so that what is behind the signature is reached;
 * the same bytes with a signature that is not theirs have to be refused.
 */
export const harness: Harness = {
  name: "certificate",
  seeds: privateKeys
    .map((publicKey) => authority.signCertificate({ ...options, publicKey }))
    .map(({ publicBlob }) => publicBlob.subarray(0, -ENDING_LENGTH)),
  memory: { base: 2 * 1024 * 1024, perByte: 2048 },
  shortRun: 600,
  run(bytes) {
    const contents = new Writer().writeBytes(bytes).writeString(authority.publicBlob).toBuffer();
    const certificate = Buffer.concat([contents, new Writer().writeString(authority.sign(contents)).toBuffer()]);
    checkKey(() => PKey.fromBlob(certificate));
    const key = refusable(() => PKey.fromBlob(certificate), KeyError);
    if (key?.certificate === undefined) return;
    checkUserCertificate(key.certificate, LOGIN);
    const forged = Buffer.from(certificate);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    assertTrue(refusable(() => PKey.fromBlob(forged), KeyError) === undefined, "a forged certificate is accepted");
  },
};

import { certificateProblem, PKey } from "../../../src/crypto/index.js";
import * as spindlex from "../../../src/index.js";
import { key, notChoice, notKey, notNumber, notObject, notText, type OptionSubject } from "./values.js";

const keyText = key.toOpenSSH();
const authority = PKey.generate({ keyType: "ed25519" });
const { certificate } = authority.signCertificate({ publicKey: key, type: "user", keyId: "id", principals: ["ann"] });
if (certificate === undefined) throw new Error("what was signed is not a certificate");

export const KEY_SUBJECTS: readonly OptionSubject[] = [
  {
    name: "loadOrCreateHostKey",
    call: (options) => spindlex.loadOrCreateHostKey(`${import.meta.filename}/key`, options),
    optional: true,
    valid: { passphrase: "secret" },
    wrong: { passphrase: notText },
  },
  {
    name: "loadHostKey",
    call: (options) => spindlex.loadHostKey(`${import.meta.filename}/key`, options),
    optional: true,
    valid: { passphrase: "secret" },
    wrong: { passphrase: notText },
  },
  {
    name: "PKey.generate",
    call: (options) => PKey.generate(options),
    valid: { keyType: "ecdsa", bits: 384 },
    wrong: { keyType: [...notChoice, "Ed25519"], bits: [...notNumber, 100] },
    required: ["keyType"],
  },
  {
    name: "PKey.fromString",
    call: (options) => PKey.fromString(keyText, options),
    optional: true,
    valid: { passphrase: "secret" },
    wrong: { passphrase: notText },
  },
  {
    name: "PKey.fromFile",
    call: (options) => PKey.fromFile(`${import.meta.dirname}/../../package.json`, options),
    optional: true,
    valid: {},
    wrong: { passphrase: notText },
  },
  {
    name: "PKey.toOpenSSH",
    call: (options) => key.toOpenSSH(options),
    optional: true,
    valid: { comment: "ann@host" },
    wrong: {
      passphrase: [...notText, ""],
      comment: [...notText, "a\nb"],
      rounds: [...notNumber, 15, 16.5, 1025],
    },
  },
  {
    name: "PKey.writeFile",
    call: (options) => key.publicKey.writeFile("/nonexistent/key", options),
    optional: true,
    valid: {},
    wrong: {
      passphrase: [...notText, ""],
      comment: [...notText, "a\nb"],
      rounds: notNumber,
      existing: [...notChoice, "overwrite"],
    },
  },
  {
    name: "PKey.toPublicString",
    call: (options) => key.toPublicString(options),
    optional: true,
    valid: { comment: "ann@host" },
    wrong: { comment: [...notText, "a\nb"] },
  },
  {
    name: "PKey.signCertificate",
    call: (options) => authority.signCertificate(options),
    valid: { publicKey: key, type: "user", keyId: "id", principals: ["ann"] },
    wrong: {
      publicKey: notKey,
      type: notChoice,
      keyId: notText,
      serial: notNumber,
      principals: ["ann", 5, {}, [], [""], [5]],
      validAfter: [5, "2030-01-01", new Date(Number.NaN)],
      validBefore: [5, "2030-01-01", new Date(0)],
      criticalOptions: notObject,
      extensions: [...notObject, { "permit-pty": true }],
      signatureAlgorithm: notText,
    },
    required: ["publicKey", "type", "keyId", "principals"],
  },
  {
    name: "certificateProblem",
    call: (use) => certificateProblem(certificate, use),
    valid: { type: "user", now: new Date() },
    wrong: {
      type: notChoice,
      now: [5, "2030-01-01", {}],
      allowedSignatureAlgorithms: ["ssh-ed25519", 5, {}],
    },
    required: ["type", "now"],
  },
];

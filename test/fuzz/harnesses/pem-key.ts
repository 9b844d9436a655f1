import type { Harness } from "../engine/harness.js";
import { checkKeyText } from "../support/check-key.js";
import { armour } from "../support/keys.js";

export const PEM_LABELS = [
  "PRIVATE KEY",
  "ENCRYPTED PRIVATE KEY",
  "RSA PRIVATE KEY",
  "EC PRIVATE KEY",
  "PUBLIC KEY",
  "RSA PUBLIC KEY",
  "DSA PRIVATE KEY",
  "CERTIFICATE",
];

/** The DER within PEM files. The first byte of an input chooses the label. */
export const harness: Harness = {
  name: "pem-key",
  seeds: PEM_LABELS.map((_, index) => Buffer.of(index, 0x30, 0x03, 0x02, 0x01, 0x00)),
  memory: { base: 2 * 1024 * 1024, perByte: 1024 },
  maximumTime: 2000,
  shortRun: 600,
  run(bytes) {
    const label = PEM_LABELS[(bytes[0] ?? 0) % PEM_LABELS.length] ?? "";
    checkKeyText(armour(label, bytes.subarray(1)));
  },
};

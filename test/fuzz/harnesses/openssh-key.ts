import type { Harness } from "../engine/harness.js";
import { checkKeyText } from "../support/check-key.js";
import { armour, openSSHKeys } from "../support/keys.js";

/** What lies in OpenSSH's private key files beneath the base64, which few mutations would survive. */
export const harness: Harness = {
  name: "openssh-key",
  seeds: openSSHKeys,
  memory: { base: 2 * 1024 * 1024, perByte: 1024 },
  maximumTime: 2000,
  shortRun: 600,
  run: (bytes) => checkKeyText(armour("OPENSSH PRIVATE KEY", bytes)),
};

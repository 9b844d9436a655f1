import { PKey } from "../../../src/crypto/pkey/pkey.js";
import type { Harness } from "../engine/harness.js";
import { checkKey } from "../support/check-key.js";
import { blobs } from "../support/keys.js";

/** Public keys as peers send them. */
export const harness: Harness = {
  name: "public-blob",
  seeds: blobs,
  memory: { base: 1024 * 1024, perByte: 1024 },
  shortRun: 1000,
  run: (bytes) => checkKey(() => PKey.fromBlob(bytes)),
};

import type { Harness } from "../engine/harness.js";
import { checkKeyText } from "../support/check-key.js";
import { publicLines } from "../support/keys.js";

/** Keys as files hold them, in every format; without passphrases, whose rounds are meant to take time. */
export const harness: Harness = {
  name: "key-text",
  seeds: publicLines.map((line) => Buffer.from(line)),
  maximumLength: 48 * 1024,
  maximumTime: 250,
  memory: { base: 2 * 1024 * 1024, perByte: 1024 },
  shortRun: 1000,
  run(bytes) {
    checkKeyText(bytes);
    // Texts that decode to the same bytes are the same.
    const text = bytes.toString("utf8");
    if (Buffer.from(text).equals(bytes)) checkKeyText(text);
  },
};

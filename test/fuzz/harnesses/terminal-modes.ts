import { ProtocolError } from "../../../src/protocol/errors.js";
import { decodeTerminalModes } from "../../../src/protocol/terminal-modes.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";

export const harness: Harness = {
  name: "terminal-modes",
  seeds: [Buffer.from("8000009600810000960000", "hex"), Buffer.from("0100000003350000000100", "hex")],
  memory: { base: 256 * 1024, perByte: 64 },
  run(bytes) {
    const modes = refusable(() => decodeTerminalModes(bytes), ProtocolError);
    assertTrue(modes === undefined || modes.size * 5 <= bytes.length, "more modes than there are bytes");
  },
};

import { showsCookie } from "../../../src/forwarding/x11/client-setup.js";
import { setupMessage } from "../../forwarding/x11/x-client.js";
import { assertTrue, type Harness } from "../engine/harness.js";

const protocol = "MIT-MAGIC-COOKIE-1";
const data = Buffer.from("00112233445566778899aabbccddeeff", "hex");

/** First messages of X clients, any of which may be of another user of the machine. */
export const harness: Harness = {
  name: "x-client-setup",
  seeds: [setupMessage(protocol, data, "B"), setupMessage(protocol, data), setupMessage("", Buffer.of())],
  maximumLength: 200,
  memory: { base: 256 * 1024, perByte: 64 },
  run(bytes) {
    const shown = showsCookie(bytes, { protocol, data });
    if (shown) assertTrue(bytes.includes(protocol) && bytes.includes(data), "a cookie is shown that is not there");
    // What has been decided stays so, and what was waited for can still come.
    for (let length = 0; length < bytes.length; length++) {
      const early = showsCookie(bytes.subarray(0, length), { protocol, data });
      assertTrue(early === undefined || early === shown, "more bytes change what was decided");
    }
  },
};

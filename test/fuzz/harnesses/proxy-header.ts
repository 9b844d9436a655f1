import { isIP } from "node:net";
import { ProxyHeaderError, readProxyHeader } from "../../../src/server/admission/proxy-header.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const TEXTS = [
  "PROXY TCP4 192.0.2.1 192.0.2.2 1234 22\r\nSSH-2.0-x",
  "PROXY TCP6 2001:db8::1 ::1 65535 22\r\n",
  "PROXY UNKNOWN\r\n",
];
const BINARIES = ["21110010c0000201c000020204d2001603000100", "20000000", `21210024${"20".repeat(36)}`, "21310000"];

/** Headers of the PROXY protocol, as the first bytes of a connection. */
export const harness: Harness = {
  name: "proxy-header",
  seeds: [...TEXTS.map((text) => Buffer.from(text)), ...BINARIES.map((text) => Buffer.from(SIGNATURE + text, "hex"))],
  maximumLength: 5000,
  memory: { base: 1024 * 1024, perByte: 256 },
  run(bytes) {
    const header = refusable(() => readProxyHeader(bytes), ProxyHeaderError);
    if (header === undefined) return;
    assertTrue(header.length > 0 && header.length <= bytes.length, "a header is longer than what came");
    if (header.from.kind === "client") {
      assertTrue(isIP(header.from.address) > 0, "an address is none");
      assertTrue(header.from.port >= 0 && header.from.port <= 65_535, "a port is none");
    }
    // What has come of it before must neither be refused nor be another one.
    for (const length of [1, header.length >> 1, header.length - 1]) {
      assertTrue(readProxyHeader(bytes.subarray(0, length)) === undefined, "a part of a header is taken for one");
    }
    const again = readProxyHeader(bytes.subarray(0, header.length));
    assertTrue(JSON.stringify(again) === JSON.stringify(header), "what follows a header changes it");
  },
};

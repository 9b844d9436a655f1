import { describe, expect, it } from "vitest";
import { bindAddresses, GATEWAY_PORTS } from "../../../src/forwarding/tcp/bind-addresses.js";

const LOOPBACK = ["127.0.0.1", "::1"];
const ALL = ["0.0.0.0", "::"];

/** What sshd 9.2 was seen to listen on with GatewayPorts `no`, `yes` and `clientspecified`. */
const SEEN: readonly (readonly [string, readonly string[], readonly string[], readonly string[]])[] = [
  ["", LOOPBACK, ALL, ALL],
  ["*", LOOPBACK, ALL, ALL],
  ["localhost", LOOPBACK, ALL, LOOPBACK],
  ["127.0.0.1", ["127.0.0.1"], ALL, ["127.0.0.1"]],
  ["::1", ["::1"], ALL, ["::1"]],
  ["0.0.0.0", LOOPBACK, ALL, ["0.0.0.0"]],
  ["::", LOOPBACK, ALL, ["::"]],
  ["192.0.2.2", LOOPBACK, ALL, ["192.0.2.2"]],
  ["127.0.0.2", LOOPBACK, ALL, ["127.0.0.2"]],
  ["nosuch.invalid", LOOPBACK, ALL, ["nosuch.invalid"]],
  ["LOCALHOST", LOOPBACK, ALL, ["LOCALHOST"]],
];

describe("bindAddresses", () => {
  it.each(SEEN)("are for %j those of sshd", (address, ...seen) => {
    expect(GATEWAY_PORTS.map((gatewayPorts) => bindAddresses(address, gatewayPorts))).toEqual(seen);
  });
});

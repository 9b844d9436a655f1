import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import { LISTEN_OPTIONS, type ListenOptions, resolveListenOptions } from "../../src/forwarding/listen-options.js";

describe("resolveListenOptions", () => {
  it("allows by default only what is safe, and not without bounds", () => {
    expect(resolveListenOptions({})).toEqual({
      gatewayPorts: "no",
      privilegedPorts: false,
      socketRoots: [],
      socketBindMask: 0o177,
      socketBindUnlink: false,
      maxListeners: 32,
      maxListenersPerServer: 1024,
      maxPendingConnections: 256,
      maxPendingConnectionsPerServer: 4096,
      maxForwardedConnections: 1024,
      maxForwardedConnectionsPerServer: 16_384,
    });
    expect(Object.keys(resolveListenOptions({})).sort()).toEqual([...LISTEN_OPTIONS].sort());
  });

  it("takes folders by their plain names, and `false` for no limit", () => {
    const settings = resolveListenOptions({ socketRoots: ["/run//app/../b/"], maxListeners: false });
    expect([settings.socketRoots, settings.maxListeners]).toEqual([["/run/b"], Number.POSITIVE_INFINITY]);
  });

  it.each<[keyof ListenOptions, unknown]>([
    ["gatewayPorts", true],
    ["gatewayPorts", "maybe"],
    ["privilegedPorts", 1],
    ["socketRoots", "/run"],
    ["socketRoots", ["run"]],
    ["socketRoots", [""]],
    ["socketRoots", ["/run\0"]],
    ["socketRoots", [5]],
    ["socketBindMask", 0o1000],
    ["socketBindMask", "0177"],
    ["socketBindUnlink", "yes"],
    ["maxListeners", 0],
    ["maxPendingConnections", 1.5],
    ["maxForwardedConnectionsPerServer", -1],
  ])("refuses %s: %j", (name, value) => {
    expect(() => resolveListenOptions({ [name]: value })).toThrow(
      expect.objectContaining({ constructor: ConfigurationError, option: `forwarding.${name}` }),
    );
  });
});

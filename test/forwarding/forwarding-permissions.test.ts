import { describe, expect, it } from "vitest";
import { ALL_PERMISSIONS, completePermissions, RESTRICTED_PERMISSIONS } from "../../src/auth/permissions.js";
import { mayListen, mayListenOnSocket, mayOpenChannel } from "../../src/forwarding/forwarding-permissions.js";

const directTcpip = (host: string, port: number) => ({
  host,
  port,
  originatorAddress: "127.0.0.1",
  originatorPort: 4000,
});
const listed = completePermissions({
  permitOpen: [
    [
      { host: "db", port: 5432 },
      { host: "*", port: 80 },
    ],
    [{ host: "db", port: "*" }],
  ],
  permitListen: [[{ host: "localhost", port: 8080 }]],
});

describe("mayOpenChannel", () => {
  it("lets sessions be opened, and with the permission anything", () => {
    expect(mayOpenChannel(RESTRICTED_PERMISSIONS, "session", Buffer.alloc(0))).toBe(true);
    for (const kind of ["direct-tcpip", "direct-streamlocal@openssh.com", "tun@openssh.com", "x"]) {
      expect(mayOpenChannel(ALL_PERMISSIONS, kind, Buffer.alloc(0))).toBe(true);
      expect(mayOpenChannel(RESTRICTED_PERMISSIONS, kind, Buffer.alloc(0))).toBe(false);
    }
  });

  it.each([
    ["db", 5432, true],
    ["db", 80, true],
    ["db", 22, false],
    ["web", 80, false],
    ["DB", 5432, false],
    ["*", 5432, false],
  ])("leads to %s port %i only where each list names it: %s", (host, port, allowed) => {
    expect(mayOpenChannel(listed, "direct-tcpip", directTcpip(host, port))).toBe(allowed);
  });

  it("leads nowhere else where there are lists", () => {
    expect(mayOpenChannel(listed, "direct-streamlocal@openssh.com", { socketPath: Buffer.from("db") })).toBe(false);
  });
});

describe("mayListen", () => {
  it("holds to the permission and its lists", () => {
    expect(mayListen(ALL_PERMISSIONS, "", 0)).toBe(true);
    expect(mayListen(RESTRICTED_PERMISSIONS, "localhost", 8080)).toBe(false);
    expect(mayListen(listed, "localhost", 8080)).toBe(true);
    expect(mayListen(listed, "localhost", 0)).toBe(false);
    expect(mayListen(listed, "", 8080)).toBe(false);
  });

  it("takes the host of a list for a pattern", () => {
    const permissions = completePermissions({ permitListen: [[{ host: "127.0.0.?", port: 8080 }]] });
    expect(["127.0.0.1", "127.0.0.10", "localhost"].map((host) => mayListen(permissions, host, 8080))).toEqual([
      true,
      false,
      false,
    ]);
    const any = completePermissions({ permitListen: [[{ host: `${"*a".repeat(500)}b`, port: "*" }]] });
    const start = performance.now();
    expect(mayListen(any, "a".repeat(200_000), 8080)).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it("compares with the host in small letters, as sshd does: a list with others names nothing", () => {
    const small = completePermissions({ permitListen: [[{ host: "local*", port: 8080 }]] });
    const capital = completePermissions({ permitListen: [[{ host: "LOCALHOST", port: 8080 }]] });
    const asked = ["localhost", "LocalHost", "LOCALHOST"];
    expect(asked.map((host) => mayListen(small, host, 8080))).toEqual([true, true, true]);
    expect(asked.map((host) => mayListen(capital, host, 8080))).toEqual([false, false, false]);
  });

  it("takes sockets for listed nowhere", () => {
    expect([ALL_PERMISSIONS, RESTRICTED_PERMISSIONS, listed].map(mayListenOnSocket)).toEqual([true, false, false]);
  });
});

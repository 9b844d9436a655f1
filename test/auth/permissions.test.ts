import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ALL_PERMISSIONS,
  completePermissions,
  intersectPermissions,
  namedByAll,
  RESTRICTED_PERMISSIONS,
} from "../../src/auth/permissions.js";
import { ConfigurationError } from "../../src/base/configuration-error.js";

const target = fc.record({ host: fc.constantFrom("a", "b", "*"), port: fc.constantFrom(1, 2, "*" as const) });
const lists = fc.array(fc.array(target, { maxLength: 2 }), { maxLength: 2 });
const permissions = fc
  .record({
    pty: fc.boolean(),
    portForwarding: fc.boolean(),
    agentForwarding: fc.boolean(),
    x11Forwarding: fc.boolean(),
    userRc: fc.boolean(),
    permitOpen: lists,
    permitListen: lists,
  })
  .map(completePermissions);

describe("completePermissions", () => {
  it.each([
    ["pty", "no"],
    ["portForwarding", 0],
    ["agentForwarding", null],
    ["x11Forwarding", "false"],
    ["userRc", undefined],
    ["forceCommand", null],
    ["forceCommand", "date\0"],
    ["forceCommand", Buffer.from("date")],
    ["permitOpen", undefined],
    ["permitOpen", { host: "*", port: "*" }],
    ["permitListen", [{ host: "*", port: "*" }]],
    ["permitOpen", [["a:22"]]],
    ["permitOpen", [[{ host: "a" }]]],
    ["permitOpen", [[{ host: 1, port: 22 }]]],
    ["permitListen", [[{ host: "*", port: "22" }]]],
    ["permitListen", [[{ host: "*", port: 0 }]]],
    ["permitListen", [[null]]],
    ["environment", null],
    ["environment", { A: 1 }],
    ["environment", { "A=B": "1" }],
    ["environment", { "": "1" }],
    ["environment", { A: "1\0" }],
  ])("refuses a value that %s cannot have: %j", (name, value) => {
    expect(() => completePermissions({ [name]: value })).toThrow(ConfigurationError);
  });
});

describe("intersectPermissions", () => {
  it("never permits what one of the two forbids, and permits what both do", () => {
    fc.assert(
      fc.property(permissions, permissions, (one, other) => {
        const both = intersectPermissions(one, other);
        for (const name of ["pty", "portForwarding", "agentForwarding", "x11Forwarding", "userRc"] as const) {
          expect(both?.[name]).toBe(one[name] && other[name]);
        }
        for (const list of ["permitOpen", "permitListen"] as const) {
          for (const [host, port] of [
            ["a", 1],
            ["a", 2],
            ["b", 1],
            ["c", 3],
          ] as const) {
            const allowed = namedByAll(one[list], host, port) && namedByAll(other[list], host, port);
            expect(both && namedByAll(both[list], host, port)).toBe(allowed);
          }
        }
      }),
    );
  });

  it("keeps a forced command of either, and refuses two different ones", () => {
    const forced = completePermissions({ forceCommand: "date" });
    expect(intersectPermissions(ALL_PERMISSIONS, forced)?.forceCommand).toBe("date");
    expect(intersectPermissions(forced, RESTRICTED_PERMISSIONS)?.forceCommand).toBe("date");
    expect(intersectPermissions(forced, forced)?.forceCommand).toBe("date");
    const other = completePermissions({ forceCommand: "" });
    expect(intersectPermissions(forced, other)).toBeUndefined();
  });

  it("puts variables together; the first value counts", () => {
    const one = completePermissions({ environment: { A: "1", B: "1" } });
    const other = completePermissions({ environment: { B: "2", C: "2" } });
    expect(intersectPermissions(one, other)?.environment).toEqual({ A: "1", B: "1", C: "2" });
  });
});

describe("permissions", () => {
  it("cannot be changed, and do not change with what they were made of", () => {
    const given = { permitOpen: [[{ host: "a", port: 1 as number | "*" }]], environment: { A: "1" } };
    const complete = completePermissions(given);
    given.permitOpen[0]?.push({ host: "*", port: "*" });
    given.environment.A = "2";
    expect(complete.permitOpen).toEqual([[{ host: "a", port: 1 }]]);
    expect(complete.environment).toEqual({ A: "1" });
    for (const part of [
      complete,
      complete.permitOpen,
      complete.permitOpen[0],
      complete.permitOpen[0]?.[0],
      complete.environment,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it("have no other names", () => {
    expect(() => Reflect.apply(completePermissions, undefined, [{ tty: false }])).toThrow(ConfigurationError);
  });

  it("count where they come from a class", () => {
    class Restricted {
      get pty() {
        return false;
      }
    }
    expect(completePermissions(new Restricted())).toEqual({ ...ALL_PERMISSIONS, pty: false });
  });

  it("that are restricted leave commands only", () => {
    const { pty, portForwarding, agentForwarding, x11Forwarding, userRc } = RESTRICTED_PERMISSIONS;
    expect([pty, portForwarding, agentForwarding, x11Forwarding, userRc]).toEqual(Array(5).fill(false));
  });
});

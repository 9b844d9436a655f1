import { describe, expect, it } from "vitest";
import { Grant } from "../../src/auth/grant.js";
import { ALL_PERMISSIONS } from "../../src/auth/permissions.js";
import { ConfigurationError } from "../../src/base/configuration-error.js";
import { AUTH_FAILED, AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";

describe("Grant", () => {
  it("restricts nothing by itself, but has a FIDO key touched", () => {
    expect(new Grant()).toEqual({
      result: AUTH_SUCCESSFUL,
      permissions: ALL_PERMISSIONS,
      authority: undefined,
      touch: "required",
      verification: "optional",
      data: undefined,
    });
  });

  it("has data of the program, of their type, which it neither changes nor freezes", () => {
    const data = { home: "/home/ann", logins: 0 };
    const grant = new Grant({ data, permissions: { pty: false } });
    grant.data?.home.toUpperCase();
    expect(grant.data).toBe(data);
    expect(grant.restrict({ userRc: false }).data).toBe(data);
    expect(Object.isFrozen(data)).toBe(false);
    const other = grant.restrict({ userRc: false }).withData({ id: 1 });
    expect(other.data?.id).toBe(1);
    expect(other.permissions).toMatchObject({ pty: false, userRc: false });
  });

  it("takes nothing but a key for the authority", () => {
    for (const authority of ["ssh-ed25519 AAAA", {}]) {
      expect(() => Reflect.construct(Grant, [{ authority }])).toThrow("authority: must be a PKey");
    }
    expect(() => Reflect.construct(Grant, [{ authority: null }])).toThrow("authority: must not be null");
  });

  it("can be restricted further, and keeps everything else", () => {
    const grant = new Grant({
      result: AUTH_PARTIAL,
      permissions: { pty: false, forceCommand: "date" },
      touch: "optional",
      verification: "required",
    });
    const restricted = grant.restrict({ pty: true, x11Forwarding: false });
    expect(restricted).toEqual(
      new Grant({
        result: AUTH_PARTIAL,
        permissions: { pty: false, x11Forwarding: false, forceCommand: "date" },
        touch: "optional",
        verification: "required",
      }),
    );
    expect(grant.permissions.x11Forwarding).toBe(true);
    expect(() => grant.restrict({ forceCommand: "id" })).toThrow("permissions.forceCommand");
    expect(() => Reflect.apply(grant.restrict, grant, [{ ptty: false }])).toThrow("did you mean pty");
  });

  it("cannot be changed", () => {
    expect(Object.isFrozen(new Grant())).toBe(true);
  });

  it.each([
    [{ result: AUTH_FAILED }],
    [{ result: true }],
    [{ touch: "no" }],
    [{ verification: false }],
    [{ permissions: { everything: true } }],
    [{ permission: { pty: false } }],
    [{ pty: false }],
  ])("refuses %j", (options) => {
    expect(() => Reflect.construct(Grant, [options])).toThrow(ConfigurationError);
  });

  it("is not made without the permissions that were meant", () => {
    expect(() => Reflect.construct(Grant, [{ permissions: null }])).toThrow("permissions: must not be null");
  });

  it.each([true, undefined, null, {}, "0", AUTH_FAILED, Grant, Object.assign({}, new Grant())])(
    "is not made of %s",
    (decision) => {
      expect(Grant.from(decision)).toBeUndefined();
    },
  );

  it("is what the plain results stand for", () => {
    expect(Grant.from(AUTH_SUCCESSFUL)).toEqual(new Grant());
    expect(Grant.from(AUTH_PARTIAL)).toEqual(new Grant({ result: AUTH_PARTIAL }));
  });
});

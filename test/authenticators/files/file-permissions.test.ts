import { describe, expect, it } from "vitest";
import { requirePrivate, requireTrusted } from "../../../src/authenticators/files/file-permissions.js";
import { UserFileError } from "../../../src/authenticators/files/user-file-error.js";

const OURS = process.getuid?.() ?? 0;
const OTHERS = OURS + 1;

describe.skipIf(process.getuid === undefined)("requirePrivate", () => {
  it.each([0o600, 0o400, 0o100700])("takes a file of ours with mode %o", (mode) => {
    expect(() => requirePrivate("f", { uid: OURS, mode })).not.toThrow();
  });

  it.each([0o640, 0o604, 0o610, 0o644, 0o660])("refuses a file of ours with mode %o", (mode) => {
    expect(() => requirePrivate("f", { uid: OURS, mode })).toThrow(UserFileError);
    expect(() => requirePrivate("f", { uid: BigInt(OURS), mode: BigInt(mode) })).toThrow(
      `f is open to other users (mode 0${mode.toString(8)}): chmod 600 it`,
    );
  });

  it("leaves a file of others to them", () => {
    expect(() => requirePrivate("f", { uid: OTHERS, mode: 0o644 })).not.toThrow();
  });
});

describe.skipIf(process.getuid === undefined)("requireTrusted", () => {
  it.each([
    [OURS, 0o644],
    [OURS, 0o600],
    [0, 0o644],
  ])("takes a file of user %i with mode %o", (uid, mode) => {
    expect(() => requireTrusted("f", { uid, mode })).not.toThrow();
  });

  it.each([
    [OURS, 0o664, "f can be written by other users (mode 0664): chmod go-w it"],
    [OURS, 0o602, "f can be written by other users (mode 0602): chmod go-w it"],
    [0, 0o666, "f can be written by other users"],
    [OTHERS, 0o600, "f belongs to another user"],
  ])("refuses a file of user %i with mode %o", (uid, mode, reason) => {
    expect(() => requireTrusted("f", { uid, mode })).toThrow(reason);
    expect(() => requireTrusted("f", { uid: BigInt(uid), mode: BigInt(mode) })).toThrow(UserFileError);
  });
});

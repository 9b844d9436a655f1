import { describe, expect, it } from "vitest";
import { requirePrivate } from "../../../src/authenticators/files/file-permissions.js";
import { UserFileError } from "../../../src/authenticators/files/user-file-error.js";

const OURS = process.getuid?.() ?? 0;
const OTHERS = OURS + 1;

// What requireTrusted refuses is in the tests of files that are read with it.
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

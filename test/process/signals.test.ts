import { describe, expect, it } from "vitest";
import { signalFromName, signalToName } from "../../src/process/signals.js";

describe("signals", () => {
  it.each(["ABRT", "ALRM", "FPE", "HUP", "ILL", "INT", "KILL", "PIPE", "QUIT", "SEGV", "TERM", "USR1", "USR2"])(
    "has %s both ways",
    (name) => {
      const signal = signalFromName(name);
      expect(signal).toBe(`SIG${name}`);
      expect(signalToName(signal ?? "SIGBUS")).toBe(name);
    },
  );

  it.each(["STOP", "SIGTERM", "term", "", "constructor", "toString", "__proto__"])("refuses %j", (name) => {
    expect(signalFromName(name)).toBeUndefined();
  });

  it("has no name for what RFC 4254 does not list", () => {
    expect(signalToName("SIGBUS")).toBeUndefined();
  });
});

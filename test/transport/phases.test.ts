import { describe, expect, it } from "vitest";
import { type Disposition, dispositionOf, type Phase } from "../../src/transport/phases.js";
import { serverPhases } from "../../src/transport/server-phases.js";

/**
 * What may come when, written down from the RFCs: RFC 4253 §7.1 and §11, RFC 4252 §5 and §6, RFC 4254 §9, RFC 4256 §5,
 * RFC 8308 §2.4, OpenSSH PROTOCOL §1.9 and §1.10. Message numbers, with what is not named answered UNIMPLEMENTED.
 */
const expected: Readonly<
  Record<Phase, { readonly allowed: string; readonly forbidden: string; readonly ignored?: string }>
> = {
  "initial-key-exchange": {
    allowed: "1-4 20-21 30-49",
    forbidden: "5-8 50-53 60-61 80-82 90-100 192-193",
  },
  "strict-initial-key-exchange": {
    allowed: "1 20-21 30-49",
    forbidden: "0 2-19 22-29 50-255",
  },
  service: {
    allowed: "1-5 7 20 192",
    forbidden: "6 8 21 30-53 60-61 80-82 90-100 193",
  },
  authentication: {
    // Paramiko asks for the service again and again.
    allowed: "1-5 20 50 61 192",
    forbidden: "6-8 21 30-49 51-53 60 80-82 90-100 193",
  },
  running: {
    allowed: "1-4 20 80-82 90 93-100 192",
    // RFC 4252 §5.1, and answers on their way when the server came to its result without them.
    ignored: "50 61 193",
    // 5 is answered UNIMPLEMENTED.
    forbidden: "6-8 21 30-49 51-53 60 91-92",
  },
  rekeying: {
    // 93-97 are not RFC 4253 §7.1: AsyncSSH as Debian 12 has it sends them.
    allowed: "1-4 21 30-49 93-97",
    forbidden: "5-8 20 50-53 60-61 80-82 90-92 98-100 192-193",
  },
  "rekeying-unauthenticated": {
    allowed: "1-4 21 30-49",
    forbidden: "5-8 20 50-53 60-61 80-82 90-100 192-193",
  },
};

function numbers(ranges: string): number[] {
  return ranges.split(" ").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

describe.each(Object.entries(expected))("phase %s", (name, { allowed, forbidden, ignored }) => {
  it("disposes of every message number as the RFCs have it", () => {
    const wanted = new Map<number, Disposition>();
    for (const number of numbers("0-255")) wanted.set(number, "unimplemented");
    for (const number of numbers(allowed)) wanted.set(number, "allowed");
    for (const number of numbers(forbidden)) wanted.set(number, "forbidden");
    for (const number of ignored === undefined ? [] : numbers(ignored)) wanted.set(number, "ignored");
    const phase = (Object.keys(expected) as Phase[]).find((key) => key === name);
    const actual = new Map(
      numbers("0-255").map((number) => [number, phase && dispositionOf(serverPhases, phase, number)]),
    );
    expect(actual).toEqual(wanted);
  });
});

describe("dispositionOf", () => {
  it("forbids what is no message number", () => {
    for (const number of [-1, 256, 1.5, Number.NaN])
      expect(dispositionOf(serverPhases, "running", number)).toBe("forbidden");
  });

  it("lets authentication messages reach a handler in no phase but one", () => {
    const phases = (Object.keys(expected) as Phase[]).filter((phase) =>
      numbers("50-79").some((number) => dispositionOf(serverPhases, phase, number) === "allowed"),
    );
    expect(phases).toEqual(["authentication"]);
  });

  it("lets connection messages reach a handler only after authentication", () => {
    const phases = (Object.keys(expected) as Phase[]).filter((phase) =>
      numbers("80-127").some((number) => dispositionOf(serverPhases, phase, number) === "allowed"),
    );
    expect(phases).toEqual(["running", "rekeying"]);
  });
});

import { describe, expect, it } from "vitest";
import { clientPhases } from "../../src/transport/client-phases.js";
import { type Disposition, dispositionOf, type Phase } from "../../src/transport/phases.js";
import { serverPhases } from "../../src/transport/server-phases.js";

type Expected = Readonly<
  Record<Phase, { readonly allowed: string; readonly forbidden: string; readonly ignored?: string }>
>;

/**
 * What may come from a client, and when, written down from the RFCs: RFC 4253 §7.1 and §11, RFC 4252 §5 and §6,
 * RFC 4254 §9, RFC 4256 §5, RFC 8308 §2.4, OpenSSH PROTOCOL §1.9 and §1.10. Message numbers, with what is not named
 * answered UNIMPLEMENTED.
 */
const fromClients: Expected = {
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
    allowed: "1-4 20 80-82 90-100 192",
    // RFC 4252 §5.1, and answers on their way when the server came to its result without them.
    ignored: "50 61 193",
    // 5 is answered UNIMPLEMENTED.
    forbidden: "6-8 21 30-49 51-53 60",
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

/** The same of what may come from a server. */
const fromServers: Expected = {
  "initial-key-exchange": fromClients["initial-key-exchange"],
  "strict-initial-key-exchange": fromClients["strict-initial-key-exchange"],
  service: {
    allowed: "1-4 6-7 20 192",
    forbidden: "5 8 21 30-53 60-61 80-82 90-100 193",
  },
  authentication: {
    allowed: "1-4 7 20 51-53 60 192",
    forbidden: "5-6 8 21 30-50 61 80-82 90-100 193",
  },
  running: {
    allowed: "1-4 20 80-82 90-100 192",
    ignored: "193",
    forbidden: "5-8 21 30-53 60-61",
  },
  rekeying: fromClients["rekeying-unauthenticated"],
  "rekeying-unauthenticated": fromClients["rekeying-unauthenticated"],
};

function numbers(ranges: string): number[] {
  return ranges.split(" ").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

const PHASES: readonly Phase[] = [
  "initial-key-exchange",
  "strict-initial-key-exchange",
  "service",
  "authentication",
  "running",
  "rekeying",
  "rekeying-unauthenticated",
];

describe.each([
  { peer: "client", table: serverPhases, expected: fromClients, running: ["running", "rekeying"] },
  { peer: "server", table: clientPhases, expected: fromServers, running: ["running"] },
])("what a $peer sends", ({ table, expected, running }) => {
  it.each(PHASES)("is disposed of in phase %s as the RFCs have it", (phase) => {
    const { allowed, forbidden, ignored } = expected[phase];
    const wanted = new Map<number, Disposition>();
    for (const number of numbers("0-255")) wanted.set(number, "unimplemented");
    for (const number of numbers(allowed)) wanted.set(number, "allowed");
    for (const number of numbers(forbidden)) wanted.set(number, "forbidden");
    for (const number of ignored === undefined ? [] : numbers(ignored)) wanted.set(number, "ignored");
    const actual = new Map(numbers("0-255").map((number) => [number, dispositionOf(table, phase, number)]));
    expect(actual).toEqual(wanted);
  });

  it("is forbidden where it is not a message number", () => {
    for (const number of [-1, 256, 1.5, Number.NaN]) expect(dispositionOf(table, "running", number)).toBe("forbidden");
  });

  const phasesOf = (range: string) =>
    PHASES.filter((phase) => numbers(range).some((number) => dispositionOf(table, phase, number) === "allowed"));

  it("about authentication reaches a handler in no phase but one", () => {
    expect(phasesOf("50-79")).toEqual(["authentication"]);
  });

  it("about channels reaches a handler only after authentication", () => {
    expect(phasesOf("80-127")).toEqual(running);
  });
});

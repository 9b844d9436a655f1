import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Admission } from "../../../src/server/admission/admission.js";
import { type AdmissionOptions, resolveAdmission } from "../../../src/server/admission/options.js";
import { Ticket } from "../../../src/server/admission/ticket.js";

/** An admission whose time and chance are set by the test. */
function admissionOf(options: AdmissionOptions) {
  const nature = { time: 0, chance: 99, now: () => nature.time, draw: () => nature.chance };
  return { admission: new Admission(resolveAdmission(options), nature), nature };
}

function enter(admission: Admission, address?: string): Ticket {
  const ticket = admission.enter(address);
  if (!(ticket instanceof Ticket)) throw new Error(`refused: ${ticket}`);
  return ticket;
}

describe("who may connect", () => {
  const { admission } = admissionOf({
    allowFrom: ["192.0.2.0/24", "2001:db8::/32", "127.0.0.1"],
    denyFrom: "192.0.2.128/25,2001:db8:bad::/48",
  });

  it.each([
    ["192.0.2.1", undefined],
    ["::ffff:192.0.2.1", undefined],
    ["::ffff:c000:0201", undefined],
    ["192.0.2.128", "denyFrom"],
    ["::ffff:192.0.2.200", "denyFrom"],
    ["198.51.100.1", "allowFrom"],
    ["2001:db8::1", undefined],
    ["2001:DB8:0::1", undefined],
    ["2001:db8:bad::1", "denyFrom"],
    ["2001:db9::1", "allowFrom"],
    ["::1", "allowFrom"],
    ["fe80::1%eth0", "allowFrom"],
    ["not an address", "allowFrom"],
    [undefined, "allowFrom"],
  ])("%s: %s", (address, reason) => {
    expect(admission.objection(address)).toBe(reason);
  });

  it("is everybody where nothing is said", () => {
    const { admission } = admissionOf({});
    for (const address of ["192.0.2.1", "2001:db8::1", undefined]) expect(admission.objection(address)).toBeUndefined();
  });
});

describe("connections without a login", () => {
  it("are dropped at random between start and full, and all at full", () => {
    const { admission, nature } = admissionOf({ maxStartups: { start: 2, rate: 50, full: 4 } });
    nature.chance = 0;
    const first = enter(admission);
    enter(admission);
    expect(admission.enter(undefined)).toBe("maxStartups");
    nature.chance = 99;
    enter(admission);
    enter(admission);
    expect(admission.enter(undefined)).toBe("maxStartups");
    expect(first.logIn("somebody")).toBe(true);
    expect(admission.startups).toBe(3);
    enter(admission);
  });

  it("have no limit where it is off", () => {
    const { admission } = admissionOf({ maxStartups: false, perSourceMaxStartups: false });
    for (let count = 0; count < 5000; count++) enter(admission, "192.0.2.1");
    expect(admission.startups).toBe(5000);
  });

  it("of one source are limited, of others not", () => {
    const { admission } = admissionOf({ perSourceMaxStartups: 2 });
    const [first] = [enter(admission, "192.0.2.1"), enter(admission, "::ffff:192.0.2.1")];
    expect(admission.enter("192.0.2.1")).toBe("perSourceMaxStartups");
    enter(admission, "192.0.2.2");
    first.logIn("somebody");
    enter(admission, "192.0.2.1");
    expect(admission.enter("192.0.2.1")).toBe("perSourceMaxStartups");
  });

  it.each([
    [{}, "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"],
    [{ ipv6: 48 }, "2001:db8:0:1::1", "2001:db8:0:ffff::2", "2001:db8:1::1"],
    [{ ipv6: 128 }, "2001:db8::1", "2001:db8::1", "2001:db8::2"],
    [{ ipv4: 24 }, "192.0.2.1", "192.0.2.255", "192.0.3.1"],
    [{ ipv4: 0 }, "192.0.2.1", "198.51.100.1", "2001:db8::1"],
  ])("count by block %j: %s is the source of %s, but not of %s", (perSourceNetBlockSize, one, same, other) => {
    const { admission } = admissionOf({ perSourceMaxStartups: 1, perSourceNetBlockSize });
    enter(admission, one);
    expect(admission.enter(same)).toBe("perSourceMaxStartups");
    enter(admission, other);
  });

  it("of streams without an address have no source", () => {
    const { admission } = admissionOf({ perSourceMaxStartups: 1 });
    enter(admission);
    enter(admission);
    expect(admission.startups).toBe(2);
  });
});

describe("all connections", () => {
  it("of one source are limited, logged in or not", () => {
    const { admission } = admissionOf({ perSourceMaxConnections: 2 });
    const first = enter(admission, "192.0.2.1");
    first.logIn("somebody");
    enter(admission, "192.0.2.1");
    expect(admission.enter("192.0.2.1")).toBe("perSourceMaxConnections");
    first.release();
    enter(admission, "192.0.2.1");
  });

  it("of one user are limited", () => {
    const { admission } = admissionOf({ maxConnectionsPerUser: 1 });
    const [first, second, other] = [enter(admission), enter(admission), enter(admission)];
    expect([first.logIn("alice"), second.logIn("alice"), other.logIn("bob")]).toEqual([true, false, true]);
    expect(admission.startups).toBe(1);
    second.release();
    first.release();
    expect(enter(admission).logIn("alice")).toBe(true);
  });

  const step = fc.record({
    action: fc.constantFrom("enter", "logIn", "release"),
    which: fc.nat(),
    address: fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8::1", undefined),
  });

  it("leave nothing behind, in whatever order they come, log in and go", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const { admission } = admissionOf({ maxStartups: 8, perSourceMaxStartups: 3, maxConnectionsPerUser: 2 });
        const tickets: Ticket[] = [];
        for (const { action, which, address } of steps) {
          const ticket = tickets[which % Math.max(1, tickets.length)];
          const entered = action === "enter" ? admission.enter(address) : undefined;
          if (entered instanceof Ticket) tickets.push(entered);
          else if (action === "logIn") ticket?.logIn(`user${which % 3}`);
          else if (action === "release") ticket?.release();
          expect(admission.startups).toBeGreaterThanOrEqual(0);
          expect(admission.startups).toBeLessThanOrEqual(8);
        }
        for (const ticket of tickets) ticket.release();
        expect(admission.startups).toBe(0);
        for (const address of ["192.0.2.1", "192.0.2.2"]) {
          const again = [enter(admission, address), enter(admission, address), enter(admission, address)];
          expect(admission.enter(address)).toBe("perSourceMaxStartups");
          expect(again.map((ticket) => ticket.logIn(address))).toEqual([true, true, false]);
        }
      }),
    );
  });
});

describe("penalties", () => {
  it("refuse the source, and after their time no more", () => {
    const { admission, nature } = admissionOf({});
    for (let count = 0; count < 4; count++) admission.penalise("192.0.2.1", "authFail");
    expect(admission.objection("192.0.2.1")).toBe("perSourcePenalties");
    expect(admission.objection("::ffff:192.0.2.1")).toBe("perSourcePenalties");
    expect(admission.objection("192.0.2.2")).toBeUndefined();
    expect(admission.penalisedSources).toBe(1);
    nature.time = 20_000;
    expect(admission.objection("192.0.2.1")).toBeUndefined();
  });

  it("refuse the whole network of an IPv6 address, by which its owner could change it", () => {
    const { admission } = admissionOf({});
    for (const host of ["1", "2", "3", "5"]) admission.penalise(`2001:db8::${host}`, "authFail");
    expect(admission.objection("2001:db8::4")).toBe("perSourcePenalties");
    expect(admission.objection("2001:db8:0:1::4")).toBeUndefined();
  });

  it("do not concern loopback unless told so, nor those on the list, nor proxies, nor streams without address", () => {
    const { admission } = admissionOf({ proxyProtocol: { from: "198.51.100.7" } });
    for (const address of ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "198.51.100.7", undefined]) {
      expect(admission.penalise(address, "crash")).toBeUndefined();
      expect(admission.objection(address)).toBeUndefined();
    }
    const listed = admissionOf({ perSourcePenaltyExemptList: ["192.0.2.0/24"] }).admission;
    expect(listed.penalise("192.0.2.77", "crash")).toBeUndefined();
    expect(listed.penalise("127.0.0.1", "crash")).toEqual({ seconds: 90, enforced: true });
    expect(listed.objection("127.0.0.1")).toBe("perSourcePenalties");
  });

  it("can be off", () => {
    const { admission } = admissionOf({ perSourcePenalties: false });
    expect(admission.penalise("192.0.2.1", "crash")).toBeUndefined();
    expect([admission.objection("192.0.2.1"), admission.penalisedSources]).toEqual([undefined, 0]);
  });

  it("overflow for each family of its own: those of the other, and the exempt, are let in", () => {
    const { admission } = admissionOf({
      perSourcePenalties: { maxSources4: 1, overflow: "deny-all", overflow6: "permissive" },
      perSourcePenaltyExemptList: "203.0.113.1",
    });
    admission.penalise("192.0.2.1", "noAuth");
    expect(admission.objection("192.0.2.2")).toBe("perSourcePenalties");
    expect(admission.objection("203.0.113.1")).toBeUndefined();
    expect(admission.objection("2001:db8::1")).toBeUndefined();
  });
});

describe("places", () => {
  it.each<[AdmissionOptions, readonly boolean[]]>([
    [{ maxStartups: { start: 8, full: 100 } }, [false, false, true]],
    [{ perSourceMaxStartups: 8 }, [false, false, true]],
    [{ perSourceMaxConnections: 4 }, [false, true, true]],
    [{ perSourceMaxConnections: 3 }, [true]],
    [{ maxConnectionsPerUser: 100 }, [true]],
    [{ maxStartups: false, perSourceMaxStartups: false }, Array.from({ length: 200 }, () => false)],
  ])("are scarce when more than a quarter of a limit is used up: %o", (options, expected) => {
    const { admission } = admissionOf(options);
    expect(expected.map(() => enter(admission, "192.0.2.1").isScarce)).toEqual(expected);
  });
});

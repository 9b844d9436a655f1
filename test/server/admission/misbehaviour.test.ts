import { describe, expect, it } from "vitest";
import { Misbehaviour } from "../../../src/server/admission/misbehaviour.js";
import type { PenaltyCause } from "../../../src/server/admission/penalties.js";

const TIMES = { crash: 90, authFail: 5, invalidUser: 5, noAuth: 1, graceExceeded: 10, refuseConnection: 10 };

function create(times: Partial<typeof TIMES> = {}) {
  const penalties: PenaltyCause[] = [];
  const misbehaviour = new Misbehaviour({ ...TIMES, ...times }, (cause) => penalties.push(cause));
  return { misbehaviour, penalties };
}

describe("misbehaviour", () => {
  it.each<[noted: PenaltyCause[], times: Partial<typeof TIMES>, expected: PenaltyCause]>([
    [[], {}, "noAuth"],
    [["authFail"], {}, "authFail"],
    [["authFail"], { authFail: 0 }, "authFail"],
    [["invalidUser", "authFail"], {}, "invalidUser"],
    [["invalidUser", "authFail"], { authFail: 6 }, "authFail"],
    [["authFail", "graceExceeded"], {}, "graceExceeded"],
    [["authFail", "graceExceeded"], { authFail: 60 }, "authFail"],
  ])("%j with %j counts as its longest penalty", (noted, times, expected) => {
    const { misbehaviour, penalties } = create(times);
    for (const cause of noted) misbehaviour.note(cause);
    misbehaviour.clientEnded();
    expect(penalties).toEqual([expected]);
  });

  it("counts once, also when the connection is ended again while it is told", () => {
    const penalties: PenaltyCause[] = [];
    const misbehaviour = new Misbehaviour(TIMES, (cause) => {
      penalties.push(cause);
      misbehaviour.clientEnded();
      misbehaviour.penalise("crash");
    });
    misbehaviour.penalise("refuseConnection");
    misbehaviour.clientEnded();
    expect(penalties).toEqual(["refuseConnection"]);
  });

  it("is not to have made no attempt before the server ended the connection", () => {
    const { misbehaviour, penalties } = create();
    misbehaviour.serverEnded();
    expect(penalties).toEqual([]);
    misbehaviour.note("authFail");
    misbehaviour.serverEnded();
    expect(penalties).toEqual(["authFail"]);
  });

  it("is forgiven for good when the user has logged in", () => {
    const { misbehaviour, penalties } = create();
    misbehaviour.note("authFail");
    misbehaviour.forgive();
    misbehaviour.note("graceExceeded");
    misbehaviour.clientEnded();
    misbehaviour.serverEnded();
    misbehaviour.penalise("crash");
    expect(penalties).toEqual([]);
  });
});

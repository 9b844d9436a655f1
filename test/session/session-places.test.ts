import { beforeEach, describe, expect, it } from "vitest";
import {
  OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
  OPEN_FAILED_RESOURCE_SHORTAGE,
  OPEN_SUCCEEDED,
} from "../../src/protocol/constants.js";
import { SessionPlaces } from "../../src/session/session-places.js";
import { openTestChannel } from "../connection/test-channel.js";
import { authorityOf } from "./test-authority.js";

const NO_FIELDS = Buffer.alloc(0);
const { channel: session } = openTestChannel();

const refused: string[] = [];
beforeEach(() => {
  refused.length = 0;
});

describe("sessions of one connection", () => {
  it("are counted while they are decided on, refused, open and closed", async () => {
    let decide: (decision: number) => void = () => {};
    const asked: string[] = [];
    const authority = new SessionPlaces(1, (reason) => refused.push(reason)).guard(
      authorityOf((kind) => {
        asked.push(kind);
        return new Promise((resolve) => {
          decide = resolve;
        });
      }),
    );
    const first = authority.decideOpen("session", 0, NO_FIELDS);
    expect(authority.decideOpen("session", 1, NO_FIELDS)).toBe(OPEN_FAILED_RESOURCE_SHORTAGE);
    expect(asked).toEqual(["session"]);
    void authority.decideOpen("direct-tcpip", 2, NO_FIELDS);
    expect(asked).toEqual(["session", "direct-tcpip"]);
    const other = authority.decideOpen("session", 1, NO_FIELDS);
    expect(other).toBe(OPEN_FAILED_RESOURCE_SHORTAGE);
    expect(refused).toEqual(["too many sessions", "too many sessions"]);
    expect(first).toBeInstanceOf(Promise);
    decide(OPEN_SUCCEEDED);
  });

  it.each<[what: string, open: () => unknown]>([
    ["refuses", () => 1],
    ["refuses later", async () => 1],
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    [
      "rejects",
      async () => {
        throw new Error("broken");
      },
    ],
  ])("are not used up by a hook that %s", async (_, open) => {
    const authority = new SessionPlaces(1, (reason) => refused.push(reason)).guard(authorityOf(open));
    for (let count = 0; count < 3; count++) {
      let decision: unknown;
      try {
        decision = await authority.decideOpen("session", count, NO_FIELDS);
      } catch (error) {
        expect(error).toEqual(new Error("broken"));
      }
      expect(decision).not.toBe(OPEN_FAILED_RESOURCE_SHORTAGE);
    }
  });

  it("are given back when they are closed", () => {
    const authority = new SessionPlaces(1, (reason) => refused.push(reason)).guard(authorityOf(() => OPEN_SUCCEEDED));
    expect(authority.decideOpen("session", 0, NO_FIELDS)).toBe(OPEN_SUCCEEDED);
    authority.channelClosed(openTestChannel({ kind: "direct-tcpip" }).channel);
    expect(authority.decideOpen("session", 1, NO_FIELDS)).toBe(OPEN_FAILED_RESOURCE_SHORTAGE);
    authority.channelClosed(session);
    expect(authority.decideOpen("session", 1, NO_FIELDS)).toBe(OPEN_SUCCEEDED);
  });

  it("are refused, and only they, after no-more-sessions, even if that has to wait for its turn", () => {
    const authority = new SessionPlaces(1, (reason) => refused.push(reason)).guard(authorityOf(() => OPEN_SUCCEEDED));
    authority.globalRequestReceived("no-more-sessions@openssh.com");
    expect(authority.decideOpen("session", 0, NO_FIELDS)).toBe(OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED);
    expect(authority.decideOpen("direct-tcpip", 1, NO_FIELDS)).toBe(OPEN_SUCCEEDED);
  });
});

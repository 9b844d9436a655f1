import { describe, expect, it } from "vitest";
import { Grant } from "../../src/auth/grant.js";
import { AUTH_PARTIAL, AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";
import { noneRequest, passwordRequest } from "../support/packet-messages.js";
import { FakeLink } from "./fake-link.js";

const dataOf = ({ identities }: FakeLink) => identities.map(({ data }) => data);

describe("Authentication: the data of a user", () => {
  it("are the very ones of the grant", async () => {
    const data = { home: "/home/ann" };
    const link = new FakeLink({ password: () => new Grant({ data }) });
    await link.send(passwordRequest("ann", "1"));
    expect(link.identities[0]?.data).toBe(data);
    expect(Object.isFrozen(data)).toBe(false);
  });

  it("are undefined where no grant has any", async () => {
    const link = new FakeLink({ password: () => AUTH_SUCCESSFUL });
    await link.send(passwordRequest("ann", "1"));
    expect(dataOf(link)).toEqual([undefined]);
  });

  it.each([
    ["the last ones of several factors", new Grant({ data: "last" }), "last"],
    ["those of an earlier factor where the last has none", AUTH_SUCCESSFUL, "first"],
    ["also where they are false", new Grant({ data: 0 }), 0],
  ])("are %s", async (_, last, data) => {
    const link = new FakeLink({
      none: () => new Grant({ result: AUTH_PARTIAL, data: "first" }),
      password: () => last,
    });
    await link.send(noneRequest("ann"));
    await link.send(passwordRequest("ann", "1"));
    expect(dataOf(link)).toEqual([data]);
  });

  it("are not those of another user, who has proven something before", async () => {
    const link = new FakeLink({
      none: (username) => new Grant({ result: AUTH_PARTIAL, data: username }),
      password: () => AUTH_SUCCESSFUL,
    });
    await link.send(noneRequest("eve"));
    await link.send(passwordRequest("ann", "1"));
    expect(dataOf(link)).toEqual([undefined]);
  });
});

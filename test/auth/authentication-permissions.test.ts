import { describe, expect, it, vi } from "vitest";
import { Grant } from "../../src/auth/grant.js";
import { ALL_PERMISSIONS } from "../../src/auth/permissions.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import { AUTH_PARTIAL, AUTH_SUCCESSFUL, DisconnectReason } from "../../src/protocol/constants.js";
import {
  noneRequest,
  passwordRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
  readUserauthFailure,
} from "../support/packet-messages.js";
import { BINDING, FakeLink } from "./fake-link.js";
import type { Hooks } from "./test-authenticator.js";

const key = PKey.generate({ keyType: "ed25519" });
const keyRequest = (username: string) => ({ username, algorithm: "ssh-ed25519", publicBlob: key.publicBlob });
const keyQuery = (username: string) => publickeyQuery(keyRequest(username));
const keyProof = (username: string) => {
  const request = keyRequest(username);
  return publickeyProof(request, key.sign(publickeySignedData(BINDING.sessionId, request)));
};
const failuresOf = (payloads: readonly Buffer[]) => payloads.map(readUserauthFailure);

describe("Authentication: methods that are required together", () => {
  const hooks = (lists: unknown): Hooks => ({
    requiredMethods: () => lists,
    password: () => AUTH_SUCCESSFUL,
    publicKey: () => AUTH_SUCCESSFUL,
    none: () => AUTH_SUCCESSFUL,
  });

  it("lets nobody in before a list is whole, whatever the hooks say", async () => {
    const link = new FakeLink(hooks([["publickey", "password"]]));
    expect(failuresOf(await link.send(passwordRequest("alice", "1")))).toEqual([
      { methods: ["publickey"], partialSuccess: false },
    ]);
    expect(failuresOf(await link.send(keyProof("alice")))).toEqual([{ methods: ["password"], partialSuccess: true }]);
    expect(link.identities).toEqual([]);
    await link.send(passwordRequest("alice", "1"));
    expect(link.identities.map(({ methods }) => methods)).toEqual([["publickey", "password"]]);
  });

  it("does not take no proof for one", async () => {
    const link = new FakeLink(hooks([["password"]]));
    expect(failuresOf(await link.send(noneRequest("alice")))).toEqual([
      { methods: ["password"], partialSuccess: false },
    ]);
    expect([link.identities, link.authenticator.calls]).toEqual([[], []]);
  });

  it.each([
    [
      "throws",
      {
        requiredMethods: () => {
          throw new Error("no database");
        },
      },
    ],
    ["names none", { requiredMethods: () => [] }],
    ["names none that is allowed", { requiredMethods: () => [["hostbased"]] }],
  ])("refuses everything for a hook that %s", async (_, broken) => {
    const link = new FakeLink({ ...hooks(undefined), ...broken });
    await link.send(passwordRequest("alice", "1"));
    expect([link.identities, link.authenticator.calls]).toEqual([[], []]);
    expect(link.failures).toMatchObject([{ reason: DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE }]);
  });

  it("begins anew with another user", async () => {
    const link = new FakeLink(hooks([["publickey", "password"]]));
    await link.send(keyProof("alice"));
    expect(failuresOf(await link.send(passwordRequest("bob", "1")))).toEqual([
      { methods: ["publickey"], partialSuccess: false },
    ]);
    expect(link.identities).toEqual([]);
  });
});

describe("Authentication: permissions", () => {
  it("are what all proofs permit together", async () => {
    const link = new FakeLink({
      publicKey: () => new Grant({ result: AUTH_PARTIAL, permissions: { pty: false, forceCommand: "date" } }),
      password: () => new Grant({ permissions: { x11Forwarding: false } }),
    });
    await link.send(keyProof("alice"), passwordRequest("alice", "1"));
    expect(link.identities[0]?.permissions).toEqual({
      ...ALL_PERMISSIONS,
      pty: false,
      x11Forwarding: false,
      forceCommand: "date",
    });
  });

  it("are never more than the server gives to the user", async () => {
    const asked = vi.fn(() => ({ ...ALL_PERMISSIONS, agentForwarding: false, pty: false }));
    const link = new FakeLink({
      permissions: asked,
      publicKey: () => new Grant({ result: AUTH_PARTIAL, permissions: { x11Forwarding: false } }),
      password: () => AUTH_SUCCESSFUL,
    });
    await link.send(keyProof("alice"), passwordRequest("alice", "1"));
    expect(link.identities[0]?.permissions).toEqual({
      ...ALL_PERMISSIONS,
      agentForwarding: false,
      pty: false,
      x11Forwarding: false,
    });
    expect(asked).toHaveBeenCalledExactlyOnceWith("alice");
  });

  it("that cannot be found out let nobody in", async () => {
    const link = new FakeLink({
      permissions: () => Promise.reject(new Error("no database")),
      password: () => AUTH_SUCCESSFUL,
    });
    await link.send(passwordRequest("alice", "1"));
    expect([link.identities, link.failures]).toEqual([[], [new Error("no database")]]);
  });

  it("of another user do not count", async () => {
    const link = new FakeLink({
      publicKey: () => new Grant({ result: AUTH_PARTIAL, permissions: { pty: false } }),
      password: () => AUTH_SUCCESSFUL,
    });
    await link.send(keyProof("alice"), passwordRequest("bob", "1"));
    expect(link.identities[0]?.permissions.pty).toBe(true);
  });

  it("that contradict each other refuse the second proof", async () => {
    const link = new FakeLink({
      publicKey: () => new Grant({ result: AUTH_PARTIAL, permissions: { forceCommand: "date" } }),
      password: () => new Grant({ permissions: { forceCommand: "id" } }),
    });
    await link.send(keyProof("alice"), passwordRequest("alice", "1"));
    expect([link.identities, link.refusals.map(({ reason }) => reason)]).toEqual([
      [],
      ["two factors force different commands"],
    ]);
    expect(link.authenticator.provenMethods.at(-1)).toEqual(["publickey"]);
  });
});

describe("Authentication: revoked keys", () => {
  it.each([
    ["true", () => true],
    ["undefined", () => undefined],
    ["a rejection", () => Promise.reject(new Error("no list"))],
    ["0", () => 0],
  ])("are refused without asking the hook: %s", async (_, isRevoked) => {
    const link = new FakeLink({ isRevoked, publicKey: () => AUTH_SUCCESSFUL });
    await link.send(keyProof("alice"), keyQuery("alice"));
    expect([link.identities, link.authenticator.calls, link.refusals.length]).toEqual([[], [], 2]);
  });
});

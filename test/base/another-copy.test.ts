import { beforeAll, describe, expect, it, vi } from "vitest";
import { bindAuthenticator } from "../../src/server/authentication-hooks.js";
import { fakeConnection } from "../connection/fake-connection.js";

/** As npm lays two versions into one tree. */
describe("of two copies of the library", () => {
  const REMEDY = "is of another copy of spindlex: `npm ls spindlex` tells where they are";
  const load = async () => ({
    ...(await import("../../src/index.js")),
    ...(await import("../../src/crypto/index.js")),
    ...(await import("../../src/connection/channel.js")),
    ...(await import("../../src/session/session.js")),
  });
  type Library = Awaited<ReturnType<typeof load>>;
  let one: Library;
  let other: Library;
  beforeAll(async () => {
    one = await load();
    vi.resetModules();
    other = await load();
  });

  it("one says that a decision is of the other", async () => {
    const { Grant } = other;
    const server = new one.SSHServer();
    server.checkAuthPassword = async () => new Grant() as never;
    server.checkAuthNone = () => one.anyOf(() => new Grant() as never)();
    const progress = { proven: vi.fn(), identified: vi.fn() };
    const authenticator = bindAuthenticator(server, fakeConnection(), progress, vi.fn());
    await expect(authenticator.password("ann", "secret")).rejects.toMatchObject({
      cause: new TypeError(`the answer of checkAuthPassword is a Grant, and ${REMEDY}`),
    });
    await expect(authenticator.none("ann")).rejects.toMatchObject({
      cause: new TypeError(`1 of 1 hooks gave something that is not a decision: a Grant ${REMEDY}`),
    });
  });

  it("one takes no key of the other for what has to be one of its own", () => {
    const key = other.PKey.generate({ keyType: "ed25519" });
    const own = one.PKey.generate({ keyType: "ed25519" });
    expect(() => new one.Grant({ authority: key as never })).toThrow(`authority: ${REMEDY}`);
    expect(() => one.trustedUserCAs([key as never])).toThrow(REMEDY);
    expect(() => own.signCertificate({ publicKey: key as never } as never)).toThrow(`publicKey: ${REMEDY}`);
  });

  it("one cannot look into a session or a channel of the other, and says so", () => {
    const session = Object.create(one.Session.prototype);
    const channel = Object.create(one.Channel.prototype);
    expect(() => other.tellOf(session)).toThrow(`the session ${REMEDY}`);
    expect(() => other.portOf(channel)).toThrow(`the channel ${REMEDY}`);
  });
});

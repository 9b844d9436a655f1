import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { MaybePromise } from "../../src/base/maybe-promise.js";
import { PKey } from "../../src/crypto/index.js";
import { type AuthDecision, type Connection, Grant } from "../../src/index.js";
import {
  AUTH_FAILED,
  AUTH_PARTIAL,
  AUTH_SUCCESSFUL,
  DisconnectReason,
  MessageNumber,
} from "../../src/protocol/constants.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  type PublickeyRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
  readUserauthFailure,
} from "../support/packet-messages.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { Attacked, type ManagerOptions, TargetServer, USERNAME } from "./attacked-server.js";
import { Deferred } from "./deferred.js";

const { USERAUTH_FAILURE, USERAUTH_PK_OK, USERAUTH_SUCCESS } = MessageNumber;

const key = PKey.generate({ keyType: "ed25519" });
const other = PKey.generate({ keyType: "ed25519" });
const authority = PKey.generate({ keyType: "ed25519" });
const certificate = authority.signCertificate({
  publicKey: key.publicKey,
  type: "user",
  keyId: "test",
  principals: ["alice"],
});
const rsa = RSA_KEY;

type Decide = (username: string, key: PKey, connection: Connection, algorithm: string) => MaybePromise<AuthDecision>;

/** A server whose answers about keys a test makes, and may change on the way. */
class AnsweringServer extends TargetServer {
  decide: Decide = () => AUTH_SUCCESSFUL;
  revoked: () => boolean = () => false;

  /** Keys alone, as often as needed; the bystander has a password. */
  override getAllowedAuths(username?: string): string[] {
    return username === USERNAME ? ["password"] : ["publickey"];
  }

  override checkAuthPublickey(...parameters: Parameters<Decide>) {
    return this.decide(...parameters);
  }

  override checkKeyRevoked(): boolean {
    return this.revoked();
  }
}

class Attack {
  readonly attacked: Attacked<AnsweringServer>;
  readonly client: PacketClient;

  private constructor(attacked: Attacked<AnsweringServer>, client: PacketClient) {
    this.attacked = attacked;
    this.client = client;
  }

  static async start(decide: Decide, options: Partial<ManagerOptions> = {}): Promise<Attack> {
    const server = new AnsweringServer();
    server.decide = decide;
    const attacked = await Attacked.start(server, options);
    const client = await attacked.authenticating();
    attacked.forgetCalls();
    return new Attack(attacked, client);
  }

  get server(): AnsweringServer {
    return this.attacked.server;
  }

  /** For whom and what `checkAuthPublickey` was asked. */
  get asked(): string[] {
    const calls = this.attacked.calls.filter(({ name }) => name === "checkAuthPublickey");
    return calls.map(({ parameters: [username, , , algorithm] }) => `${username} ${algorithm}`);
  }

  offer(change: Partial<PublickeyRequest> = {}): Promise<number | undefined> {
    return this.#send(publickeyQuery(requestOf(change)));
  }

  /** A signature by `signer`, which need not have the key of the request. */
  prove(change: Partial<PublickeyRequest> = {}, signer = key): Promise<number | undefined> {
    return this.#send(this.proof(change, signer));
  }

  proof(change: Partial<PublickeyRequest> = {}, signer = key): Buffer {
    const request = requestOf(change);
    const plain = request.algorithm.replace("-cert-v01@openssh.com", "");
    return publickeyProof(request, signer.sign(publickeySignedData(this.client.sessionId, request), plain));
  }

  async end(): Promise<void> {
    await this.client.close();
    await this.attacked.expectUnharmed();
  }

  async #send(request: Buffer): Promise<number | undefined> {
    return (await this.client.authenticate(request))[0];
  }
}

function requestOf(change: Partial<PublickeyRequest>): PublickeyRequest {
  return { username: "alice", algorithm: "ssh-ed25519", publicBlob: key.publicBlob, ...change };
}

/** From now on the clock by which answers are kept is so many milliseconds ahead. */
function passTime(milliseconds: number): void {
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + milliseconds);
  onTestFinished(() => clock.mockRestore());
}

describe("an answer about a key that was offered", () => {
  it("counts for its signature, of which it says nothing", async () => {
    const attack = await Attack.start(() => AUTH_SUCCESSFUL);
    expect(await attack.offer()).toBe(USERAUTH_PK_OK);
    expect(await attack.prove({}, other)).toBe(USERAUTH_FAILURE);
    expect(await attack.prove()).toBe(USERAUTH_SUCCESS);
    expect(attack.asked).toEqual(["alice ssh-ed25519"]);
    await attack.end();
  });

  it("refuses its signature, too", async () => {
    const attack = await Attack.start(() => AUTH_FAILED, { maxAuthTries: 3 });
    expect(await attack.offer()).toBe(USERAUTH_FAILURE);
    expect(await attack.prove()).toBe(USERAUTH_FAILURE);
    attack.client.sendPacket(attack.proof());
    expect((await attack.client.waitDisconnect()).reason).toBe(DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE);
    expect(attack.asked).toEqual(["alice ssh-ed25519"]);
    await attack.end();
  });

  it("does not count for another key", async () => {
    const attack = await Attack.start((_username, offered) => (offered.equals(key) ? AUTH_SUCCESSFUL : AUTH_FAILED));
    expect(await attack.offer()).toBe(USERAUTH_PK_OK);
    expect(await attack.prove({ publicBlob: other.publicBlob }, other)).toBe(USERAUTH_FAILURE);
    expect(attack.asked).toHaveLength(2);
    await attack.end();
  });

  it("does not count for another algorithm", async () => {
    const attack = await Attack.start((...[, , , name]) => (name === "rsa-sha2-512" ? AUTH_SUCCESSFUL : AUTH_FAILED));
    const request = { publicBlob: rsa.publicBlob, algorithm: "rsa-sha2-512" };
    expect(await attack.offer(request)).toBe(USERAUTH_PK_OK);
    expect(await attack.prove({ ...request, algorithm: "rsa-sha2-256" }, rsa)).toBe(USERAUTH_FAILURE);
    expect(attack.asked).toEqual(["alice rsa-sha2-512", "alice rsa-sha2-256"]);
    expect(await attack.prove(request, rsa)).toBe(USERAUTH_SUCCESS);
    await attack.end();
  });

  it.each([
    ["of the plain key does not count for its certificate", "plain", AUTH_SUCCESSFUL],
    ["of a certificate does not count for its plain key", "certified", new Grant({ authority })],
  ] as const)("%s", async (_, which, good) => {
    const isMeant = ({ certificate: found }: PKey) => (found === undefined) === (which === "plain");
    const attack = await Attack.start((_username, offered) => (isMeant(offered) ? good : AUTH_FAILED));
    const plain = {};
    const certified = { publicBlob: certificate.publicBlob, algorithm: "ssh-ed25519-cert-v01@openssh.com" };
    const [first, second] = which === "plain" ? [plain, certified] : [certified, plain];
    expect(await attack.offer(first)).toBe(USERAUTH_PK_OK);
    expect(await attack.prove(second)).toBe(USERAUTH_FAILURE);
    expect(attack.asked).toHaveLength(2);
    await attack.end();
  });

  it("does not count for another user, nor for the same after another", async () => {
    const attack = await Attack.start((username) => (username === "alice" ? AUTH_SUCCESSFUL : AUTH_FAILED));
    expect(await attack.offer()).toBe(USERAUTH_PK_OK);
    expect(await attack.prove({ username: "bob" })).toBe(USERAUTH_FAILURE);
    attack.server.decide = () => AUTH_FAILED;
    expect(await attack.prove()).toBe(USERAUTH_FAILURE);
    expect(attack.asked).toEqual(["alice ssh-ed25519", "bob ssh-ed25519", "alice ssh-ed25519"]);
    await attack.end();
  });

  it("does not count after a partial success: the hook may look at what was proven", async () => {
    const attack = await Attack.start((_username, _offered, { provenMethods }) =>
      provenMethods.length === 0 ? AUTH_PARTIAL : AUTH_FAILED,
    );
    const second = { publicBlob: other.publicBlob };
    expect(await attack.offer(second)).toBe(USERAUTH_PK_OK);
    const partial = await attack.client.authenticate(attack.proof());
    expect(readUserauthFailure(partial).partialSuccess).toBe(true);
    expect(await attack.prove(second, other)).toBe(USERAUTH_FAILURE);
    expect(attack.asked).toHaveLength(3);
    await attack.end();
  });

  it("is not kept where the hook has failed", async () => {
    const attack = await Attack.start(() => {
      throw new Error("no database");
    });
    expect(await attack.offer()).toBe(USERAUTH_FAILURE);
    attack.server.decide = () => Promise.reject(new Error("no database"));
    expect(await attack.offer()).toBe(USERAUTH_FAILURE);
    attack.server.decide = () => AUTH_SUCCESSFUL;
    expect(await attack.prove()).toBe(USERAUTH_SUCCESS);
    expect(attack.asked).toHaveLength(3);
    await attack.end();
  });
});

describe("a signature that comes late", () => {
  it.each([
    ["the key was revoked", (server: AnsweringServer) => (server.revoked = () => true)],
    ["the hook knows the key no more", (server: AnsweringServer) => (server.decide = () => AUTH_FAILED)],
  ])("is refused where meanwhile %s", async (_, change) => {
    const attack = await Attack.start(() => AUTH_SUCCESSFUL);
    expect(await attack.offer()).toBe(USERAUTH_PK_OK);
    change(attack.server);
    passTime(5_001);
    expect(await attack.prove()).toBe(USERAUTH_FAILURE);
    await attack.end();
  });

  it("is accepted where nothing has changed, and has both hooks asked again", async () => {
    const attack = await Attack.start(() => AUTH_SUCCESSFUL);
    expect(await attack.offer()).toBe(USERAUTH_PK_OK);
    passTime(5_001);
    expect(await attack.prove()).toBe(USERAUTH_SUCCESS);
    const asked = attack.attacked.calls.map(({ name }) => name).filter((name) => /Publickey|Revoked/.test(name));
    expect(asked).toEqual(["checkKeyRevoked", "checkAuthPublickey", "checkKeyRevoked", "checkAuthPublickey"]);
    await attack.end();
  });
});

describe("requests that do not wait for their answers", () => {
  it("have the hook asked once about each key, user and algorithm", async () => {
    const answer = new Deferred<AuthDecision>();
    const attack = await Attack.start(() => answer.promise);
    const { client } = attack;
    client.sendPacket(publickeyQuery(requestOf({})));
    client.sendPacket(publickeyQuery(requestOf({})));
    client.sendPacket(attack.proof({}, other));
    client.sendPacket(attack.proof());
    await vi.waitFor(() => expect(attack.asked).toHaveLength(1), { interval: 2 });
    answer.resolve(AUTH_SUCCESSFUL);
    const answers: (number | undefined)[] = [];
    while (answers.at(-1) !== USERAUTH_SUCCESS) answers.push((await client.nextPacket())[0]);
    expect(answers).toEqual([USERAUTH_PK_OK, USERAUTH_PK_OK, USERAUTH_FAILURE, USERAUTH_SUCCESS]);
    expect(attack.asked).toHaveLength(1);
    await attack.end();
  });

  it("get no answer that another user waits for", async () => {
    const answer = new Deferred<AuthDecision>();
    const attack = await Attack.start((username) => (username === "alice" ? answer.promise : AUTH_FAILED));
    const { client } = attack;
    client.sendPacket(publickeyQuery(requestOf({})));
    client.sendPacket(attack.proof({ username: "bob" }));
    await vi.waitFor(() => expect(attack.asked).toHaveLength(1), { interval: 2 });
    answer.resolve(AUTH_SUCCESSFUL);
    expect((await client.nextPacket())[0]).toBe(USERAUTH_PK_OK);
    expect((await client.nextPacket())[0]).toBe(USERAUTH_FAILURE);
    expect(attack.asked).toEqual(["alice ssh-ed25519", "bob ssh-ed25519"]);
    await attack.end();
  });
});

describe("offers of very many keys", () => {
  it("end the connection after a hundred that would do, and hold little memory", async () => {
    const attack = await Attack.start(() => AUTH_SUCCESSFUL);
    const { attacked, client } = attack;
    const before = attacked.memoryInUse();
    for (let count = 0; count < 100; count++) {
      const { publicBlob } = PKey.generate({ keyType: "ed25519" });
      expect(await attack.offer({ publicBlob })).toBe(USERAUTH_PK_OK);
    }
    expect(attacked.memoryInUse() - before).toBeLessThan(4 * 1024 * 1024);
    client.sendPacket(publickeyQuery(requestOf({})));
    expect((await client.waitDisconnect()).reason).toBe(DisconnectReason.NO_MORE_AUTH_METHODS_AVAILABLE);
    await attack.end();
  });
});

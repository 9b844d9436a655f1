import { describe, expect, it } from "vitest";
import { PKey } from "../../src/crypto/index.js";
import { type AuthResult, MessageNumber } from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { extent } from "../support/extent.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  noneRequest,
  type PublickeyRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
  readUserauthFailure,
} from "../support/packet-messages.js";
import { RSA_KEY } from "../support/rsa-key.js";
import { Attacked, HOST_KEY, TargetServer, USERNAME } from "./attacked-server.js";

const { USERAUTH_FAILURE, USERAUTH_PK_OK, USERAUTH_SUCCESS } = MessageNumber;

const authorized = PKey.generate({ keyType: "ed25519" });
const stranger = PKey.generate({ keyType: "ed25519" });
const ecdsa = PKey.generate({ keyType: "ecdsa" });
const rsa = RSA_KEY;

async function start(): Promise<{ attacked: Attacked; client: PacketClient }> {
  const attacked = await Attacked.start(new TargetServer());
  for (const key of [authorized, ecdsa, rsa]) attacked.server.authorizedKeys.add(key.fingerprint());
  return { attacked, client: await attacked.authenticating() };
}

const requestFor = (key: PKey, change: Partial<PublickeyRequest> = {}): PublickeyRequest => ({
  username: USERNAME,
  algorithm: key.signatureAlgorithms[0] ?? "",
  publicBlob: key.publicBlob,
  ...change,
});

/** The key's signature of these data, for this request. */
const sign = (key: PKey, sessionId: Uint8Array, request: PublickeyRequest): Buffer =>
  key.sign(publickeySignedData(sessionId, request), key.signatureAlgorithms[0]);

/** A signature blob whose inner signature is changed. */
function changeSignature(blob: Buffer, change: (signature: Buffer) => Uint8Array): Buffer {
  const reader = new Reader(blob);
  return new Writer()
    .writeString(reader.readString())
    .writeString(change(Buffer.from(reader.readString())))
    .toBuffer();
}

async function expectRefused(client: PacketClient, request: Buffer): Promise<void> {
  const answer = await client.authenticate(request);
  expect(answer[0]).toBe(USERAUTH_FAILURE);
  expect(readUserauthFailure(answer).partialSuccess).toBe(false);
}

async function expectNobody({ attacked, client }: { attacked: Attacked; client: PacketClient }): Promise<void> {
  expect(attacked.callNames).not.toContain("onAuthenticationSuccessful");
  const names = attacked.manager.getActiveConnections().map((connection) => connection.username);
  expect(names.filter((name) => name !== undefined)).toEqual([USERNAME]);
  await client.close();
  await attacked.expectUnharmed();
}

describe("a key that is only offered", () => {
  it("is not a login, however often", async () => {
    const { attacked, client } = await start();
    for (let round = 0; round < 5; round++) {
      const answer = await client.authenticate(publickeyQuery(requestFor(authorized)));
      expect(answer[0]).toBe(USERAUTH_PK_OK);
    }
    await expectRefused(client, noneRequest(USERNAME));
    await expectNobody({ attacked, client });
  });

  it("is told apart from one that would not do", async () => {
    const { attacked, client } = await start();
    await expectRefused(client, publickeyQuery(requestFor(stranger)));
    await expectNobody({ attacked, client });
  });

  it("does not help the one that signs then", async () => {
    const { attacked, client } = await start();
    expect((await client.authenticate(publickeyQuery(requestFor(authorized))))[0]).toBe(USERAUTH_PK_OK);
    const other = requestFor(stranger);
    await expectRefused(client, publickeyProof(other, sign(stranger, client.sessionId, other)));
    const mixed = requestFor(authorized);
    await expectRefused(client, publickeyProof(mixed, sign(stranger, client.sessionId, mixed)));
    await expectNobody({ attacked, client });
  });

  it("is proven by its own signature, queried before or not", async () => {
    for (const key of [authorized, ecdsa, rsa]) {
      const { attacked, client } = await start();
      await client.authenticate(publickeyQuery(requestFor(stranger)));
      expect((await client.authPublickey(USERNAME, key))[0]).toBe(USERAUTH_SUCCESS);
      await client.close();
      await attacked.expectUnharmed();
    }
  });
});

describe("a signature that was made elsewhere", () => {
  it("the session id of another connection is refused", async () => {
    const { attacked, client } = await start();
    const other = await attacked.authenticating();
    const request = requestFor(authorized);
    await expectRefused(client, publickeyProof(request, sign(authorized, other.sessionId, request)));
    await other.close();
    await expectNobody({ attacked, client });
  });

  it("the same request on another connection is refused", async () => {
    const { attacked, client } = await start();
    const request = requestFor(authorized);
    const proof = publickeyProof(request, sign(authorized, client.sessionId, request));
    const other = await attacked.authenticating();
    await expectRefused(other, proof);
    await other.close();
    await expectNobody({ attacked, client });
  });

  it("a query instead of a request is refused", async () => {
    const { attacked, client } = await start();
    const request = requestFor(authorized);
    const data = new Writer().writeString(client.sessionId).writeBytes(publickeyQuery(request)).toBuffer();
    await expectRefused(client, publickeyProof(request, authorized.sign(data)));
    await expectNobody({ attacked, client });
  });
});

describe("something else than a signature", () => {
  it("of a wrong length or changed anywhere is refused", async () => {
    const changes: readonly ((signature: Buffer) => Uint8Array)[] = [
      () => Buffer.alloc(0),
      () => Buffer.alloc(64),
      (signature) => signature.subarray(0, -1),
      (signature) => Buffer.concat([signature, Buffer.alloc(1)]),
      (signature) => Buffer.concat([Buffer.alloc(32), signature.subarray(32)]),
      (signature) => Buffer.concat([signature.subarray(0, 32), Buffer.alloc(32)]),
    ];
    for (const change of changes) {
      const { attacked, client } = await start();
      const request = requestFor(authorized);
      const signature = changeSignature(sign(authorized, client.sessionId, request), change);
      await expectRefused(client, publickeyProof(request, signature));
      await expectNobody({ attacked, client });
    }
  });

  it("cut anywhere is refused or ends the connection", async () => {
    const { attacked, client: first } = await start();
    const length = publickeyProof(
      requestFor(authorized),
      sign(authorized, first.sessionId, requestFor(authorized)),
    ).length;
    await first.close();
    for (let end = 1; end < length; end += extent(4, 1)) {
      const client = await attacked.authenticating();
      const request = requestFor(authorized);
      client.sendPacket(publickeyProof(request, sign(authorized, client.sessionId, request)).subarray(0, end));
      const answer = await client.nextPacket();
      expect([end, [USERAUTH_FAILURE, MessageNumber.DISCONNECT].includes(answer[0] as never)]).toEqual([end, true]);
      client.reset();
    }
    expect(attacked.callNames).not.toContain("onAuthenticationSuccessful");
    await attacked.expectUnharmed();
  });

  it.each([
    ["empty", Buffer.alloc(0)],
    ["one byte", Buffer.alloc(1)],
    ["a length over its end", Buffer.from("ffffffff", "hex")],
    ["large and zero", Buffer.alloc(100_000)],
  ])("%s is refused", async (_, signature) => {
    const { attacked, client } = await start();
    await expectRefused(client, publickeyProof(requestFor(authorized), signature));
    await expectNobody({ attacked, client });
  });

  it("of r = s = 0 is refused for ECDSA", async () => {
    const { attacked, client } = await start();
    const zeros = new Writer().writeMpint(Buffer.alloc(1)).writeMpint(Buffer.alloc(1)).toBuffer();
    const signature = new Writer().writeString("ecdsa-sha2-nistp256").writeString(zeros).toBuffer();
    await expectRefused(client, publickeyProof(requestFor(ecdsa), signature));
    await expectNobody({ attacked, client });
  });
});

describe("keys and algorithms that do not fit", () => {
  it.each(["", "none", "ssh-ed25519\0", "SSH-ED25519"])("an Ed25519 key as %j is refused", async (algorithm) => {
    const { attacked, client } = await start();
    const request = requestFor(authorized, { algorithm });
    await expectRefused(client, publickeyQuery(request));
    await expectRefused(client, publickeyProof(request, sign(authorized, client.sessionId, request)));
    expect(attacked.callNames).toEqual([]);
    await expectNobody({ attacked, client });
  });

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["a cut blob", authorized.publicBlob.subarray(0, -1)],
    ["bytes after it", Buffer.concat([authorized.publicBlob, Buffer.alloc(1)])],
    ["31 bytes of key", new Writer().writeString("ssh-ed25519").writeString(Buffer.alloc(31)).toBuffer()],
    ["a point of small order", new Writer().writeString("ssh-ed25519").writeString(Buffer.alloc(32)).toBuffer()],
    ["another type inside", new Writer().writeString("ssh-rsa").writeString(Buffer.alloc(32)).toBuffer()],
  ])("a public key of %s is refused", async (_, publicBlob) => {
    const { attacked, client } = await start();
    await expectRefused(client, publickeyQuery(requestFor(authorized, { publicBlob })));
    expect(attacked.callNames).toEqual([]);
    await expectNobody({ attacked, client });
  });

  it.each([
    ["too small", 1024 / 8],
    ["too large", 32_768 / 8],
  ])("an RSA key that is %s is refused", async (_, bytes) => {
    const { attacked, client } = await start();
    const modulus = Buffer.alloc(bytes, 0xff);
    const publicBlob = new Writer()
      .writeString("ssh-rsa")
      .writeMpint(Buffer.from([1, 0, 1]))
      .writeMpint(modulus);
    const request = requestFor(authorized, { algorithm: "rsa-sha2-512", publicBlob: publicBlob.toBuffer() });
    await expectRefused(client, publickeyQuery(request));
    expect(attacked.callNames).toEqual([]);
    await expectNobody({ attacked, client });
  });

  it("an RSA key with an enormous exponent takes no time to refuse", async () => {
    const { attacked, client } = await start();
    const reader = new Reader(rsa.publicBlob);
    reader.readString();
    reader.readMpint();
    const modulus = reader.readMpint();
    const publicBlob = new Writer().writeString("ssh-rsa").writeMpint(Buffer.alloc(256, 0xfe)).writeMpint(modulus);
    const request = requestFor(rsa, { publicBlob: publicBlob.toBuffer() });
    await expectRefused(client, publickeyProof(request, rsa.sign(publickeySignedData(client.sessionId, request))));
    await expectNobody({ attacked, client });
  });
});

describe("host-bound requests", () => {
  it("bound to this server's key are accepted", async () => {
    const { attacked, client } = await start();
    const request = requestFor(authorized, { hostKey: client.hostKeyBlob });
    const answer = await client.authenticate(publickeyProof(request, sign(authorized, client.sessionId, request)));
    expect(answer[0]).toBe(USERAUTH_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each([
    ["another server's", PKey.generate({ keyType: "ed25519" }).publicBlob],
    ["an empty", Buffer.alloc(0)],
    ["a cut", HOST_KEY.publicBlob.subarray(0, -1)],
  ])("bound to %s key are refused", async (_, hostKey) => {
    const { attacked, client } = await start();
    const request = requestFor(authorized, { hostKey });
    await expectRefused(client, publickeyQuery(request));
    await expectRefused(client, publickeyProof(request, sign(authorized, client.sessionId, request)));
    expect(attacked.callNames).toEqual([]);
    await expectNobody({ attacked, client });
  });
});

describe("a hook for keys", () => {
  it.each(["true", "an object"])("that answers an offer with %s has not accepted it", async (what) => {
    class SloppyServer extends TargetServer {
      override checkAuthPublickey() {
        return (what === "true" ? true : {}) as AuthResult;
      }
    }
    const attacked = await Attacked.start(new SloppyServer());
    const client = await attacked.authenticating();
    expect((await client.authenticate(publickeyQuery(requestFor(stranger))))[0]).toBe(USERAUTH_FAILURE);
    expect((await client.authPublickey(USERNAME, stranger))[0]).toBe(USERAUTH_FAILURE);
    await client.close();
    await attacked.expectUnharmed();
  });
});

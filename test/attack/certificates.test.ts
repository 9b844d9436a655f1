import { describe, expect, it } from "vitest";
import { type AuthDecision, Grant } from "../../src/auth/grant.js";
import type { PKey } from "../../src/crypto/pkey/pkey.js";
import {
  AUTH_FAILED,
  AUTH_PARTIAL,
  AUTH_SUCCESSFUL,
  DisconnectReason,
  MessageNumber,
} from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { type CraftedCertificate, optionText } from "../support/crafted-certificate.js";
import {
  channelOpen,
  noneRequest,
  type PublickeyRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
  readUserauthFailure,
} from "../support/packet-messages.js";
import { HOST_KEY, USERNAME } from "./attacked-server.js";
import {
  ALGORITHM,
  authority,
  CertificateAttack,
  craft,
  EXTENSIONS,
  key,
  request,
  stranger,
} from "./certificate-attack.js";
import { Deferred } from "./deferred.js";

const { USERAUTH_PK_OK, USERAUTH_SUCCESS } = MessageNumber;

it("a good certificate lets in, so that the refusals below mean something", async () => {
  const attack = await CertificateAttack.begin();
  const blob = craft({ extensions: EXTENSIONS });
  expect((await attack.client.authenticate(publickeyQuery(request(blob))))[0]).toBe(USERAUTH_PK_OK);
  expect((await attack.client.authenticate(attack.proof(blob)))[0]).toBe(USERAUTH_SUCCESS);
  expect((await attack.client.exec("hello")).stdout.toString()).toBe("Executed: hello\n");
  await attack.end();
});

describe("a damaged certificate reaches no hook", () => {
  const blob = craft({
    serial: 7n,
    principals: [USERNAME],
    criticalOptions: [["force-command", optionText("date")]],
    extensions: EXTENSIONS,
    reserved: Buffer.from("x"),
  });
  const fields = fieldsOf(blob);

  it.each(fields)("with any byte of its $name changed", async ({ start, end }) => {
    const attack = await CertificateAttack.begin();
    const changed = Array.from({ length: end - start }, (_, index) => {
      const copy = Buffer.from(blob);
      copy[start + index] = (copy[start + index] ?? 0) ^ (1 << (index % 8));
      return copy;
    });
    await attack.expectAllRefused(changed);
    await attack.expectUnheard();
  });

  it("cut at every byte", async () => {
    const attack = await CertificateAttack.begin();
    await attack.expectAllRefused(Array.from(blob, (_, length) => blob.subarray(0, length)));
    await attack.expectUnheard();
  });

  it.each(fields)("with a byte more behind its $name", async ({ end }) => {
    const attack = await CertificateAttack.begin();
    await attack.expectAllRefused(
      [0, 1, 0xff].map((byte) => Buffer.concat([blob.subarray(0, end), Buffer.of(byte), blob.subarray(end)])),
    );
    await attack.expectUnheard();
  });

  it.each(fields.filter(({ name }) => name !== "name" && name !== "signature"))(
    "with the $name of another one",
    async ({ name, start, end }) => {
      const attack = await CertificateAttack.begin();
      const other = craft({
        key: stranger,
        serial: 8n,
        type: 2,
        keyId: "other",
        principals: ["root"],
        validAfter: 1n,
        validBefore: 2n ** 63n,
        criticalOptions: [["force-command", optionText("rm -rf")]],
        reserved: Buffer.from("yy"),
        authority: stranger,
      });
      const theirs = fieldsOf(other).find((field) => field.name === name);
      const theirBytes = other.subarray(theirs?.start, theirs?.end);
      expect(theirBytes).not.toEqual(blob.subarray(start, end));
      await attack.expectAllRefused([Buffer.concat([blob.subarray(0, start), theirBytes, blob.subarray(end)])]);
      await attack.expectUnheard();
    },
  );
});

describe("a certificate that is whole, but not good, reaches no hook", () => {
  const now = BigInt(Math.floor(Date.now() / 1000));
  const FOREVER = 2n ** 64n - 1n;
  it.each<[string, Partial<CraftedCertificate>]>([
    ["for a host", { type: 2 }],
    ["for something else", { type: 3 }],
    ["that has ended", { validBefore: now - 1n }],
    ["that is never valid", { validAfter: FOREVER }],
    ["that ended with time itself", { validBefore: 0n }],
    ["that begins in an hour", { validAfter: now + 3600n }],
    ["for nobody", { principals: [] }],
    ["for a name with NUL", { principals: [`${USERNAME}\0x`] }],
    ["with a critical option that is not known", { criticalOptions: [["x@example.com", ""]] }],
    ["with an extension among its critical options", { criticalOptions: [["permit-pty", ""]] }],
    ["for other addresses", { criticalOptions: [["source-address", optionText("192.0.2.0/24")]] }],
    ["for no addresses", { criticalOptions: [["source-address", optionText("")]] }],
    ["for addresses that are none", { criticalOptions: [["source-address", optionText("0.0.0.0/0,x")]] }],
    ["for too many addresses", { criticalOptions: [["source-address", optionText("127.0.0.1,".repeat(20_000))]] }],
    ["with two commands", { criticalOptions: ["a", "b"].map((text) => ["force-command", optionText(text)] as const) }],
    ["with a command that is none", { criticalOptions: [["force-command", "date"]] }],
    ["with a command that ends early", { criticalOptions: [["force-command", optionText("date\0")]] }],
    ["signed by a certificate", { authorityBlob: craft() }],
    ["that says another authority than has signed", { authorityBlob: authority.publicBlob, authority: stranger }],
    ["signed by the key that it certifies, in its authority's name", { sign: (data) => key.sign(data) }],
    ["with more behind its fields", { signedTrailer: Buffer.from("\0\0\0\0") }],
    ["of an unknown type", { name: "ssh-ed25519-cert-v02@openssh.com" }],
  ])("%s", async (_, change) => {
    const attack = await CertificateAttack.begin();
    await attack.expectAllRefused([craft(change)]);
    await attack.expectUnheard();
  });
});

describe("a certificate that is only offered", () => {
  it("is not a login, whatever is asked next", async () => {
    const attack = await CertificateAttack.begin();
    expect((await attack.client.authenticate(publickeyQuery(request(craft()))))[0]).toBe(USERAUTH_PK_OK);
    await attack.expectRefused(noneRequest(USERNAME));
    attack.client.sendPacket(channelOpen());
    await attack.client.waitDisconnect();
    expect(attack.named("checkChannelRequest")).toEqual([]);
    expect(attack.named("onAuthenticationSuccessful")).toEqual([]);
    await attack.attacked.expectUnharmed();
  });

  it("does not help another certificate, nor the key in it", async () => {
    const attack = await CertificateAttack.begin();
    expect((await attack.client.authenticate(publickeyQuery(request(craft()))))[0]).toBe(USERAUTH_PK_OK);
    attack.server.decide = ({ certificate }) => (certificate ? attack.server.grant() : AUTH_FAILED);
    await attack.expectRefused(attack.proof(craft({ authority: stranger })));
    expect(readUserauthFailure(await attack.client.authPublickey(USERNAME, key)).partialSuccess).toBe(false);
    await attack.expectNobody();
  });
});

describe("the signature of a login is bound to the certificate", () => {
  const blob = craft();
  type SignedData = (change: Partial<PublickeyRequest>) => Buffer;
  it.each<[string, (data: SignedData) => Buffer]>([
    ["made for the key itself", (data) => key.sign(data({ publicBlob: key.publicBlob, algorithm: "ssh-ed25519" }))],
    ["made for the key's algorithm", (data) => key.sign(data({ algorithm: "ssh-ed25519" }))],
    ["made for another certificate", (data) => key.sign(data({ publicBlob: craft() }))],
    ["made for another user", (data) => key.sign(data({ username: "root" }))],
    ["made for the host-bound form", (data) => key.sign(data({ hostKey: HOST_KEY.publicBlob }))],
    ["of the authority", (data) => authority.sign(data({}))],
    ["of the certificate itself", () => new Reader(blob.subarray(fieldsOf(blob).at(-1)?.start)).readString()],
    ["that names the certificate's algorithm", (data) => renamed(key.sign(data({})), ALGORITHM)],
    ["that is empty", () => Buffer.alloc(0)],
  ])("one %s is refused", async (_, sign) => {
    const attack = await CertificateAttack.begin();
    const data: SignedData = (change) => publickeySignedData(attack.client.sessionId, { ...request(blob), ...change });
    await attack.expectRefused(publickeyProof(request(blob), sign(data)));
    expect(attack.named("checkAuthPublickey")).toEqual([]);
    await attack.expectNobody();
  });

  it.each<[string, Partial<PublickeyRequest>]>([
    ["a certificate as a key", { algorithm: "ssh-ed25519" }],
    ["a key as a certificate", { publicBlob: key.publicBlob }],
    ["a certificate of another kind of key", { algorithm: "ssh-rsa-cert-v01@openssh.com" }],
    ["one bound to another server", { hostKey: stranger.publicBlob }],
  ])("%s is refused, signed as it is", async (_, change) => {
    const attack = await CertificateAttack.begin();
    const changed = { ...request(blob), ...change };
    await attack.expectRefused(publickeyQuery(changed));
    await attack.expectRefused(
      publickeyProof(changed, key.sign(publickeySignedData(attack.client.sessionId, changed))),
    );
    await attack.expectUnheard();
  });
});

describe("a decision that does not name the authority lets nobody in", () => {
  it.each<[string, (offered: PKey) => AuthDecision]>([
    ["AUTH_SUCCESSFUL", () => AUTH_SUCCESSFUL],
    ["a grant for any key", () => new Grant()],
    ["a grant for another authority", () => new Grant({ authority: stranger })],
    ["a grant for the key", () => new Grant({ authority: key })],
    ["a grant for the certificate", (offered) => new Grant({ authority: offered })],
    ["an object like a grant", () => ({ ...new Grant({ authority }) }) as never],
    ["an object made of the class", () => Object.create(Grant.prototype) as Grant],
  ])("%s", async (_, decide) => {
    const attack = await CertificateAttack.begin();
    attack.server.decide = decide;
    await attack.expectRefused(publickeyQuery(request(craft())));
    await attack.expectRefused(attack.proof(craft()));
    await attack.expectNobody();
  });

  it("and a grant that names one does not stand for a certificate of somebody else", async () => {
    const attack = await CertificateAttack.begin();
    await attack.expectRefused(attack.proof(craft({ key: stranger, authority: stranger }), stranger));
    expect(attack.named("checkAuthPublickey")).toHaveLength(1);
    await attack.expectNobody();
  });
});

describe("a login during a key exchange", () => {
  it("goes on after it, with the session id of the first", async () => {
    const attack = await CertificateAttack.begin();
    await attack.client.authenticate(publickeyQuery(request(craft())));
    await attack.client.exchangeKeys();
    expect((await attack.client.authenticate(attack.proof(craft())))[0]).toBe(USERAUTH_SUCCESS);
    await attack.end();
  });

  it("behind the client's KEXINIT ends the connection, and no hook hears of it", async () => {
    const attack = await CertificateAttack.begin();
    attack.client.sendKexInit();
    attack.client.sendPacket(attack.proof(craft()));
    expect([DisconnectReason.PROTOCOL_ERROR, DisconnectReason.KEY_EXCHANGE_FAILED]).toContain(
      (await attack.client.waitDisconnect()).reason,
    );
    expect(attack.attacked.callNames).toEqual([]);
    await attack.attacked.expectUnharmed();
  });

  it("is still restricted where the exchange began while a hook was deciding", async () => {
    const attack = await CertificateAttack.begin();
    const decision = new Deferred<AuthDecision>();
    attack.server.decide = () => decision.promise;
    attack.client.sendPacket(attack.proof(craft({ criticalOptions: [["force-command", optionText("date")]] })));
    const exchange = attack.client.exchangeKeys();
    decision.resolve(attack.server.grant());
    await exchange;
    await attack.client.expect(USERAUTH_SUCCESS);
    expect((await attack.client.exec("hello")).stdout.toString()).toBe("Executed: date\n");
    await attack.end();
  });

  it("for one user while a hook decides about another is not mixed up with it", async () => {
    const attack = await CertificateAttack.begin();
    const decision = new Deferred<AuthDecision>();
    attack.server.decide = () => decision.promise;
    attack.client.sendPacket(attack.proof(craft()));
    attack.client.sendPacket(noneRequest("root"));
    decision.resolve(attack.server.grant({ result: AUTH_PARTIAL }));
    expect(readUserauthFailure(await attack.client.nextPacket()).partialSuccess).toBe(true);
    expect(readUserauthFailure(await attack.client.nextPacket()).partialSuccess).toBe(false);
    await attack.expectNobody();
  });
});

/** Where the fields of an Ed25519 key's certificate stand (PROTOCOL.certkeys), their lengths included. */
function fieldsOf(blob: Buffer): { readonly name: string; readonly start: number; readonly end: number }[] {
  const reader = new Reader(blob);
  const numbers: Readonly<Record<string, number>> = { serial: 8, type: 4, beginning: 8, end: 8 };
  const names =
    "name,nonce,key,serial,type,key ID,principals,beginning,end,critical options,extensions,reserved,authority";
  return [...names.split(","), "signature"].map((name) => {
    const start = reader.offset;
    if (numbers[name] === undefined) reader.readString();
    else reader.readBytes(numbers[name]);
    return { name, start, end: reader.offset };
  });
}

/** A signature blob that says it is of another algorithm. */
function renamed(signature: Buffer, algorithm: string): Buffer {
  const reader = new Reader(signature);
  reader.readString();
  return new Writer().writeString(algorithm).writeString(reader.readString()).toBuffer();
}

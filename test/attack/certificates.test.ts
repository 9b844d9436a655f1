import { describe, expect, it } from "vitest";
import { type AuthDecision, Grant, type GrantOptions } from "../../src/auth/grant.js";
import type { Permissions } from "../../src/auth/permissions.js";
import { PKey } from "../../src/crypto/keys/pkey.js";
import type { Channel } from "../../src/index.js";
import {
  AUTH_FAILED,
  AUTH_PARTIAL,
  AUTH_SUCCESSFUL,
  DisconnectReason,
  MessageNumber,
  OPEN_SUCCEEDED,
} from "../../src/protocol/constants.js";
import { Reader } from "../../src/protocol/reader.js";
import { Writer } from "../../src/protocol/writer.js";
import { type CraftedCertificate, craftCertificate, optionText } from "../support/crafted-certificate.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  channelOpen,
  channelRequest,
  execRequest,
  globalRequest,
  noneRequest,
  type PublickeyRequest,
  publickeyProof,
  publickeyQuery,
  publickeySignedData,
  readUserauthFailure,
} from "../support/packet-messages.js";
import { SoftwareSecurityKey, USER_PRESENT, USER_VERIFIED } from "../support/security-key.js";
import { Attacked, HOST_KEY, TargetServer, USERNAME } from "./attacked-server.js";
import { Deferred } from "./deferred.js";

const { CHANNEL_FAILURE, CHANNEL_OPEN_CONFIRMATION, CHANNEL_OPEN_FAILURE, CHANNEL_SUCCESS } = MessageNumber;
const { DISCONNECT, REQUEST_FAILURE, REQUEST_SUCCESS } = MessageNumber;
const { USERAUTH_FAILURE, USERAUTH_PK_OK, USERAUTH_SUCCESS } = MessageNumber;

const ALGORITHM = "ssh-ed25519-cert-v01@openssh.com";
const authority = PKey.generate({ keyType: "ed25519" });
const stranger = PKey.generate({ keyType: "ed25519" });
const key = PKey.generate({ keyType: "ed25519" });

const craft = (change: Partial<CraftedCertificate> = {}) => craftCertificate({ key, authority, ...change });
const EXTENSIONS = ["X11-forwarding", "agent-forwarding", "port-forwarding", "pty", "user-rc"].map(
  (name) => [`permit-${name}`, ""] as const,
);

const request = (publicBlob: Uint8Array, change: Partial<PublickeyRequest> = {}): PublickeyRequest => ({
  username: USERNAME,
  algorithm: ALGORITHM,
  publicBlob,
  ...change,
});

/** A login with whatever blob, signed as it takes. */
function proof(client: PacketClient, blob: Uint8Array, signer: Pick<PKey, "sign"> = key): Buffer {
  return publickeyProof(request(blob), signer.sign(publickeySignedData(client.sessionId, request(blob))));
}

/** Trusts one authority in all that a certificate says, and allows everything to those it lets in. */
class CertificateServer extends TargetServer {
  decide: (key: PKey) => AuthDecision | Promise<AuthDecision> = () => this.grant();

  grant(options: GrantOptions = {}): Grant {
    return new Grant({ authority, ...options });
  }

  override checkAuthPublickey(_username: string, offered: PKey) {
    return this.decide(offered);
  }

  override checkChannelRequest() {
    return OPEN_SUCCEEDED;
  }

  override checkChannelShellRequest(channel: Channel) {
    return this.checkChannelExecRequest(channel, Buffer.from("shell"));
  }

  override checkChannelSubsystemRequest(channel: Channel) {
    return this.checkChannelExecRequest(channel, Buffer.from("subsystem"));
  }

  override checkChannelPtyRequest() {
    return true;
  }

  override checkChannelEnvRequest() {
    return true;
  }

  override checkChannelX11Request() {
    return true;
  }

  override checkPortForwardRequest() {
    return 8022;
  }

  override checkPortForwardCancelRequest() {
    return true;
  }

  override checkGlobalRequest() {
    return true;
  }
}

/** Of the test that runs. */
let attacked: Attacked<CertificateServer>;
let client: PacketClient;

async function begin(): Promise<void> {
  attacked = await Attacked.start(new CertificateServer(), { maxAuthTries: 100 });
  client = await attacked.authenticating();
}

const named = (name: string) => attacked.calls.filter((call) => call.name === name);

async function expectRefused(payload: Buffer): Promise<void> {
  const answer = await client.authenticate(payload);
  expect(readUserauthFailure(answer).partialSuccess).toBe(false);
}

async function expectNobody(): Promise<void> {
  expect(named("onAuthenticationSuccessful")).toEqual([]);
  await client.close();
  await attacked.expectUnharmed();
}

async function expectUnheard(): Promise<void> {
  for (const hook of ["checkAuthPublickey", "checkKeyRevoked"]) expect(named(hook)).toEqual([]);
  await expectNobody();
}

/** Sends logins with each blob, on as many connections as it takes. */
async function expectAllRefused(blobs: readonly Uint8Array[]): Promise<void> {
  for (const [index, blob] of blobs.entries()) {
    if (index > 0 && index % 90 === 0) {
      await client.close();
      client = await attacked.authenticating();
    }
    await expectRefused(proof(client, blob));
  }
}

it("a good certificate lets in, so that the refusals below mean something", async () => {
  await begin();
  const blob = craft({ extensions: EXTENSIONS });
  expect((await client.authenticate(publickeyQuery(request(blob))))[0]).toBe(USERAUTH_PK_OK);
  expect((await client.authenticate(proof(client, blob)))[0]).toBe(USERAUTH_SUCCESS);
  expect((await client.exec("hello")).stdout.toString()).toBe("Executed: hello\n");
  await client.close();
  await attacked.expectUnharmed();
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
    await begin();
    const changed = Array.from({ length: end - start }, (_, index) => {
      const copy = Buffer.from(blob);
      copy[start + index] = (copy[start + index] ?? 0) ^ (1 << (index % 8));
      return copy;
    });
    await expectAllRefused(changed);
    await expectUnheard();
  });

  it("cut at every byte", async () => {
    await begin();
    await expectAllRefused(Array.from(blob, (_, length) => blob.subarray(0, length)));
    await expectUnheard();
  });

  it.each(fields)("with a byte more behind its $name", async ({ end }) => {
    await begin();
    await expectAllRefused(
      [0, 1, 0xff].map((byte) => Buffer.concat([blob.subarray(0, end), Buffer.of(byte), blob.subarray(end)])),
    );
    await expectUnheard();
  });

  it.each(fields.filter(({ name }) => name !== "name" && name !== "signature"))(
    "with the $name of another one",
    async ({ name, start, end }) => {
      await begin();
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
      await expectAllRefused([Buffer.concat([blob.subarray(0, start), theirBytes, blob.subarray(end)])]);
      await expectUnheard();
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
    await begin();
    await expectAllRefused([craft(change)]);
    await expectUnheard();
  });
});

describe("a certificate that is only offered", () => {
  it("is no login, whatever is asked next", async () => {
    await begin();
    expect((await client.authenticate(publickeyQuery(request(craft()))))[0]).toBe(USERAUTH_PK_OK);
    await expectRefused(noneRequest(USERNAME));
    client.sendPacket(channelOpen());
    await client.waitDisconnect();
    expect(named("checkChannelRequest")).toEqual([]);
    expect(named("onAuthenticationSuccessful")).toEqual([]);
    await attacked.expectUnharmed();
  });

  it("does not help another certificate, nor the key in it", async () => {
    await begin();
    expect((await client.authenticate(publickeyQuery(request(craft()))))[0]).toBe(USERAUTH_PK_OK);
    attacked.server.decide = ({ certificate }) => (certificate ? attacked.server.grant() : AUTH_FAILED);
    await expectRefused(proof(client, craft({ authority: stranger })));
    expect(readUserauthFailure(await client.authPublickey(USERNAME, key)).partialSuccess).toBe(false);
    await expectNobody();
  });
});

describe("the signature of a login is bound to the certificate", () => {
  const blob = craft();
  const signedData = (change: Partial<PublickeyRequest>) =>
    publickeySignedData(client.sessionId, { ...request(blob), ...change });
  it.each<[string, () => Buffer]>([
    ["made for the key itself", () => key.sign(signedData({ publicBlob: key.publicBlob, algorithm: "ssh-ed25519" }))],
    ["made for the key's algorithm", () => key.sign(signedData({ algorithm: "ssh-ed25519" }))],
    ["made for another certificate", () => key.sign(signedData({ publicBlob: craft() }))],
    ["made for another user", () => key.sign(signedData({ username: "root" }))],
    ["made for the host-bound form", () => key.sign(signedData({ hostKey: HOST_KEY.publicBlob }))],
    ["of the authority", () => authority.sign(signedData({}))],
    ["of the certificate itself", () => new Reader(blob.subarray(fieldsOf(blob).at(-1)?.start)).readString()],
    ["that names the certificate's algorithm", () => renamed(key.sign(signedData({})), ALGORITHM)],
    ["that is empty", () => Buffer.alloc(0)],
  ])("one %s is refused", async (_, sign) => {
    await begin();
    await expectRefused(publickeyProof(request(blob), sign()));
    expect(named("checkAuthPublickey")).toEqual([]);
    await expectNobody();
  });

  it.each<[string, Partial<PublickeyRequest>]>([
    ["a certificate as a key", { algorithm: "ssh-ed25519" }],
    ["a key as a certificate", { publicBlob: key.publicBlob }],
    ["a certificate of another kind of key", { algorithm: "ssh-rsa-cert-v01@openssh.com" }],
    ["one bound to another server", { hostKey: stranger.publicBlob }],
  ])("%s is refused, signed as it is", async (_, change) => {
    await begin();
    const changed = { ...request(blob), ...change };
    await expectRefused(publickeyQuery(changed));
    await expectRefused(publickeyProof(changed, key.sign(publickeySignedData(client.sessionId, changed))));
    await expectUnheard();
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
    await begin();
    attacked.server.decide = decide;
    await expectRefused(publickeyQuery(request(craft())));
    await expectRefused(proof(client, craft()));
    await expectNobody();
  });

  it("and a grant that names one does not stand for a certificate of somebody else", async () => {
    await begin();
    await expectRefused(proof(client, craft({ key: stranger, authority: stranger }), stranger));
    expect(named("checkAuthPublickey")).toHaveLength(1);
    await expectNobody();
  });
});

describe("a login during a key exchange", () => {
  it("goes on after it, with the session id of the first", async () => {
    await begin();
    await client.authenticate(publickeyQuery(request(craft())));
    await client.exchangeKeys();
    expect((await client.authenticate(proof(client, craft())))[0]).toBe(USERAUTH_SUCCESS);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("behind the client's KEXINIT ends the connection, and no hook hears of it", async () => {
    await begin();
    client.sendKexInit();
    client.sendPacket(proof(client, craft()));
    expect([DisconnectReason.PROTOCOL_ERROR, DisconnectReason.KEY_EXCHANGE_FAILED]).toContain(
      (await client.waitDisconnect()).reason,
    );
    expect(attacked.callNames).toEqual([]);
    await attacked.expectUnharmed();
  });

  it("is still restricted where the exchange began while a hook was deciding", async () => {
    await begin();
    const decision = new Deferred<AuthDecision>();
    attacked.server.decide = () => decision.promise;
    client.sendPacket(proof(client, craft({ criticalOptions: [["force-command", optionText("date")]] })));
    const exchange = client.exchangeKeys();
    decision.resolve(attacked.server.grant());
    await exchange;
    await client.expect(USERAUTH_SUCCESS);
    expect((await client.exec("hello")).stdout.toString()).toBe("Executed: date\n");
    await client.close();
    await attacked.expectUnharmed();
  });

  it("for one user while a hook decides about another is not mixed up with it", async () => {
    await begin();
    const decision = new Deferred<AuthDecision>();
    attacked.server.decide = () => decision.promise;
    client.sendPacket(proof(client, craft()));
    client.sendPacket(noneRequest("root"));
    decision.resolve(attacked.server.grant({ result: AUTH_PARTIAL }));
    expect(readUserauthFailure(await client.nextPacket()).partialSuccess).toBe(true);
    expect(readUserauthFailure(await client.nextPacket()).partialSuccess).toBe(false);
    await expectNobody();
  });
});

const text = (...values: readonly (string | number)[]): Buffer => {
  const writer = new Writer();
  for (const value of values) typeof value === "string" ? writer.writeString(value) : writer.writeUint32(value);
  return writer.toBuffer();
};
const opening = (kind: string, fields: Buffer) => Buffer.concat([channelOpen({ kind }), fields]);
const toHost = (host: string, port: number) => opening("direct-tcpip", text(host, port, "127.0.0.1", 1));
const listening = (kind: string, ...fields: readonly (string | number)[]) =>
  globalRequest(kind, "want-reply", text(...fields));
const onSession = (kind: string, fields: Buffer) => (channel: number) =>
  channelRequest(channel, kind, "want-reply", fields);

interface Restricted {
  readonly what: string;
  readonly hook: string;
  readonly message: Buffer | ((channel: number) => Buffer);
}

const pty = onSession("pty-req", text("xterm", 80, 24, 0, 0, ""));
const x11 = onSession("x11-req", Buffer.concat([Buffer.of(0), text("MIT-MAGIC-COOKIE-1", "00", 0)]));
const FORWARDINGS: readonly Restricted[] = [
  { what: "a connection through the server", hook: "checkChannelRequest", message: toHost("localhost", 80) },
  {
    what: "a socket",
    hook: "checkChannelRequest",
    message: opening("direct-streamlocal@openssh.com", text("/run/x", "", 0)),
  },
  { what: "a tunnel", hook: "checkChannelRequest", message: opening("tun@openssh.com", text(1, 0)) },
  { what: "a channel of any kind", hook: "checkChannelRequest", message: opening("x@example.com", Buffer.alloc(0)) },
  { what: "a kind spelled otherwise", hook: "checkChannelRequest", message: opening("Session", Buffer.alloc(0)) },
  { what: "listening", hook: "checkPortForwardRequest", message: listening("tcpip-forward", "", 8022) },
  {
    what: "an end of listening",
    hook: "checkPortForwardCancelRequest",
    message: listening("cancel-tcpip-forward", "", 8022),
  },
  {
    what: "listening on a socket",
    hook: "checkGlobalRequest",
    message: listening("streamlocal-forward@openssh.com", "/run/x"),
  },
  {
    what: "an end of that",
    hook: "checkGlobalRequest",
    message: listening("cancel-streamlocal-forward@openssh.com", "/run/x"),
  },
];

const REFUSALS: readonly (number | undefined)[] = [CHANNEL_FAILURE, CHANNEL_OPEN_FAILURE, REQUEST_FAILURE];
const ACCEPTANCES: readonly (number | undefined)[] = [CHANNEL_SUCCESS, CHANNEL_OPEN_CONFIRMATION, REQUEST_SUCCESS];

/** Logs in, asks, and tells whether the hook was asked and allowed it. */
async function isAllowed(
  { hook, message }: Restricted,
  certificate: Partial<CraftedCertificate>,
  permissions: Partial<Permissions> = {},
): Promise<boolean> {
  attacked.server.decide = () => attacked.server.grant({ permissions });
  expect((await client.authenticate(proof(client, craft(certificate))))[0]).toBe(USERAUTH_SUCCESS);
  const { id } = await client.openSession();
  attacked.forgetCalls();
  client.sendPacket(Buffer.isBuffer(message) ? message : message(id));
  const answers = [...REFUSALS, ...ACCEPTANCES];
  let number: number | undefined;
  do [number] = await client.nextPacket();
  while (!answers.includes(number) && number !== DISCONNECT);
  expect(answers).toContain(number);
  const allowed = ACCEPTANCES.includes(number);
  expect(named(hook)).toHaveLength(allowed ? 1 : 0);
  await client.close();
  await attacked.expectUnharmed();
  return allowed;
}

describe("what is not permitted does not reach its hook", () => {
  const without = (name: string) => ({ extensions: EXTENSIONS.filter(([extension]) => extension !== name) });
  const cases: readonly (Restricted & { readonly extension: string; readonly permission: string })[] = [
    { what: "a terminal", hook: "checkChannelPtyRequest", message: pty, extension: "permit-pty", permission: "pty" },
    {
      what: "X11",
      hook: "checkChannelX11Request",
      message: x11,
      extension: "permit-X11-forwarding",
      permission: "x11Forwarding",
    },
    ...FORWARDINGS.map((one) => ({ ...one, extension: "permit-port-forwarding", permission: "portForwarding" })),
  ];

  it.each(cases)("$what, by a certificate", async (one) => {
    await begin();
    expect(await isAllowed(one, without(one.extension))).toBe(false);
  });

  it.each(cases)("$what, by a decision", async (one) => {
    await begin();
    expect(await isAllowed(one, { extensions: EXTENSIONS }, { [one.permission]: false })).toBe(false);
  });

  it.each(cases)("$what does with both", async (one) => {
    await begin();
    expect(await isAllowed(one, { extensions: EXTENSIONS })).toBe(true);
  });

  const permitOpen = [[{ host: "localhost", port: 80 }]];
  it.each<[boolean, string, number]>([
    [true, "localhost", 80],
    [false, "localhost", 81],
    [false, "localhost", 65_536 + 80],
    [false, "LOCALHOST", 80],
    [false, "localhost.", 80],
    [false, "localhost\0", 80],
    [false, "127.0.0.1", 80],
    [false, "*", 80],
    [false, "", 80],
  ])("%j: a connection to %j, port %i, where one target is named", async (allowed, host, port) => {
    await begin();
    const one = { what: "", hook: "checkChannelRequest", message: toHost(host, port) };
    expect(await isAllowed(one, { extensions: EXTENSIONS }, { permitOpen })).toBe(allowed);
  });

  it.each(FORWARDINGS.filter(({ hook }) => hook === "checkChannelRequest").slice(1))(
    "$what, where targets are named",
    async (one) => {
      await begin();
      expect(await isAllowed(one, { extensions: EXTENSIONS }, { permitOpen })).toBe(false);
    },
  );

  it.each(FORWARDINGS.filter(({ hook }) => hook !== "checkChannelRequest"))(
    "$what, where others are named",
    async (one) => {
      await begin();
      const permitListen = [[{ host: "localhost", port: 8022 }]];
      expect(await isAllowed(one, { extensions: EXTENSIONS }, { permitListen })).toBe(false);
    },
  );
});

describe("a forced command", () => {
  const forced = (command: string) => craft({ criticalOptions: [["force-command", optionText(command)]] });
  const programs: readonly (readonly [string, (channel: number) => Buffer])[] = [
    ["a command", (channel) => execRequest(channel, "sh")],
    ["an empty command", (channel) => execRequest(channel, "")],
    ["a command with NUL", (channel) => execRequest(channel, "date\0; sh")],
    ["a shell", onSession("shell", Buffer.alloc(0))],
    ["SFTP", onSession("subsystem", text("sftp"))],
    ["SFTP by its other name", onSession("subsystem", text("internal-sftp"))],
  ];

  async function run(blob: Buffer, message: (channel: number) => Buffer): Promise<string> {
    expect((await client.authenticate(proof(client, blob)))[0]).toBe(USERAUTH_SUCCESS);
    const channel = await client.openSession();
    for (const name of ["SSH_ORIGINAL_COMMAND", "OTHER"]) {
      client.sendPacket(channelRequest(channel.id, "env", "want-reply", text(name, "forged")));
    }
    expect((await client.nextPacket())[0]).toBe(CHANNEL_FAILURE);
    expect((await client.nextPacket())[0]).toBe(CHANNEL_SUCCESS);
    attacked.forgetCalls();
    client.sendPacket(message(channel.id));
    // Whatever was asked for first, there is no second.
    client.sendPacket(execRequest(channel.id, "second"));
    await client.expect(CHANNEL_SUCCESS);
    return (await client.readProgram(channel)).stdout.toString();
  }

  it.each(programs)("runs in place of %s", async (_, message) => {
    await begin();
    expect(await run(forced("date"), message)).toBe("Executed: date\n");
    expect(attacked.callNames).toEqual(["checkChannelExecRequest"]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it.each(programs)("of SFTP runs that in place of %s", async (_, message) => {
    await begin();
    expect(await run(forced("internal-sftp"), message)).toBe("Executed: subsystem\n");
    expect(named("checkChannelSubsystemRequest").map(({ parameters }) => parameters[1])).toEqual(["sftp"]);
    expect(named("checkChannelShellRequest")).toEqual([]);
    await client.close();
    await attacked.expectUnharmed();
  });

  it("of SFTP with arguments is a command like any other", async () => {
    await begin();
    expect(await run(forced("internal-sftp -R"), onSession("subsystem", text("sftp")))).toBe(
      "Executed: internal-sftp -R\n",
    );
    await client.close();
    await attacked.expectUnharmed();
  });

  it("of nothing does not run what was asked", async () => {
    await begin();
    expect(await run(forced(""), (channel) => execRequest(channel, "sh"))).toBe("Executed: \n");
    await client.close();
    await attacked.expectUnharmed();
  });

  it("that is not the decision's lets nobody in", async () => {
    await begin();
    attacked.server.decide = () => attacked.server.grant({ permissions: { forceCommand: "uptime" } });
    await expectRefused(proof(client, forced("date")));
    await expectNobody();
  });
});

describe.each(["ed25519", "ecdsa"] as const)("a certificate of a FIDO key (%s)", (type) => {
  const device = new SoftwareSecurityKey(type);
  const algorithm = device.key.keyType.replace("@openssh.com", "-cert-v01@openssh.com");
  const VERIFY: Partial<CraftedCertificate> = { criticalOptions: [["verify-required", ""]] };
  const NO_TOUCH: Partial<CraftedCertificate> = { extensions: [["no-touch-required", ""]] };

  async function login(
    certificate: Partial<CraftedCertificate>,
    options: GrantOptions,
    sign: (data: Buffer) => Buffer,
  ): Promise<boolean> {
    attacked.server.decide = () => attacked.server.grant(options);
    const asked = request(craft({ key: device.key, ...certificate }), { algorithm });
    const [number] = await client.authenticate(
      publickeyProof(asked, sign(publickeySignedData(client.sessionId, asked))),
    );
    expect([USERAUTH_FAILURE, USERAUTH_SUCCESS]).toContain(number);
    await client.close();
    await attacked.expectUnharmed();
    return number === USERAUTH_SUCCESS;
  }

  it.each<[boolean, string, Partial<CraftedCertificate>, GrantOptions, number]>([
    [true, "touched", {}, {}, USER_PRESENT],
    [false, "not touched", {}, {}, 0],
    [false, "verified and not touched", {}, {}, USER_VERIFIED],
    [false, "not touched, as only the certificate allows", NO_TOUCH, {}, 0],
    [false, "not touched, as only the decision allows", {}, { touch: "optional" }, 0],
    [true, "not touched, as both allow", NO_TOUCH, { touch: "optional" }, 0],
    [false, "touched, where the certificate wants its user verified", VERIFY, {}, USER_PRESENT],
    [false, "touched, where the decision does", {}, { verification: "required" }, USER_PRESENT],
    [true, "touched and verified", VERIFY, { verification: "required" }, USER_PRESENT | USER_VERIFIED],
  ])("%j: %s", async (expected, _, certificate, options, flags) => {
    await begin();
    expect(await login(certificate, options, (data) => device.sign(data, { flags }))).toBe(expected);
  });

  it.each<[string, (data: Buffer) => Buffer]>([
    ["with a touch written in afterwards", (data) => patched(device.sign(data, { flags: 0 }), -5, USER_PRESENT)],
    ["with another counter", (data) => patched(device.sign(data), -1, 0xee)],
    ["for another application", (data) => device.sign(data, { application: "ssh:other" })],
    ["of the plain kind", (data) => device.signPlain(data, device.key.keyType)],
    [
      "of the plain kind by its name",
      (data) => device.signPlain(data, type === "ed25519" ? "ssh-ed25519" : "ecdsa-sha2-nistp256"),
    ],
  ])("false: a signature %s", async (_, sign) => {
    await begin();
    expect(await login({}, { touch: "optional" }, sign)).toBe(false);
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

function patched(bytes: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bytes.length + at] = byte;
  return copy;
}

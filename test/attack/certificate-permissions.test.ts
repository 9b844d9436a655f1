import { describe, expect, it } from "vitest";
import type { GrantOptions } from "../../src/auth/grant.js";
import type { Permissions } from "../../src/auth/permissions.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { Writer } from "../../src/protocol/writer.js";
import { type CraftedCertificate, optionText } from "../support/crafted-certificate.js";
import { sample } from "../support/extent.js";
import {
  channelOpen,
  channelRequest,
  execRequest,
  globalRequest,
  publickeyProof,
  publickeySignedData,
} from "../support/packet-messages.js";
import { SoftwareSecurityKey, USER_PRESENT, USER_VERIFIED } from "../support/security-key.js";
import { CertificateAttack, craft, EXTENSIONS, request } from "./certificate-attack.js";

const { CHANNEL_FAILURE, CHANNEL_OPEN_CONFIRMATION, CHANNEL_OPEN_FAILURE, CHANNEL_SUCCESS } = MessageNumber;
const { DISCONNECT, REQUEST_FAILURE, REQUEST_SUCCESS, USERAUTH_FAILURE, USERAUTH_SUCCESS } = MessageNumber;

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
  attack: CertificateAttack,
  { hook, message }: Restricted,
  certificate: Partial<CraftedCertificate>,
  permissions: Partial<Permissions> = {},
): Promise<boolean> {
  attack.server.decide = () => attack.server.grant({ permissions });
  expect((await attack.client.authenticate(attack.proof(craft(certificate))))[0]).toBe(USERAUTH_SUCCESS);
  const { id } = await attack.client.openSession();
  attack.attacked.forgetCalls();
  attack.client.sendPacket(Buffer.isBuffer(message) ? message : message(id));
  const answers = [...REFUSALS, ...ACCEPTANCES];
  let number: number | undefined;
  do [number] = await attack.client.nextPacket();
  while (!answers.includes(number) && number !== DISCONNECT);
  expect(answers).toContain(number);
  const allowed = ACCEPTANCES.includes(number);
  expect(attack.named(hook)).toHaveLength(allowed ? 1 : 0);
  await attack.end();
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
    const attack = await CertificateAttack.begin();
    expect(await isAllowed(attack, one, without(one.extension))).toBe(false);
  });

  it.each(sample(cases, 3))("$what, by a decision", async (one) => {
    const attack = await CertificateAttack.begin();
    expect(await isAllowed(attack, one, { extensions: EXTENSIONS }, { [one.permission]: false })).toBe(false);
  });

  it.each(sample(cases, 3))("$what does with both", async (one) => {
    const attack = await CertificateAttack.begin();
    expect(await isAllowed(attack, one, { extensions: EXTENSIONS })).toBe(true);
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
    const attack = await CertificateAttack.begin();
    const one = { what: "", hook: "checkChannelRequest", message: toHost(host, port) };
    expect(await isAllowed(attack, one, { extensions: EXTENSIONS }, { permitOpen })).toBe(allowed);
  });

  it.each(FORWARDINGS.filter(({ hook }) => hook === "checkChannelRequest").slice(1))(
    "$what, where targets are named",
    async (one) => {
      const attack = await CertificateAttack.begin();
      expect(await isAllowed(attack, one, { extensions: EXTENSIONS }, { permitOpen })).toBe(false);
    },
  );

  it.each(FORWARDINGS.filter(({ hook }) => hook !== "checkChannelRequest"))(
    "$what, where others are named",
    async (one) => {
      const attack = await CertificateAttack.begin();
      const permitListen = [[{ host: "localhost", port: 8022 }]];
      expect(await isAllowed(attack, one, { extensions: EXTENSIONS }, { permitListen })).toBe(false);
    },
  );
});

describe("a forced command", () => {
  const forced = (command: string) => craft({ criticalOptions: [["force-command", optionText(command)]] });
  const programs: readonly (readonly [string, (channel: number) => Buffer])[] = [
    ["a command", (channel) => execRequest(channel, "sh")],
    ["an empty command", (channel) => execRequest(channel, "")],
    ["a shell", onSession("shell", Buffer.alloc(0))],
    ["SFTP", onSession("subsystem", text("sftp"))],
    ["SFTP by its other name", onSession("subsystem", text("internal-sftp"))],
  ];

  async function run(attack: CertificateAttack, blob: Buffer, message: (channel: number) => Buffer): Promise<string> {
    expect((await attack.client.authenticate(attack.proof(blob)))[0]).toBe(USERAUTH_SUCCESS);
    const channel = await attack.client.openSession();
    for (const name of ["SSH_ORIGINAL_COMMAND", "OTHER"]) {
      attack.client.sendPacket(channelRequest(channel.id, "env", "want-reply", text(name, "forged")));
    }
    expect((await attack.client.nextPacket())[0]).toBe(CHANNEL_FAILURE);
    expect((await attack.client.nextPacket())[0]).toBe(CHANNEL_SUCCESS);
    attack.attacked.forgetCalls();
    attack.client.sendPacket(message(channel.id));
    // Whatever was asked for first, there is no second.
    attack.client.sendPacket(execRequest(channel.id, "second"));
    await attack.client.expect(CHANNEL_SUCCESS);
    return (await attack.client.readProgram(channel)).stdout.toString();
  }

  it.each(programs)("runs in place of %s", async (_, message) => {
    const attack = await CertificateAttack.begin();
    expect(await run(attack, forced("date"), message)).toBe("Executed: date\n");
    expect(attack.attacked.callNames).toEqual(["checkChannelExecRequest"]);
    await attack.end();
  });

  it.each(programs)("of SFTP runs that in place of %s", async (_, message) => {
    const attack = await CertificateAttack.begin();
    expect(await run(attack, forced("internal-sftp"), message)).toBe("Executed: subsystem\n");
    expect(attack.named("checkChannelSubsystemRequest").map(({ parameters }) => parameters[1])).toEqual(["sftp"]);
    expect(attack.named("checkChannelShellRequest")).toEqual([]);
    await attack.end();
  });

  it("of SFTP with arguments is a command like any other", async () => {
    const attack = await CertificateAttack.begin();
    expect(await run(attack, forced("internal-sftp -R"), onSession("subsystem", text("sftp")))).toBe(
      "Executed: internal-sftp -R\n",
    );
    await attack.end();
  });

  it("of nothing does not run what was asked", async () => {
    const attack = await CertificateAttack.begin();
    expect(await run(attack, forced(""), (channel) => execRequest(channel, "sh"))).toBe("Executed: \n");
    await attack.end();
  });

  it("that is not the decision's lets nobody in", async () => {
    const attack = await CertificateAttack.begin();
    attack.server.decide = () => attack.server.grant({ permissions: { forceCommand: "uptime" } });
    await attack.expectRefused(attack.proof(forced("date")));
    await attack.expectNobody();
  });
});

describe.each(["ed25519", "ecdsa"] as const)("a certificate of a FIDO key (%s)", (type) => {
  const device = new SoftwareSecurityKey(type);
  const algorithm = device.key.keyType.replace("@openssh.com", "-cert-v01@openssh.com");
  const VERIFY: Partial<CraftedCertificate> = { criticalOptions: [["verify-required", ""]] };
  const NO_TOUCH: Partial<CraftedCertificate> = { extensions: [["no-touch-required", ""]] };

  async function login(
    attack: CertificateAttack,
    certificate: Partial<CraftedCertificate>,
    options: GrantOptions,
    sign: (data: Buffer) => Buffer,
  ): Promise<boolean> {
    attack.server.decide = () => attack.server.grant(options);
    const asked = request(craft({ key: device.key, ...certificate }), { algorithm });
    const [number] = await attack.client.authenticate(
      publickeyProof(asked, sign(publickeySignedData(attack.client.sessionId, asked))),
    );
    expect([USERAUTH_FAILURE, USERAUTH_SUCCESS]).toContain(number);
    await attack.end();
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
    const attack = await CertificateAttack.begin();
    expect(await login(attack, certificate, options, (data) => device.sign(data, { flags }))).toBe(expected);
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
    const attack = await CertificateAttack.begin();
    expect(await login(attack, {}, { touch: "optional" }, sign)).toBe(false);
  });
});

function patched(bytes: Buffer, at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bytes.length + at] = byte;
  return copy;
}

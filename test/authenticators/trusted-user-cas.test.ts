import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type TrustedUserCAsOptions, trustedUserCAs } from "../../src/authenticators/trusted-user-cas.js";
import { ALL_PERMISSIONS, ConfigurationError, Grant } from "../../src/index.js";
import { AUTH_FAILED } from "../../src/protocol/constants.js";
import { temporaryFolder } from "../support/tools.js";
import { ALGORITHM, certificateOf, connectionFrom, LogRecord, newKey } from "./test-login.js";

const folder = temporaryFolder();
const local = connectionFrom("127.0.0.1");
const authority = newKey();
const stranger = newKey();
const certificate = certificateOf(authority, ["ann", "web"]);

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o644);
  return path;
}

/** With lines of AuthorizedPrincipalsFile. */
function withPrincipals(text: string, options: TrustedUserCAsOptions = {}, key = certificate) {
  return trustedUserCAs([authority], { principals: () => text, ...options })("bob", key, local, ALGORITHM);
}

describe("trustedUserCAs", () => {
  it.each([
    ["keys", [stranger, authority]],
    ["a text", `# ours\n${stranger.toPublicString()}\n\n  ${authority.toPublicString()} ours\n`],
    ["a file", { file: write("authorities", `${authority.toPublicString()}\n`) }],
    ["a function", async () => authority.toPublicString()],
  ])("trusts the authorities of %s", async (_, source) => {
    const hook = trustedUserCAs(source, { logger: false });
    const decision = await hook("ann", certificate, local, ALGORITHM);
    if (!(decision instanceof Grant)) throw new Error("refused");
    expect(decision.authority?.equals(authority)).toBe(true);
    expect(decision).toMatchObject({ touch: "optional", verification: "optional", permissions: ALL_PERMISSIONS });
    expect(await hook("bob", certificate, local, ALGORITHM)).toBe(AUTH_FAILED);
    expect(await hook("ann", certificateOf(newKey(), ["ann"]), local, ALGORITHM)).toBe(AUTH_FAILED);
    expect(await hook("ann", authority, local, ALGORITHM)).toBe(AUTH_FAILED);
  });

  it("lets a plain key in for nothing, not even one that is certified", async () => {
    const plain = certificate.certificate?.publicKey ?? authority;
    expect(await trustedUserCAs([authority, plain])("ann", plain, local, ALGORITHM)).toBe(AUTH_FAILED);
  });

  it("refuses lines with options, certificates and what is not a key, and them alone", async () => {
    const log = new LogRecord();
    const text = `cert-authority ${authority.toPublicString()}\n${certificate.toPublicString()}\njunk\n${stranger.toPublicString()}`;
    const hook = trustedUserCAs(text, { logger: log });
    expect(log.lines.map(({ line }) => line)).toEqual([1, 2, 3]);
    expect(await hook("ann", certificate, local, ALGORITHM)).toBe(AUTH_FAILED);
    expect(await hook("ann", certificateOf(stranger, ["ann"]), local, ALGORITHM)).toBeInstanceOf(Grant);
    expect(() => trustedUserCAs("/etc/ssh/ca.pub")).toThrow(ConfigurationError);
    expect(() => trustedUserCAs([certificate])).toThrow(ConfigurationError);
  });

  it("takes no option that does not exist", () => {
    const options: object = { principles: () => "restrict web" };
    expect(() => trustedUserCAs([authority], options)).toThrow(/^principles: is not an option/);
  });

  it.each<[string, unknown, object]>([
    ["source", ["ssh-ed25519 AAAA"], {}],
    ["source", [undefined], {}],
    ["principals", [authority], { principals: ["ann"] }],
    ["principals", [authority], { principals: "/etc/ssh/principals/%u" }],
    ["principals", [authority], { principals: null }],
    ["permitUserEnvironment", [authority], { permitUserEnvironment: "yes" }],
  ])("refuses what %s cannot be: %j %j", (option, source, options) => {
    expect(() => Reflect.apply(trustedUserCAs, undefined, [source, options])).toThrow(
      expect.objectContaining({ name: "ConfigurationError", option }),
    );
  });

  it("follows what is in the file", async () => {
    const file = write("changing", stranger.toPublicString());
    const hook = trustedUserCAs({ file });
    expect(await hook("ann", certificate, local, ALGORITHM)).toBe(AUTH_FAILED);
    write("changing", authority.toPublicString());
    expect(await hook("ann", certificate, local, ALGORITHM)).toBeInstanceOf(Grant);
    chmodSync(file, 0o666);
    expect(await hook("ann", certificate, local, ALGORITHM)).toBe(AUTH_FAILED);
  });
});

describe("trustedUserCAs with principals", () => {
  it("asks for one of the principals of the user, in place of the name", async () => {
    for (const text of ["web", "db\nann\n", " web \t\r\n", "# a\n\nweb # b", "web#b"]) {
      expect(await withPrincipals(text)).toBeInstanceOf(Grant);
    }
    for (const text of ["", "bob", "WEB", "web,ann", "*", "we", "web x", "#web", '"web"']) {
      expect(await withPrincipals(text)).toBe(AUTH_FAILED);
    }
  });

  it("takes options from the line of the first principal that fits", async () => {
    expect(await withPrincipals("web")).toMatchObject({ touch: "required" });
    expect(
      await withPrincipals('no-pty,command="echo # \\"x\\"",no-touch-required,verify-required web # y\nweb'),
    ).toMatchObject({
      touch: "optional",
      verification: "required",
      permissions: { pty: false, forceCommand: 'echo # "x"' },
    });
    expect(await withPrincipals('from="10.0.0.1" web\nweb')).toBe(AUTH_FAILED);
    expect(await withPrincipals('expiry-time="20200101" web\nann')).toBe(AUTH_FAILED);
    expect(await withPrincipals('from="10.0.0.1" db\nweb')).toBeInstanceOf(Grant);
  });

  it("refuses lines that cannot be used, and them alone", async () => {
    const bad = [
      "unknown web",
      "cert-authority web",
      'principals="web" web',
      "pty no-pty web",
      'command="true web',
      "pty",
    ];
    for (const line of bad) {
      expect(await withPrincipals(line)).toBe(AUTH_FAILED);
      expect(await withPrincipals(`${line}\nno-pty web`)).toMatchObject({ permissions: { pty: false } });
    }
  });

  it("refuses another command than the certificate's", async () => {
    const forced = certificateOf(authority, ["web"], { "force-command": "true" });
    expect(await withPrincipals('command="false" web', {}, forced)).toBe(AUTH_FAILED);
    expect(await withPrincipals('command="true" web', {}, forced)).toBeInstanceOf(Grant);
  });

  it("knows variables only where it should", async () => {
    const text = 'environment="A=b" web';
    expect(await withPrincipals(text)).toMatchObject({ permissions: { environment: {} } });
    const decision = await withPrincipals(text, { permitUserEnvironment: true });
    expect(decision).toMatchObject({ permissions: { environment: { A: "b" } } });
  });

  it("takes names from a function, and none that are lines", async () => {
    const named = (names: readonly string[] | undefined) =>
      trustedUserCAs([authority], { principals: async () => names })("bob", certificate, local, ALGORITHM);
    expect(await named(["db", "web"])).toBeInstanceOf(Grant);
    expect(await named(["db"])).toBe(AUTH_FAILED);
    expect(await named([])).toBe(AUTH_FAILED);
    expect(await named(undefined)).toBe(AUTH_FAILED);
    for (const name of ["x\nweb", "no-pty web", "", "#", "web "])
      await expect(named([name])).rejects.toThrow(ConfigurationError);
  });

  it("reads the user's own file", async () => {
    write("bob.principals", "web\n");
    const hook = trustedUserCAs([authority], { principals: { file: join(folder, "%u.principals") } });
    expect(await hook("bob", certificate, local, ALGORITHM)).toBeInstanceOf(Grant);
    expect(await hook("ann", certificate, local, ALGORITHM)).toBe(AUTH_FAILED);
  });
});

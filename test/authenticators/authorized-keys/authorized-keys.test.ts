import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { authorizedKeys } from "../../../src/authenticators/authorized-keys/authorized-keys.js";
import { ALL_PERMISSIONS, ConfigurationError, Grant } from "../../../src/index.js";
import { AUTH_FAILED } from "../../../src/protocol/constants.js";
import { OPTION_CASES } from "../../support/option-cases.js";
import { temporaryFolder } from "../../support/tools.js";
import { ALGORITHM, certificateOf, connectionFrom, LogRecord, newKey } from "../test-login.js";
import { describeOptions } from "./describe-options.js";

const folder = temporaryFolder();
const local = connectionFrom("127.0.0.1");
const key = newKey();
const other = newKey();
const authority = newKey();
const line = key.toPublicString();
const authorityLine = authority.toPublicString();

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o644);
  return path;
}

afterEach(() => void vi.useRealTimers());

describe("authorizedKeys with a key", () => {
  it("lets in the key of a line, and no other", async () => {
    const hook = authorizedKeys(`# mine\n${line} comment\n`);
    const decision = await hook("ann", key, local, ALGORITHM);
    expect(decision).toBeInstanceOf(Grant);
    expect(decision).toMatchObject({
      authority: undefined,
      touch: "required",
      verification: "optional",
      permissions: ALL_PERMISSIONS,
    });
    expect(await hook("ann", other, local, ALGORITHM)).toBe(AUTH_FAILED);
    expect(await authorizedKeys("")("ann", key, local, ALGORITHM)).toBe(AUTH_FAILED);
  });

  it.each(OPTION_CASES)("comes to $expected with $options", async ({ options, expected }) => {
    const hook = authorizedKeys(() => `${options} ${line}`, { permitUserEnvironment: true });
    const decision = await hook("ann", key, local, ALGORITHM);
    if (expected === "refused" || expected === "not now") {
      expect(decision).toBe(AUTH_FAILED);
      return;
    }
    if (!(decision instanceof Grant)) throw new Error("refused");
    const shown = describeOptions({
      ...decision,
      role: "user",
      principals: undefined,
      from: undefined,
      expiry: undefined,
    });
    expect(shown).toBe(expected.replace(/ expiry=\d+/, ""));
  });

  it("knows no variables unless it should", async () => {
    const decision = await authorizedKeys(`environment="A=b" ${line}`)("ann", key, local, ALGORITHM);
    expect(decision).toMatchObject({ permissions: { environment: {} } });
  });

  it("goes on to other lines with the same key when one refuses", async () => {
    const text = `from="10.0.0.1" ${line}\nunknown ${line}\nexpiry-time="20200101" ${line}\nno-pty ${line}\n${line}`;
    const log = new LogRecord();
    const decision = await authorizedKeys(text, { logger: log })("ann", key, local, ALGORITHM);
    expect(decision).toMatchObject({ permissions: { pty: false, agentForwarding: true } });
    expect(log.lines).toEqual([
      { level: "warn", message: "authorized key refused", line: 2, reason: "the option unknown is unknown" },
      {
        level: "info",
        message: "authorized key not accepted",
        line: 1,
        username: "ann",
        connection: 1,
        reason: "not from 127.0.0.1",
      },
      {
        level: "info",
        message: "authorized key not accepted",
        line: 3,
        username: "ann",
        connection: 1,
        reason: "the line has expired",
      },
    ]);
  });

  it("asks where the client is and what time it is at each login", async () => {
    const hook = authorizedKeys(`from="10.0.0.0/8",expiry-time="20300101120000Z" ${line}`);
    vi.useFakeTimers({ now: new Date("2030-01-01T12:00:00.999Z") });
    expect(await hook("ann", key, connectionFrom("10.1.2.3"), ALGORITHM)).toBeInstanceOf(Grant);
    expect(await hook("ann", key, connectionFrom("::ffff:10.1.2.3"), ALGORITHM)).toBeInstanceOf(Grant);
    for (const address of ["11.0.0.1", "::1", undefined]) {
      expect(await hook("ann", key, connectionFrom(address), ALGORITHM)).toBe(AUTH_FAILED);
    }
    vi.setSystemTime(new Date("2030-01-01T12:00:01Z"));
    expect(await hook("ann", key, connectionFrom("10.1.2.3"), ALGORITHM)).toBe(AUTH_FAILED);
  });

  it("lets nobody in by a line that has any unknown or malformed option", async () => {
    const good = OPTION_CASES.filter(({ expected }) => expected !== "refused" && expected !== "not now");
    const bad = OPTION_CASES.filter(({ expected }) => expected === "refused");
    const option = ({ options }: { readonly options: string }) => options;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...good.map(option)), { maxLength: 2 }),
        fc.constantFrom(...bad.map(option)),
        async (before, wrong) => {
          const text = `${[...before, wrong].join(",")} ${line}`;
          expect(await authorizedKeys(() => text)("ann", key, local, ALGORITHM)).toBe(AUTH_FAILED);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("authorizedKeys with a certificate", () => {
  const decide = (text: string, certificate = certificateOf(authority, ["ann", "web"]), username = "ann") =>
    authorizedKeys(() => text)(username, certificate, local, ALGORITHM);

  it("lets in users whom an authority of a cert-authority line has certified", async () => {
    const decision = await decide(`cert-authority,no-pty,no-touch-required,verify-required ${authorityLine}`);
    if (!(decision instanceof Grant)) throw new Error("refused");
    expect(decision.authority?.equals(authority)).toBe(true);
    expect(decision).toMatchObject({ touch: "optional", verification: "required", permissions: { pty: false } });
    expect(await decide(`cert-authority ${authorityLine}`)).toMatchObject({
      touch: "required",
      verification: "optional",
    });
  });

  it("takes no line for a plain key, and no other authority", async () => {
    const certificate = certificateOf(authority, ["ann"]);
    const plain = certificate.certificate?.publicKey.toPublicString();
    for (const text of [
      authorityLine,
      `${plain}`,
      `cert-authority ${plain}`,
      `cert-authority ${other.toPublicString()}`,
    ]) {
      expect(await decide(text, certificate)).toBe(AUTH_FAILED);
    }
    expect(await authorizedKeys(`cert-authority ${line}`)("ann", key, local, ALGORITHM)).toBe(AUTH_FAILED);
  });

  it("takes no certificate that stands in the file", async () => {
    const certificate = certificateOf(authority, ["ann"]);
    for (const text of [certificate.toPublicString(), `cert-authority ${certificate.toPublicString()}`]) {
      expect(await decide(text, certificate)).toBe(AUTH_FAILED);
      expect(() => authorizedKeys(text, { logger: false })).toThrow(ConfigurationError);
    }
  });

  it("takes no option that does not exist", () => {
    const options: object = { strictMode: "on" };
    expect(() => authorizedKeys({ file: "keys" }, options)).toThrow(/^strictMode: is not an option/);
    for (const permitUserEnvironment of ["yes", "true", 1]) {
      expect(() => Reflect.apply(authorizedKeys, undefined, [{ file: "keys" }, { permitUserEnvironment }])).toThrow(
        "permitUserEnvironment: must be true or false",
      );
    }
  });

  it("wants the user's name among the principals, or one of those of the line", async () => {
    expect(await decide(`cert-authority ${authorityLine}`, undefined, "bob")).toBe(AUTH_FAILED);
    expect(await decide(`cert-authority ${authorityLine}`, undefined, "Ann")).toBe(AUTH_FAILED);
    expect(await decide(`cert-authority,principals="db,web" ${authorityLine}`, undefined, "bob")).toBeInstanceOf(Grant);
    for (const principals of ["db", "", "WEB", "*", "db, web", "web "]) {
      expect(await decide(`cert-authority,principals="${principals}" ${authorityLine}`)).toBe(AUTH_FAILED);
    }
  });

  it("goes on to other lines when a line forces another command than the certificate", async () => {
    const certificate = certificateOf(authority, ["ann"], { "force-command": "true" });
    const ca = `cert-authority,command="false" ${authorityLine}`;
    expect(await decide(ca, certificate)).toBe(AUTH_FAILED);
    expect(await decide(`${ca}\ncert-authority ${authorityLine}`, certificate)).toBeInstanceOf(Grant);
    expect(await decide(`cert-authority,command="true" ${authorityLine}`, certificate)).toBeInstanceOf(Grant);
  });
});

describe("authorizedKeys with files", () => {
  it("reads the user's own file, and what has changed in it", async () => {
    const hook = authorizedKeys({ file: join(folder, "%u.keys") });
    expect(await hook("ann", key, local, ALGORITHM)).toBe(AUTH_FAILED);
    write("ann.keys", `${line}\n`);
    expect(await hook("ann", key, local, ALGORITHM)).toBeInstanceOf(Grant);
    expect(await hook("bob", key, local, ALGORITHM)).toBe(AUTH_FAILED);
    write("ann.keys", `no-pty ${line}\n`);
    expect(await hook("ann", key, local, ALGORITHM)).toMatchObject({ permissions: { pty: false } });
    write("ann.keys", `${other.toPublicString()}\n`);
    expect(await hook("ann", key, local, ALGORITHM)).toBe(AUTH_FAILED);
  });

  it("reads no file of another folder", async () => {
    mkdirSync(join(folder, "users"));
    write("outside", line);
    const hook = authorizedKeys({ file: join(folder, "users/%u") });
    for (const name of ["../outside", "..", ".", "", "/etc/passwd", "a/../../outside"]) {
      expect(await hook(name, key, local, ALGORITHM)).toBe(AUTH_FAILED);
    }
  });

  it("takes the first line of several files that lets in", async () => {
    const file = [join(folder, "none"), write("one", `no-pty ${line}`), write("two", line)];
    expect(await authorizedKeys({ file })("ann", key, local, ALGORITHM)).toMatchObject({ permissions: { pty: false } });
  });

  it("tells of lines and files that are not used, once for what is in them", async () => {
    const path = write("told", `oops\n${line}\nfrom="10.0.0.1/8" ${line}\n`);
    const log = new LogRecord();
    const hook = authorizedKeys({ file: path }, { logger: log });
    for (let round = 0; round < 3; round++) expect(await hook("ann", key, local, ALGORITHM)).toBeInstanceOf(Grant);
    expect(log.lines).toEqual([
      { level: "warn", message: "authorized key refused", path, line: 1, reason: "the option oops is unknown" },
      {
        level: "warn",
        message: "authorized key refused",
        path,
        line: 3,
        reason: "10.0.0.1/8 has bits beyond its prefix",
      },
    ]);
    log.lines.length = 0;
    chmodSync(path, 0o666);
    for (let round = 0; round < 3; round++) expect(await hook("ann", key, local, ALGORITHM)).toBe(AUTH_FAILED);
    expect(log.lines).toEqual([
      {
        level: "warn",
        message: "authorized keys not used",
        path,
        reason: "other users can write it (mode 0666): chmod go-w it",
      },
    ]);
    chmodSync(path, 0o644);
    expect(await hook("ann", key, local, ALGORITHM)).toBeInstanceOf(Grant);
    chmodSync(path, 0o666);
    await hook("ann", key, local, ALGORITHM);
    expect(log.lines).toHaveLength(2);
    await hook("ann", key, connectionFrom("127.0.0.1"), ALGORITHM);
    expect(log.lines).toHaveLength(3);
  });
});

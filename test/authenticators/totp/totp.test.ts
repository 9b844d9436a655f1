import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { oneTimeCode } from "../../../src/authenticators/totp/one-time-code.js";
import { type TotpCheck, totp } from "../../../src/authenticators/totp/totp.js";
import { silentLogger } from "../../../src/base/logger.js";
import { AUTH_FAILED, AUTH_SUCCESSFUL, type AuthResult } from "../../../src/protocol/constants.js";
import type { InfoRequest } from "../../../src/protocol/messages/userauth-keyboard-interactive.js";
import { temporaryFolder } from "../../support/tools.js";

const SECRETS = { ann: "12345678901234567890", bob: "abcdefghijklmnopqrst" } as const;
const TEXT = "ann:GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\nbob: mfrg gzdf mztw q2lk nnwg 23tp obyx e43u\n";
const PARAMETERS = { algorithm: "sha1", digits: 6, period: 30 } as const;
const temporary = temporaryFolder();
const START = 1_800_000_000;

const codeOf = (user: keyof typeof SECRETS, offset = 0) =>
  oneTimeCode(Buffer.from(SECRETS[user]), Math.floor(Date.now() / 30_000) + offset, PARAMETERS);
/** A code that is not accepted now. */
const wrongCode = (user: keyof typeof SECRETS) =>
  ["000000", "111111", "222222", "333333"].find((code) =>
    [-1, 0, 1].every((offset) => code !== codeOf(user, offset)),
  ) ?? "";
const answer = (check: TotpCheck, username: string, code: string): Promise<AuthResult> =>
  check(username, "", async () => [code]);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START * 1000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);

describe("totp", () => {
  it("lets in a user who has the code, from one period before to one after", async () => {
    for (const offset of [-1, 0, 1]) {
      expect(await answer(totp(TEXT), "ann", codeOf("ann", offset))).toBe(AUTH_SUCCESSFUL);
    }
    for (const offset of [-2, 2]) expect(await answer(totp(TEXT), "ann", codeOf("ann", offset))).toBe(AUTH_FAILED);
    expect(await answer(totp(TEXT, { window: 0 }), "ann", codeOf("ann", 1))).toBe(AUTH_FAILED);
    expect(await answer(totp(TEXT, { window: 2 }), "ann", codeOf("ann", -2))).toBe(AUTH_SUCCESSFUL);
    expect(await answer(totp(TEXT), "ann", codeOf("bob"))).toBe(AUTH_FAILED);
    expect(await answer(totp(TEXT), "bob", codeOf("bob"))).toBe(AUTH_SUCCESSFUL);
  });

  it("takes the codes of RFC 6238", async () => {
    const secrets = new Map([["ann", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA"]]);
    vi.setSystemTime(1111111109_000);
    expect(await answer(totp(secrets, { algorithm: "sha256", digits: 8 }), "ann", "68084774")).toBe(AUTH_SUCCESSFUL);
    expect(await answer(totp(secrets, { algorithm: "sha1", digits: 8 }), "ann", "68084774")).toBe(AUTH_FAILED);
  });

  it("takes a code as apps show it, and nothing else", async () => {
    const code = codeOf("ann");
    expect(await answer(totp(TEXT), "ann", `${code.slice(0, 3)} ${code.slice(3)}`)).toBe(AUTH_SUCCESSFUL);
    for (const text of ["", code.slice(1), `${code}0`, `0${code}`, `${code}\n`, "äääääääää", "x".repeat(100_000)]) {
      expect(await answer(totp(TEXT), "ann", text)).toBe(AUTH_FAILED);
    }
    expect(await totp(TEXT)("ann", "", async () => [])).toBe(AUTH_FAILED);
  });

  it("takes a code once, and none from before it", async () => {
    const check = totp(TEXT);
    expect(await answer(check, "ann", codeOf("ann"))).toBe(AUTH_SUCCESSFUL);
    expect(await answer(check, "ann", codeOf("ann"))).toBe(AUTH_FAILED);
    expect(await answer(check, "ann", codeOf("ann", -1))).toBe(AUTH_FAILED);
    pass(30);
    expect(await answer(check, "ann", codeOf("ann", -1))).toBe(AUTH_FAILED);
    expect(await answer(check, "ann", codeOf("ann"))).toBe(AUTH_SUCCESSFUL);
  });

  it("takes a code once from connections that give it at the same time", async () => {
    const check = totp(async () => "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    const code = codeOf("ann");
    const results = await Promise.all(Array.from({ length: 5 }, () => answer(check, "ann", code)));
    expect(results.filter((result) => result === AUTH_SUCCESSFUL)).toHaveLength(1);
  });

  it("asks everybody the same, and lets in nobody without a secret", async () => {
    const check = totp(`${TEXT}\nbad:JBSWY3DPEHPK3PXP\n`, { logger: false });
    const asked: InfoRequest[] = [];
    for (const username of ["ann", "eve", "bad", "__proto__", ""]) {
      const result = await check(username, "", async (request) => {
        asked.push(request);
        return ["000000"];
      });
      expect(result).toBe(AUTH_FAILED);
    }
    expect(asked).toHaveLength(5);
    expect(new Set(asked.map((request) => JSON.stringify(request))).size).toBe(1);
  });

  it("looks at no code for a while after five wrong ones, however many connections", async () => {
    const warn = vi.fn();
    const check = totp(TEXT, { logger: { ...silentLogger, warn } });
    for (let guess = 0; guess < 5; guess++) await answer(check, "ann", wrongCode("ann"));
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(
      { username: "ann", seconds: 30 },
      "too many wrong codes: all are refused for a time",
    );
    expect(await answer(check, "ann", codeOf("ann"))).toBe(AUTH_FAILED);
    expect(await answer(check, "bob", codeOf("bob"))).toBe(AUTH_SUCCESSFUL);
    pass(29);
    expect(await answer(check, "ann", codeOf("ann"))).toBe(AUTH_FAILED);
    pass(1);
    expect(await answer(check, "ann", wrongCode("ann"))).toBe(AUTH_FAILED);
    pass(59);
    expect(await answer(check, "ann", codeOf("ann"))).toBe(AUTH_FAILED);
    pass(1);
    expect(await answer(check, "ann", codeOf("ann"))).toBe(AUTH_SUCCESSFUL);
    pass(30);
    expect(await answer(check, "ann", wrongCode("ann"))).toBe(AUTH_FAILED);
    expect(await answer(check, "ann", codeOf("ann"))).toBe(AUTH_SUCCESSFUL);
  });

  it("fails with the dialogue, and does not count that", async () => {
    const check = totp(TEXT);
    for (let time = 0; time < 10; time++) {
      await expect(check("ann", "", () => Promise.reject(new Error("gone")))).rejects.toThrow("gone");
    }
    expect(await answer(check, "ann", codeOf("ann"))).toBe(AUTH_SUCCESSFUL);
  });

  it("reads a file, and again when it has changed", async () => {
    const file = join(temporary, "secrets");
    const check = totp({ file }, { logger: false });
    await expect(check.load()).rejects.toThrow(/file of secrets .* cannot be used: there is no such file/);
    expect(await answer(check, "ann", codeOf("ann"))).toBe(AUTH_FAILED);
    writeFileSync(file, TEXT, { mode: 0o600 });
    expect(await check.load()).toEqual(["ann", "bob"]);
    expect(await answer(check, "ann", codeOf("ann"))).toBe(AUTH_SUCCESSFUL);
    writeFileSync(file, "# nobody\n");
    expect(await answer(check, "bob", codeOf("bob"))).toBe(AUTH_FAILED);
  });

  it.each([
    [{ window: 3 }, "window"],
    [{ window: -1 }, "window"],
    [{ digits: 4 }, "digits"],
    [{ windows: 0 } as object, /^windows: is not an option/],
  ])("refuses %j", (options, option) => {
    expect(() => totp(TEXT, options)).toThrow(option);
  });
});

import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { parsePasswordHash } from "../../src/authenticators/passwords/parse-password-hash.js";
import { matchesHash } from "../../src/authenticators/passwords/password-hash.js";
import { builtFile } from "../support/build.js";
import { needs } from "../support/clients.js";
import { sample } from "../support/extent.js";

const COMMAND = [process.execPath, builtFile("src/cli/main.ts"), "hash-password"] as const;

function hash(input: string | Buffer) {
  const [program, ...parameters] = COMMAND;
  return spawnSync(program, parameters, { input, encoding: "utf8", timeout: 20_000 });
}

describe("spindlex hash-password", () => {
  it.each(sample([["top secret\r\n"], ["top secret\n"], ["top secret"]], 2))("reads %j from a pipe", async (input) => {
    const { status, stdout, stderr } = hash(input);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^\$scrypt\$\S+\n$/);
    expect(await matchesHash("top secret", parsePasswordHash(stdout.trim()))).toBe(true);
  });

  it.each([
    ["", "the password is empty"],
    ["\n", "the password is empty"],
    ["one\ntwo\n", "the password is not one line of text"],
    ["a\u0000b\n", "the password is not one line of text"],
    [Buffer.of(0xff, 0x0a), "the password is not in UTF-8"],
    ["x".repeat(1025), "the password is over 1024 bytes long"],
  ])("refuses %j", (input, message) => {
    expect(hash(input)).toMatchObject({ status: 1, stdout: "", stderr: `spindlex: ${message}\n` });
  });
});

describe("spindlex hash-password at a terminal", needs("expect"), () => {
  /** Types answers at a terminal; gives all that is to be seen on it. */
  function type(...answers: readonly string[]) {
    const dialogue = ["Password: ", "Again: "]
      .slice(0, answers.length)
      .flatMap((prompt, index) => [`expect -ex {${prompt}}`, `send -- "${answers[index]}"`]);
    const script = [
      "set timeout 15",
      `spawn -noecho ${COMMAND.join(" ")}`,
      ...dialogue,
      "expect eof",
      "exit [lindex [wait] 3]",
    ];
    return spawnSync("expect", ["-c", script.join("\n")], { encoding: "utf8", timeout: 20_000 });
  }

  it("asks twice and shows nothing of the password", async () => {
    const { status, stdout } = type("top secreX\\u007ft\\r", "top secret\\r");
    expect(status, stdout).toBe(0);
    expect(stdout).not.toMatch(/top|secre/);
    const [line = ""] = /\$scrypt\$\S+/.exec(stdout) ?? [];
    expect(await matchesHash("top secret", parsePasswordHash(line))).toBe(true);
  });

  it("shows nothing of answers that come at once", async () => {
    const { status, stdout } = type("top secret\\rtop secret\\r");
    expect(status, stdout).toBe(0);
    expect(stdout).not.toMatch(/secret/);
  });

  it("takes no password that was typed in two ways", () => {
    const { status, stdout } = type("one\\r", "two\\r");
    expect(status).toBe(1);
    expect(stdout).toContain("spindlex: the two passwords are not the same");
    expect(stdout).not.toContain("$scrypt");
  });

  it.each([
    ["Ctrl-C", "\\u0003"],
    ["Ctrl-D", "\\u0004"],
  ])("gives up at %s", (_name, key) => {
    const { status, stdout } = type(key);
    expect(status).toBe(1);
    expect(stdout).toContain("spindlex: no password was given");
  });
});

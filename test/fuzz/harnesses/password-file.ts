import { parseUserLines } from "../../../src/authenticators/files/user-lines.js";
import { parsePasswordEntry } from "../../../src/authenticators/passwords/password-entry.js";
import { parseTotpSecret } from "../../../src/authenticators/totp/totp-secret.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";

const SALT = "c2FsdHNhbHRzYWx0";
const HASHES = [
  `$scrypt$ln=15,r=8,p=3$${SALT}$${"A".repeat(43)}`,
  `$argon2id$v=19$m=65536,t=3,p=4$${SALT}$${"A".repeat(43)}`,
  `$2b$12$${"a".repeat(21)}.${"a".repeat(31)}`,
  `$6$rounds=5000$saltsalt$${"a".repeat(86)}`,
  `$5$saltsalt$${"a".repeat(43)}:19000:0:99999:7:::`,
  "!:19000:0:99999:7:30:20000:",
  "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
];

const PARSERS: readonly ((text: string) => unknown)[] = [parsePasswordEntry, parseTotpSecret];

/** Lines of password files, shadow files and files of secrets for one-time codes. No hash is computed. */
export const harness: Harness = {
  name: "password-file",
  seeds: HASHES.map((hash) => Buffer.from(`admin:${hash}\n# comment\nother:${hash}\n`)),
  memory: { base: 2 * 1024 * 1024, perByte: 2048 },
  run(bytes) {
    const text = bytes.toString("utf8");
    for (const parse of PARSERS) {
      // As it stands in a file, where whatever is thrown refuses the line, and alone, where it has to be an Error.
      const { users, refused } = parseUserLines(text, { kind: "file", form: "name:value", parse });
      assertTrue(users.size + refused.length <= text.split("\n").length, "there are more users than lines");
      for (const { reason } of refused)
        assertTrue(!reason.includes("$A") && reason.length < 200, "a reason quotes a hash");
      for (const line of text.split("\n")) {
        refusable(() => parse(line.slice(line.indexOf(":") + 1)), Error);
      }
    }
    refusable(() => parsePasswordEntry(text), Error)?.refusal(20_000);
  },
};

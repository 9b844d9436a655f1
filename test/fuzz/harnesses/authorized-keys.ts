import { parseKeyLine } from "../../../src/authenticators/authorized-keys/key-line.js";
import { parsePrincipalLine } from "../../../src/authenticators/authorized-keys/principal-line.js";
import { parseLines } from "../../../src/authenticators/files/content-lines.js";
import { KeyError } from "../../../src/crypto/keys/key-error.js";
import { assertTrue, type Harness, refusable } from "../engine/harness.js";
import { publicLines } from "../support/keys.js";

const [key = ""] = publicLines;
const OPTIONS = [
  'restrict,command="ls \\"-l\\"",pty,from="192.0.2.0/24,!192.0.2.1,*.example.com"',
  'cert-authority,principals="admin,other",no-touch-required,verify-required',
  'expiry-time="20300101",environment="A=b",permitopen="[::1]:22",permitopen="host:*",permitlisten="8080",tunnel="1"',
  "no-pty,no-port-forwarding,no-agent-forwarding,no-X11-forwarding,no-user-rc",
];

/** Files of authorized_keys, and of the principals of certificates. */
export const harness: Harness = {
  name: "authorized-keys",
  seeds: [...OPTIONS.map((options) => `${options} ${key}\n${options} admin`), publicLines.join("\n")].map((text) =>
    Buffer.from(text),
  ),
  maximumLength: 32 * 1024,
  maximumTime: 1000,
  memory: { base: 2 * 1024 * 1024, perByte: 4096 },
  run(bytes) {
    const text = bytes.toString("utf8");
    const { entries, refused } = parseLines(text, parseKeyLine);
    assertTrue(entries.length + refused.length <= text.split("\n").length, "there are more keys than lines");
    for (const [index, raw] of text.split("\n").entries()) {
      const line = { line: index + 1, content: raw.trim() };
      if (line.content === "") continue;
      const entry = refusable(() => parseKeyLine(line), Error, KeyError);
      if (entry !== undefined) {
        // What restricts must not get lost on its way. Behind the key it is a comment.
        const start = line.content.slice(0, line.content.search(/(^| )(ssh|ecdsa|sk)-|$/));
        if (/(^|,)command="/i.test(start))
          assertTrue(entry.options.permissions.forceCommand !== undefined, "a lost command");
        if (/^from="/i.test(start)) assertTrue(entry.options.from !== undefined, "a lost from");
      }
      refusable(() => parsePrincipalLine(line), Error);
    }
  },
};

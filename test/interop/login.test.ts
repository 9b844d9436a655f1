import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  type ExecClientName,
  type Login,
  needs,
  TOOLS,
  TRIED_EXEC_CLIENTS,
  UNSUPPORTED_KEYS,
} from "../support/clients.js";
import { KEY_TYPES, type KeyType } from "../support/clients-keys.js";
import { isLong } from "../support/extent.js";
import { BANNER, USERS } from "../support/server.js";
import { type ServerFixture, serverFixture } from "../support/server-fixture.js";
import { run } from "../support/tools.js";

const ANSWERS = fileURLToPath(new URL("./drivers/answers.exp", import.meta.url));
const fixture = serverFixture();
/** With the key exchange that each client takes by itself, which costs some of them a tenth of a second. */
const byDefault = serverFixture({ algorithms: {} });
/** Where attempts fail: without the second that each failure takes by default. */
const refusing = serverFixture({ authFailureDelay: 0 });

/**
 * Most log in by the other kinds of keys in host-keys.test.ts, where the server has a host key of that kind; the long run
 * takes each for itself.
 */
const triedKeyTypes = (client: ExecClientName): readonly KeyType[] =>
  KEY_TYPES.filter(
    (type) => !UNSUPPORTED_KEYS[client]?.includes(type) && (isLong || type === "ed25519" || client === "ssh"),
  );

/** What the server refuses is told with one client, and with each of the others that it hears so at all. */
const hearsEachRefusal = (client: ExecClientName): boolean => isLong || client === "ssh";

/** The others answer several prompts, or ask for a new password, on a terminal only. */
const ANSWERS_PROMPTS: readonly ExecClientName[] = [
  "ssh",
  "ssh10",
  "paramiko",
  "asyncssh",
  "asyncssh-2.20",
  "ssh2",
  "libssh2",
];
const CHANGES_PASSWORD: readonly ExecClientName[] = ["ssh", "ssh10", "asyncssh", "asyncssh-2.20", "ssh2"];
const SHOWS_BANNER: readonly ExecClientName[] = [
  "ssh",
  "ssh10",
  "plink",
  "dbclient",
  "paramiko",
  "asyncssh",
  "asyncssh-2.20",
  "ssh2",
];
const TWO_FACTORS: readonly ExecClientName[] = [
  "ssh",
  "ssh10",
  "plink",
  "dbclient",
  "paramiko",
  "asyncssh",
  "asyncssh-2.20",
  "ssh2",
];

async function expectLogin(
  client: ExecClientName,
  login: Login,
  { options = [], server = fixture }: { readonly options?: readonly string[]; readonly server?: ServerFixture } = {},
): Promise<string> {
  const { code, stdout, stderr } = await server.exec(client, { login, command: "hello", options });
  expect({ code, stdout: stdout.toString() }, stderr).toEqual({ code: 0, stdout: "Executed: hello\n" });
  return stderr;
}

/** The exit code tells nothing here: dbclient has 0 when it cannot go on. */
async function expectRefusal(client: ExecClientName, login: Login): Promise<void> {
  const before = refusing.server.keyExchanges;
  const { stdout } = await refusing.exec(client, { login, command: "hello" });
  expect(stdout.toString()).toBe("");
  expect(refusing.server.keyExchanges).toBeGreaterThan(before);
  expect(refusing.server.server.lastLogin).toBeUndefined();
}

for (const client of TRIED_EXEC_CLIENTS) {
  describe(`login with ${client}`, needs(client), () => {
    const { interactive, both, expired } = USERS;

    it("by password, with all algorithms of the server", () =>
      expectLogin(client, { user: "admin", password: USERS.admin.password }, { server: byDefault }));

    it("not by a wrong password", () => expectRefusal(client, { user: "admin", password: "wrong" }));

    for (const keyType of triedKeyTypes(client).filter((type) => type !== "ed25519"))
      it(`by ${keyType} key`, () => expectLogin(client, { user: "admin", keyType }));

    const showsBanner = SHOWS_BANNER.includes(client);
    it(showsBanner ? "by ed25519 key, and shows the banner" : "by ed25519 key", async () => {
      // plink leaves it out when it is a part of a script, unless asked to be verbose.
      const options = client === "plink" ? ["-v"] : [];
      const stderr = await expectLogin(client, { user: "admin", keyType: "ed25519" }, { options });
      if (showsBanner) expect(stderr).toContain(BANNER.trim());
    });

    if (ANSWERS_PROMPTS.includes(client))
      it("by keyboard-interactive in two rounds", () => {
        const answers = [interactive.password, interactive.token, interactive.colour];
        return expectLogin(client, { user: "interactive", answers });
      });

    if (ANSWERS_PROMPTS.includes(client) && hearsEachRefusal(client))
      it("not by a wrong answer in the second round", () => {
        const answers = [interactive.password, interactive.token, "red"];
        return expectRefusal(client, { user: "interactive", answers });
      });

    if (!ANSWERS_PROMPTS.includes(client))
      it("by keyboard-interactive at a terminal", needs("expect"), async () => {
        const answers = [interactive.password, interactive.token, interactive.colour];
        const request = { login: { user: "interactive", answers }, command: "hello" };
        const { program, parameters, environment } = await fixture.clients.commandLine(client, fixture.server, request);
        const typed = ["-f", ANSWERS, ...answers, program, ...parameters];
        const { code, stdout, stderr } = await run(TOOLS.expect, typed, { environment });
        expect(stdout.toString(), stderr).toContain("Executed: hello");
        expect(code).toBe(0);
      });

    if (TWO_FACTORS.includes(client))
      it("by key and then password", () =>
        expectLogin(client, { user: "both", keyType: "ed25519", password: both.password }));

    if (hearsEachRefusal(client))
      it("not by the second factor alone", () => expectRefusal(client, { user: "both", password: both.password }));

    if (CHANGES_PASSWORD.includes(client))
      it("after changing an expired password", async () => {
        const { password, newPassword } = expired;
        const stderr = await expectLogin(client, { user: "expired", password, newPassword });
        if (client !== "ssh" && client !== "ssh10") expect(stderr).toContain("Time for a new password.");
      });

    if (hearsEachRefusal(client))
      it("not with an expired password that stays", () =>
        expectRefusal(client, { user: "expired", password: expired.password, newPassword: "" }));
  });
}

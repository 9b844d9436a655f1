import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { EXEC_CLIENTS, type ExecClientName, isMissing, type Login, TOOLS } from "../support/clients.js";
import { KEY_TYPES, type KeyType } from "../support/clients-keys.js";
import { BANNER, USERS } from "../support/server.js";
import { serverFixture } from "../support/server-fixture.js";
import { run } from "../support/tools.js";

const ANSWERS = fileURLToPath(new URL("./drivers/answers.exp", import.meta.url));
const fixture = serverFixture();

/** libssh2 1.10 signs with RSA keys by SHA-1 only, which this server does not take. */
const UNSUPPORTED_KEYS: Partial<Record<ExecClientName, readonly KeyType[]>> = { libssh2: ["rsa"] };

/** The others answer several prompts, or ask for a new password, on a terminal only. */
const ANSWERS_PROMPTS: readonly ExecClientName[] = ["ssh", "ssh10", "paramiko", "asyncssh", "ssh2", "libssh2"];
const CHANGES_PASSWORD: readonly ExecClientName[] = ["ssh", "ssh10", "asyncssh", "ssh2"];
const SHOWS_BANNER: readonly ExecClientName[] = ["ssh", "ssh10", "plink", "dbclient", "paramiko", "asyncssh", "ssh2"];
const TWO_FACTORS: readonly ExecClientName[] = ["ssh", "ssh10", "plink", "dbclient", "paramiko", "asyncssh", "ssh2"];

function hello(client: ExecClientName, login: Login) {
  return fixture.exec(client, { login, command: "hello" });
}

async function expectLogin(client: ExecClientName, login: Login): Promise<string> {
  const { code, stdout, stderr } = await hello(client, login);
  expect({ code, stdout: stdout.toString() }, stderr).toEqual({ code: 0, stdout: "Executed: hello\n" });
  return stderr;
}

/** The exit code tells nothing here: dbclient has 0 when it cannot go on. */
async function expectRefusal(client: ExecClientName, login: Login): Promise<void> {
  fixture.server.server.lastLogin = undefined;
  const { stdout } = await hello(client, login);
  expect(stdout.toString()).toBe("");
  expect(fixture.server.server.lastLogin).toBeUndefined();
}

for (const client of EXEC_CLIENTS) {
  describe.skipIf(isMissing(client))(`login with ${client}`, () => {
    const { interactive, both, expired } = USERS;

    it("by password", () => expectLogin(client, { user: "admin", password: USERS.admin.password }));

    it("not by a wrong password", () => expectRefusal(client, { user: "admin", password: "wrong" }));

    for (const keyType of KEY_TYPES.filter((type) => !UNSUPPORTED_KEYS[client]?.includes(type)))
      it(`by ${keyType} key`, () => expectLogin(client, { user: "admin", keyType }));

    it.runIf(SHOWS_BANNER.includes(client))("shows the banner", async () => {
      const stderr = await expectLogin(client, { user: "admin", keyType: "ed25519" });
      expect(stderr).toContain(BANNER.trim());
    });

    it.runIf(ANSWERS_PROMPTS.includes(client))("by keyboard-interactive in two rounds", () => {
      const answers = [interactive.password, interactive.token, interactive.colour];
      return expectLogin(client, { user: "interactive", answers });
    });

    it.runIf(ANSWERS_PROMPTS.includes(client))("not by a wrong answer in the second round", () => {
      const answers = [interactive.password, interactive.token, "red"];
      return expectRefusal(client, { user: "interactive", answers });
    });

    it.skipIf(ANSWERS_PROMPTS.includes(client) || isMissing("expect"))(
      "by keyboard-interactive at a terminal",
      async () => {
        const answers = [interactive.password, interactive.token, interactive.colour];
        const request = { login: { user: "interactive", answers }, command: "hello" };
        const { program, parameters, environment } = await fixture.clients.commandLine(client, fixture.server, request);
        const typed = ["-f", ANSWERS, ...answers, program, ...parameters];
        const { code, stdout, stderr } = await run(TOOLS.expect, typed, { environment });
        expect(stdout.toString(), stderr).toContain("Executed: hello");
        expect(code).toBe(0);
      },
    );

    it.runIf(TWO_FACTORS.includes(client))("by key and then password", () =>
      expectLogin(client, { user: "both", keyType: "ed25519", password: both.password }),
    );

    it("not by the second factor alone", () => expectRefusal(client, { user: "both", password: both.password }));

    it.runIf(CHANGES_PASSWORD.includes(client))("after changing an expired password", async () => {
      const { password, newPassword } = expired;
      const stderr = await expectLogin(client, { user: "expired", password, newPassword });
      if (client !== "ssh" && client !== "ssh10") expect(stderr).toContain("Time for a new password.");
    });

    it("not with an expired password that stays", () =>
      expectRefusal(client, { user: "expired", password: expired.password, newPassword: "" }));
  });
}

import { describe, expect, it } from "vitest";
import { type ExecClientName, type ExecRequest, needs, TRIED_EXEC_CLIENTS } from "../support/clients.js";
import { isLong } from "../support/extent.js";
import { serverFixture } from "../support/server-fixture.js";

const fixture = serverFixture();

/** How each client tells of a command that a signal ended: exit code, and what it says. */
const EXIT_SIGNAL: Readonly<Record<ExecClientName, { code: number; says: string }>> = {
  ssh: { code: 255, says: "" },
  ssh10: { code: 255, says: "" },
  plink: { code: 128, says: "" },
  // dbclient does not tell its caller.
  dbclient: { code: 0, says: "" },
  paramiko: { code: 255, says: "" },
  asyncssh: { code: 255, says: "exit-signal TERM (killed by the test)" },
  "asyncssh-2.20": { code: 255, says: "exit-signal TERM (killed by the test)" },
  ssh2: { code: 255, says: "exit-signal SIGTERM" },
  libssh2: { code: 255, says: "exit-signal TERM" },
};

const SENDS_SIGNALS: readonly ExecClientName[] = ["asyncssh", "asyncssh-2.20", "ssh2"];

for (const client of TRIED_EXEC_CLIENTS) {
  describe(`exec with ${client}`, needs(client), () => {
    const exec = (request: Omit<ExecRequest, "login">) =>
      fixture.exec(client, { login: { user: "admin", keyType: "ed25519" }, ...request });

    if (isLong || client === "ssh")
      it("gets the output", async () => {
        const { code, stdout } = await exec({ command: "a command with spaces, “quotes” and 'more'" });
        expect(stdout.toString()).toBe("Executed: a command with spaces, “quotes” and 'more'\n");
        expect(code).toBe(0);
      });

    it("gets the exit status, and stdout and stderr apart", async () => {
      const { code, stdout, stderr } = await exec({ command: "stderr 7" });
      expect(stdout.toString()).toBe("to stdout\n");
      expect(stderr).toContain("to stderr\n");
      expect(stderr).not.toContain("to stdout");
      expect(code).toBe(7);
    });

    // The others do so in transfer.test.ts.
    if (isLong || client === "ssh")
      it("ends when its own input ends", async () => {
        const { code, stdout } = await exec({ command: "echo-stdin", input: Buffer.from("there and back") });
        expect(stdout.toString()).toBe("there and back");
        expect(code).toBe(0);
      });

    it("learns of a signal that ended the command", async () => {
      const { code, stderr } = await exec({ command: "kill TERM" });
      expect(code, stderr).toBe(EXIT_SIGNAL[client].code);
      expect(stderr).toContain(EXIT_SIGNAL[client].says);
    });

    if (SENDS_SIGNALS.includes(client))
      it("sends a signal to the command", async () => {
        const { code, stdout } = await exec({ command: "wait-signal", signal: "INT" });
        expect(stdout.toString()).toBe("waiting\nsignal INT\n");
        expect(code).toBe(0);
      });
  });
}

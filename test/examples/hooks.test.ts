import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("hooks.ts");

describe("hooks.ts", needs("ssh"), () => {
  it("lets in one user with a password, runs commands, and has files", needs("sftp"), async () => {
    const port = await example.start();
    const outcome = await example.client.run(port, "secret", ["admin@localhost", "hello"]);
    expect(outcome).toEqual({ stdout: "Executed: hello\n", stderr: "", code: 0 });
    await example.server?.output(/^admin logged in$/m);
    writeFileSync(join(example.folder, "source"), "content\n");
    await example.sftp(port, [`put ${join(example.folder, "source")} file`]);
    expect(readFileSync(join(example.folder, "sftp_root", "file"), "utf8")).toBe("content\n");
  });

  it("tells on standard error what nothing allows, though it was given no logger", async () => {
    const port = await example.start();
    const words = ["-tt", "-o", "SetEnv=LANG=C WISH=granted", "admin@localhost"];
    const { stderr } = await example.client.run(port, "secret", words, { input: "" });
    expect(stderr).toContain("PTY allocation request failed on channel 0");
    const lines = await vi.waitFor(() => {
      const told = example.server?.stderr.split("\n") ?? [];
      expect(told).toHaveLength(4);
      return told;
    });
    const warning = (kind: string, ...fields: string[]) =>
      expect.stringMatching(
        new RegExp(
          `^[\\dTZ:.-]+ warn a request was refused connection=1 remoteAddress=127.0.0.1 remotePort=\\d+ username=admin reason="channel request ${kind}: nothing allows it" request=${kind} ${fields.join(" ")}$`,
        ),
      );
    expect(lines).toEqual([
      warning("pty-req", 'remedy="declare session, or override checkChannelPtyRequest"'),
      warning("env", "variable=WISH", 'remedy="declare session, or override checkChannelEnvRequest"'),
      warning("shell", 'remedy="declare session, or override checkChannelShellRequest"'),
      "",
    ]);
  });

  it.each([
    { user: "admin", password: "Secret" },
    { user: "root", password: "secret" },
  ])("refuses $user with the password $password", async ({ user, password }) => {
    const port = await example.start();
    const outcome = await example.client.run(port, password, [`${user}@localhost`, "hello"]);
    expect(outcome.code).toBe(255);
    expect(outcome.stderr).toContain("Permission denied (password).");
    expect(example.server?.stdout).not.toContain("logged in");
  });
});

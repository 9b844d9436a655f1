import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("certificate-server.ts");

describe("certificate-server.ts", needs("ssh"), () => {
  it("lets in by role whom the authority has certified", async () => {
    const [authority, user, stranger] = [
      example.makeKey("user_ca"),
      example.makeKey("certified"),
      example.makeKey("uncertified"),
    ];
    const certify = ["-q", "-s", authority.path, "-I", "ann@laptop", "-n", "release-manager", "-V", "+1h"];
    execFileSync("ssh-keygen", [...certify, `${user.path}.pub`]);
    const port = await example.start();
    const asked = await example.client.run(port, "", ["-i", user.path, "deploy@localhost", "whoami"]);
    expect(asked).toEqual({ stdout: 'whoami: "ann@laptop" as deploy\n', stderr: "", code: 0 });
    const forced = await example.client.run(port, "", ["-i", user.path, "backup@localhost", "whoami"]);
    expect(forced.stdout).toBe('backup: "ann@laptop" as backup\n');
    for (const words of [
      ["-i", user.path, "root@localhost"],
      ["-i", stranger.path, "deploy@localhost"],
      ["-i", authority.path, "deploy@localhost"],
    ]) {
      expect((await example.client.run(port, "", [...words, "whoami"])).stderr).toContain(
        "Permission denied (publickey).",
      );
    }
  });
});

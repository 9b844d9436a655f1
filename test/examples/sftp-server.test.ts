import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";
import { run } from "./real-client.js";

const example = exampleFixture("sftp-server.ts");

function scp(port: number, words: readonly string[]) {
  const parameters = ["-q", ...example.client.options, "-P", String(port), ...words];
  return run("scp", parameters, { env: example.client.environment("secret") });
}

describe("sftp-server.ts", needs("ssh"), () => {
  it("takes files by sftp, scp and the old scp, and gives them back", needs("sftp", "scp"), async () => {
    const root = join(example.folder, "sftp-root");
    const port = await example.start({ SFTP_ROOT: root });
    const source = join(example.folder, "source");
    writeFileSync(source, "content of a file\n");
    const transcript = await example.sftp(port, [`put ${source} by-sftp`, "rename by-sftp renamed", "ls -1"]);
    expect(transcript.stdout).toContain("\nrenamed\n");
    expect(readFileSync(join(root, "renamed"), "utf8")).toBe("content of a file\n");
    for (const protocol of ["-s", "-O"]) {
      const back = join(example.folder, `back${protocol}`);
      const copied = await scp(port, [protocol, source, `admin@localhost:by-scp${protocol}`]);
      expect(copied, protocol).toEqual({ stdout: "", stderr: "", code: 0 });
      expect(await scp(port, [protocol, `admin@localhost:/by-scp${protocol}`, back]), protocol).toMatchObject({
        code: 0,
      });
      expect(readFileSync(back, "utf8"), protocol).toBe("content of a file\n");
    }
  });
});

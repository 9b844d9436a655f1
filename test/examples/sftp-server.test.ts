import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { KNOWN_HASHES } from "../authenticators/passwords/known-hashes.js";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";
import { run } from "./real-client.js";

const example = exampleFixture("sftp-server.ts");

function scp(port: number, words: readonly string[]) {
  const parameters = ["-q", ...example.client.options, "-P", String(port), ...words];
  return run("scp", parameters, { env: example.client.environment("secret") });
}

describe("sftp-server.ts", needs("ssh"), () => {
  beforeAll(async () => {
    mkdirSync(join(example.folder, "homes"));
    const hash = KNOWN_HASHES.scrypt.hash;
    writeFileSync(join(example.folder, "users"), `admin:${hash}\nann:${hash}\n`, { mode: 0o600 });
  });

  it("takes files by sftp, scp and the old scp, and gives them back", needs("sftp", "scp"), async () => {
    const root = join(example.folder, "homes", "admin");
    const port = await example.start();
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

  it("gives each user a folder of their own", needs("sftp"), async () => {
    const port = await example.start();
    const source = join(example.folder, "of-ann");
    writeFileSync(source, "ann's\n");
    await example.sftp(port, [`put ${source} file`], "secret", "ann");
    expect(readFileSync(join(example.folder, "homes", "ann", "file"), "utf8")).toBe("ann's\n");
    const { stderr } = await example.sftp(port, ["get /file", "get /../ann/file"]);
    expect(stderr.match(/not found/g)).toHaveLength(2);
  });
});

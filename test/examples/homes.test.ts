import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { KNOWN_HASHES } from "../authenticators/passwords/known-hashes.js";
import { needs } from "../support/clients.js";
import { testBytes } from "../support/server.js";
import { exampleFixture } from "./example-fixture.js";
import { run } from "./real-client.js";

const example = exampleFixture("homes.ts");
const CONTENT = testBytes(300_000);
const inFolder = (...names: string[]) => join(example.folder, ...names);

describe("homes.ts", needs("ssh", "sftp", "scp"), () => {
  beforeAll(() => {
    for (const name of ["homes", "docs"]) mkdirSync(inFolder(name));
    writeFileSync(inFolder("docs", "guide"), "read me\n");
    writeFileSync(inFolder("source"), CONTENT);
    const users = ["ann", "ben"].map((name) => `${name}:${KNOWN_HASHES.scrypt.hash}\n`);
    writeFileSync(inFolder("users"), users.join(""), { mode: 0o600 });
  });

  it("gives each user a home with a quota, and the shared folders", async () => {
    const port = await example.start();
    const put = [`put ${inFolder("source")} mine`, `put ${inFolder("source")} /team/plan`];
    const ann = await example.sftp(
      port,
      [...put, "ls -1 /", "df", `put ${inFolder("source")} /docs/no`],
      "secret",
      "ann",
    );
    expect(ann.stdout).toMatch(/\n\/docs\n\/incoming\n\/mine\n\/team\n/);
    expect(ann.stdout).toMatch(/ 10485760 /);
    expect(ann.stderr).toContain("/docs/no");
    const ben = await example.sftp(port, [`get /team/plan ${inFolder("plan")}`, "ls -1 /"], "secret", "ben");
    expect(ben.stdout).toMatch(/\n\/docs\n\/incoming\n\/team\n$/);
    expect(readFileSync(inFolder("plan")).equals(CONTENT)).toBe(true);
    expect(readdirSync(inFolder("homes")).sort()).toEqual(["ann", "ben"]);
    expect(statSync(inFolder("homes", "ben")).mode & 0o777).toBe(0o700);
    expect(example.server?.stdout).toContain("ann /mine 300000 bytes completed\n");
  });

  it("has a drop box, in which nobody does anything to what is there", async () => {
    const port = await example.start();
    await example.sftp(port, [`put ${inFolder("source")} /incoming/offer`], "secret", "ann");
    const attempts = [
      `get /incoming/offer ${inFolder("taken")}`,
      `put ${inFolder("docs", "guide")} /incoming/offer`,
      "ls /incoming",
      "rename /incoming/offer /stolen",
      "ln /incoming/offer /linked",
      "chmod 777 /incoming/offer",
      "rm /incoming/offer",
    ];
    for (const user of ["ann", "ben"]) {
      const { stdout } = await example.sftp(port, [...attempts, "ls -1 /"], "secret", user);
      const shown = stdout.split("\n").filter((line) => !line.startsWith("sftp> "));
      expect(shown).toContain("/incoming");
      expect(shown.filter((line) => /^(\/incoming\/)?offer$|^\/(stolen|linked)$/.test(line))).toEqual([]);
    }
    expect(readdirSync(example.folder)).not.toContain("taken");
    expect(readdirSync(inFolder("incoming"))).toEqual(["offer"]);
    expect(readFileSync(inFolder("incoming", "offer")).equals(CONTENT)).toBe(true);
    expect(statSync(inFolder("incoming", "offer")).mode & 0o777).not.toBe(0o777);
  });

  it("shows files when they are whole, with both protocols of scp, and goes on with what has broken off", async () => {
    const port = await example.start();
    const scp = (...words: string[]) =>
      run("scp", ["-q", ...example.client.options, "-P", `${port}`, ...words], {
        env: example.client.environment("secret"),
      });
    for (const protocol of ["-s", "-O"]) {
      expect(await scp(protocol, inFolder("source"), `ann@localhost:scp${protocol}`)).toMatchObject({ code: 0 });
      expect(readFileSync(inFolder("homes", "ann", `scp${protocol}`)).equals(CONTENT)).toBe(true);
    }
    const upload = example.client.start(port, "secret", ["ann@localhost", "scp -t late"]);
    upload.write(`C0644 300000 late\n${"x".repeat(100_000)}`);
    const staged = () => readdirSync(inFolder("homes", "ann")).find((name) => name.startsWith(".spindlex-"));
    await expect.poll(staged, { timeout: 10_000 }).toBeDefined();
    await upload.kill();
    await example.server?.output(/ann \/late \d+ bytes aborted\n/);
    expect(readdirSync(inFolder("homes", "ann"))).not.toContain("late");
    writeFileSync(inFolder("late"), "x".repeat(300_000));
    await example.sftp(port, [`reput ${inFolder("late")} late`], "secret", "ann");
    expect(readFileSync(inFolder("homes", "ann", "late"), "utf8") === "x".repeat(300_000)).toBe(true);
  });

  it("has hashes for rclone", needs("rclone"), async () => {
    const port = await example.start();
    const { stdout: pass } = await run("rclone", ["obscure", "secret"]);
    const settings = { type: "sftp", host: "localhost", port, user: "ben", pass: pass.trim() };
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
    writeFileSync(inFolder("rclone.conf"), `[remote]\n${lines.join("")}`);
    const rclone = (...words: string[]) => run("rclone", ["--config", inFolder("rclone.conf"), ...words]);
    const copied = await rclone("-vv", "copy", inFolder("source"), "remote:dir");
    expect(copied).toMatchObject({ code: 0, stderr: expect.stringMatching(/md5 = \w+ OK/) });
    expect((await rclone("sha1sum", "remote:dir")).stdout).toBe(
      `${createHash("sha1").update(CONTENT).digest("hex")}  source\n`,
    );
    expect(JSON.parse((await rclone("about", "--json", "remote:")).stdout)).toMatchObject({ total: 10 * 2 ** 30 });
  });
});

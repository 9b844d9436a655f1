import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FOR_REPLACING } from "../../src/files/open-options.js";
import { atomicUploads, LocalFileSystem } from "../../src/sftp/index.js";
import { KNOWN_HASHES } from "../authenticators/passwords/known-hashes.js";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";
import { run } from "./real-client.js";

const example = exampleFixture("drop-box.ts");

describe("drop-box.ts", needs("sftp", "scp"), () => {
  let port = 0;
  let incoming = "";
  let mine = "";

  beforeAll(() => {
    incoming = join(example.folder, "box", "incoming");
    mkdirSync(incoming, { recursive: true });
    mine = join(example.folder, "mine");
    writeFileSync(mine, "ben's\n");
    const users = ["ann", "ben", "clerk"].map((user) => `${user}:${KNOWN_HASHES.scrypt.hash}\n`);
    writeFileSync(join(example.folder, "users"), users.join(""), { mode: 0o600 });
    // Of an upload that nobody has come back for.
    const left = join(incoming, `.spindlex-${"0".repeat(32)}-left`);
    writeFileSync(left, "a part");
    utimesSync(left, 1_000_000_000, 1_000_000_000);
  });
  beforeEach(async () => {
    port = await example.start();
  });

  function scp(words: readonly string[]) {
    const parameters = ["-q", ...example.client.options, "-P", `${port}`, ...words];
    return run("scp", parameters, { env: example.client.environment("secret") });
  }
  const remote = (user: string, path: string) => `${user}@localhost:${path}`;

  it("takes files by sftp and by both protocols of scp, and gives them to the clerk", async () => {
    const source = join(example.folder, "anns");
    writeFileSync(source, "ann's\n");
    const { stdout } = await example.sftp(port, ["cd incoming", `put ${source} by-sftp`, "ls -1 /"], "secret", "ann");
    expect(stdout).toContain("incoming\n");
    for (const protocol of ["-s", "-O"]) {
      const copied = await scp([protocol, source, remote("ann", `incoming/by-scp${protocol}`)]);
      expect(copied, protocol).toEqual({ stdout: "", stderr: "", code: 0 });
    }
    // What was left has been removed when the program started.
    expect(readdirSync(incoming).sort()).toEqual(["by-scp-O", "by-scp-s", "by-sftp"]);
    const back = join(example.folder, "back");
    expect(await scp(["-r", remote("clerk", "incoming"), back])).toMatchObject({ code: 0 });
    expect(readFileSync(join(back, "by-sftp"), "utf8")).toBe("ann's\n");
  });

  it("lets a customer go on with an upload that broke off, which nobody has seen before", async () => {
    const whole = join(example.folder, "whole");
    writeFileSync(whole, "the beginning and the end\n");
    const handle = await atomicUploads(new LocalFileSystem(join(example.folder, "box")), { user: "ann" }).open?.(
      "/incoming/resumed",
      FOR_REPLACING,
    );
    await handle?.write?.(Buffer.from("the beginning"), 0);
    await handle?.close?.({ result: "aborted", reason: "client gone" });
    const seen = await example.sftp(port, ["ls -1a incoming"], "secret", "clerk");
    expect(seen.stdout).not.toMatch(/resumed|spindlex/);
    await example.sftp(port, ["cd incoming", `reput ${whole} resumed`], "secret", "ann");
    expect(readFileSync(join(incoming, "resumed"), "utf8")).toBe("the beginning and the end\n");
    expect(readdirSync(incoming).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("lets nobody read, list, replace, remove or rename what others have put there", async () => {
    writeFileSync(join(incoming, "anns"), "ann's\n", { mode: 0o640 });
    const before = statSync(join(incoming, "anns"));
    const got = join(example.folder, "got");
    mkdirSync(got);
    const attempts = [
      ...["put MINE anns", "put -a MINE anns", "reput MINE anns", "put -f MINE anns", "rm anns", "rename anns mine"],
      ...["rename -l anns mine", "ln anns mine", "ln -s x anns", "mkdir anns", "rmdir anns", "chmod 777 anns"],
      ...[
        "chown 1 anns",
        "chgrp 1 anns",
        "cp anns mine",
        "get anns GOT",
        "reget anns GOT",
        "get -r . GOT",
        "ls",
        "ls anns",
      ],
      ...["rename mine anns", "cp mine anns", "ln mine anns"],
    ].map((line) => `-${line.replace("MINE", mine).replace("GOT", got)}`);
    await example.sftp(port, ["cd incoming", `put ${mine} mine`, ...attempts], "secret", "ben");
    for (const protocol of ["-s", "-O"]) {
      for (const flags of [[], ["-p"]]) {
        expect((await scp([protocol, ...flags, mine, remote("ben", "incoming/anns")])).code).not.toBe(0);
        expect((await scp([protocol, ...flags, remote("ben", "incoming/anns"), got])).code).not.toBe(0);
      }
      expect((await scp([protocol, "-r", remote("ben", "incoming"), got])).code).not.toBe(0);
      expect((await scp([protocol, remote("ben", "incoming/*"), got])).code).not.toBe(0);
    }
    const { atimeMs, atime, ...after } = statSync(join(incoming, "anns"));
    expect(before).toMatchObject(after);
    expect(readFileSync(join(incoming, "anns"), "utf8")).toBe("ann's\n");
    expect(readFileSync(join(incoming, "mine"), "utf8")).toBe("ben's\n");
    expect(readdirSync(got, { recursive: true }).filter((name) => !["incoming", "."].includes(`${name}`))).toEqual([]);
  });
});

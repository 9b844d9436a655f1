import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";
import { run } from "./real-client.js";

const example = exampleFixture("git-server.ts");

type Keys = [string, string, string];

describe("git-server.ts", needs("ssh"), () => {
  it("takes a push and gives it back in a clone", needs("git"), async () => {
    const { port, git } = await startGit("push");
    const work = join(example.folder, "push", "work");
    await git(["init", "-q", "-b", "main", work]);
    const content = "line of text\n".repeat(200_000);
    writeFileSync(join(work, "file.txt"), content);
    await git(["-C", work, "add", "file.txt"]);
    await git(["-C", work, "commit", "-q", "-m", "first"]);
    await git(["-C", work, "push", "-q", `ssh://ann@localhost:${port}/team/project.git`, "main"]);
    const clone = join(example.folder, "push", "clone");
    await git(["clone", "-q", "-b", "main", `ssh://ann@localhost:${port}/team/project.git`, clone]);
    expect(readFileSync(join(clone, "file.txt"), "utf8")).toBe(content);
  });

  it("runs nothing but git, and only inside its root", needs("git"), async () => {
    const { port, root, key } = await startGit("refuse");
    execFileSync("git", ["init", "-q", "--bare", join(root, "..", "outside.git")]);
    symlinkSync(join(root, "..", "outside.git"), join(root, "link.git"));
    const refusals = [
      ["id", 1],
      ["git-upload-pack '../outside.git'", 128],
      ["git-upload-pack 'link.git'", 128],
      ["git-upload-pack 'team/../../outside.git'", 128],
      ["git-upload-pack 'nothing.git'", 128],
      ["git-upload-pack '--help'", 128],
      ["git-upload-pack '__proto__'", 128],
      ["git-upload-pack 'team/project.git'; id", 2],
      ["git-upload-pack 'team/project.git' extra", 1],
      ["git-upload-archive 'team/project.git'", 1],
      ["git-upload-pack ''", 128],
      ["", 1],
    ] as const;
    for (const [command, code] of refusals) {
      const outcome = await example.client.run(port, "", ["-i", key, "ann@localhost", command]);
      expect(outcome, command).toMatchObject({ stdout: "", code });
    }
  });

  it("lets each user do no more than the list says", needs("git"), async () => {
    const { port, readerKey, strangerKey } = await startGit("access");
    const ask = (user: string, key: string, program: string) =>
      example.client.run(port, "", ["-i", key, `${user}@localhost`, `${program} 'team/project.git'`]);
    expect((await ask("bob", readerKey, "git-upload-pack")).stdout).toContain("0000");
    expect(await ask("bob", readerKey, "git-receive-pack")).toMatchObject({
      code: 128,
      stderr: "You may read this repository, and not write it.\n",
    });
    expect(await ask("eve", strangerKey, "git-upload-pack")).toMatchObject({
      code: 128,
      stderr: "There is no such repository.\n",
    });
  });

  async function startGit(name: string) {
    const root = join(example.folder, "repositories");
    rmSync(root, { recursive: true, force: true });
    mkdirSync(root);
    for (const user of ["ann", "bob", "eve"]) rmSync(join(example.folder, user), { force: true });
    mkdirSync(join(example.folder, name));
    execFileSync("git", ["init", "-q", "--bare", join(root, "team", "project.git")]);
    const [key, readerKey, strangerKey] = ["ann", "bob", "eve"].map((user) => example.authorize(user)) as Keys;
    const access = { "team/project.git": { ann: "write", bob: "read" } };
    writeFileSync(join(example.folder, "access.json"), JSON.stringify(access));
    const port = await example.start();
    const env = {
      ...example.client.environment(""),
      GIT_SSH_COMMAND: ["ssh", ...example.client.options, "-i", key].join(" "),
      GIT_AUTHOR_NAME: "Ann",
      GIT_AUTHOR_EMAIL: "ann@example.org",
      GIT_COMMITTER_NAME: "Ann",
      GIT_COMMITTER_EMAIL: "ann@example.org",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
    };
    const git = async (args: readonly string[]) => {
      const outcome = await run("git", args, { env });
      expect(outcome, `git ${args.join(" ")}`).toMatchObject({ code: 0 });
    };
    return { port, root, key, readerKey, strangerKey, git };
  }
});

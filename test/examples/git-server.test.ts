import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";
import { run } from "./real-client.js";

const example = exampleFixture("git-server.ts");

describe("git-server.ts", needs("ssh"), () => {
  it("takes a push and gives it back in a clone", needs("git"), async () => {
    const { port, git } = await startGit("push");
    const work = join(example.folder, "push", "work");
    await git(["init", "-q", "-b", "main", work]);
    const content = "line of text\n".repeat(200_000);
    writeFileSync(join(work, "file.txt"), content);
    await git(["-C", work, "add", "file.txt"]);
    await git(["-C", work, "commit", "-q", "-m", "first"]);
    await git(["-C", work, "push", "-q", `ssh://git@localhost:${port}/team/project.git`, "main"]);
    const clone = join(example.folder, "push", "clone");
    await git(["clone", "-q", "-b", "main", `ssh://git@localhost:${port}/team/project.git`, clone]);
    expect(readFileSync(join(clone, "file.txt"), "utf8")).toBe(content);
  });

  it("runs nothing but git, and only inside its root", needs("git"), async () => {
    const { port, root, key } = await startGit("refuse");
    execFileSync("git", ["init", "-q", "--bare", join(root, "..", "outside.git")]);
    symlinkSync(join(root, "..", "outside.git"), join(root, "link.git"));
    const commands = [
      "id",
      "git-upload-pack '../outside.git'",
      "git-upload-pack 'link.git'",
      "git-upload-pack 'team/../../outside.git'",
      "git-upload-pack 'nothing.git'",
      "git-upload-pack '--help'",
      "git-upload-pack 'team/project.git'; id",
      "git-upload-pack 'team/project.git' extra",
      "git-upload-archive 'team/project.git'",
      "git-upload-pack team/project.git",
      "git-upload-pack ''",
    ];
    for (const command of commands) {
      const outcome = await example.client.run(port, "", ["-i", key, "git@localhost", command]);
      expect(outcome, command).toMatchObject({ stdout: "", code: 255 });
      expect(outcome.stderr, command).toContain("exec request failed on channel 0");
    }
  });

  async function startGit(name: string) {
    const root = join(example.folder, name, "repositories");
    mkdirSync(root, { recursive: true });
    execFileSync("git", ["init", "-q", "--bare", join(root, "team", "project.git")]);
    const { path: key } = example.makeKey(`git-${name}`);
    const port = await example.start({ GIT_ROOT: root, AUTHORIZED_KEYS: `${key}.pub` });
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
    return { port, root, key, git };
  }
});

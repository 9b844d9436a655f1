import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { run, SshClient } from "./real-client.js";
import { listeningPort, type RunningProcess, startProgram } from "./running-process.js";

let folder = "";
let client: SshClient;
let server: RunningProcess | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spindlex-examples-"));
  client = new SshClient();
});
afterEach(async () => {
  await server?.kill();
  server = undefined;
});
afterAll(() => {
  client.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function start(example: string, env: NodeJS.ProcessEnv = {}): Promise<number> {
  server = startProgram(join("examples", example), [], { ...process.env, ...env, PORT: "0" });
  return listeningPort(server);
}

/** Types lines into `sftp`. */
function sftp(port: number, lines: readonly string[]) {
  const args = [...client.options, "-P", String(port), "admin@localhost"];
  return run("sftp", args, { env: client.environment("secret"), input: `${lines.join("\n")}\n` });
}

function scp(port: number, words: readonly string[]) {
  const args = ["-q", ...client.options, "-P", String(port), ...words];
  return run("scp", args, { env: client.environment("secret") });
}

function makeKey(name: string): { readonly path: string; readonly publicKey: string } {
  const path = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
  return { path, publicKey: readFileSync(`${path}.pub`, "utf8") };
}

describe("exec-server.ts", needs("ssh"), () => {
  it("answers the guide's command", async () => {
    const port = await start("exec-server.ts");
    const outcome = await client.run(port, "secret", ["admin@localhost", "hello"]);
    expect(outcome).toEqual({ stdout: "Executed: hello\n", stderr: "", code: 0 });
  });

  it("stops on SIGINT, and then nothing listens", async () => {
    const port = await start("exec-server.ts");
    server?.signal("SIGINT");
    expect(await server?.exitCode()).toBe(0);
    const outcome = await client.run(port, "secret", ["admin@localhost", "hello"]);
    expect(outcome.stderr).toContain("Connection refused");
  });
});

describe("password-server.ts", needs("ssh"), () => {
  it("lets the right password in, and then runs nothing", async () => {
    const port = await start("password-server.ts");
    const outcome = await client.run(port, "secret", ["admin@localhost", "hello"]);
    expect(outcome.code).toBe(255);
    expect(outcome.stderr).toContain("exec request failed on channel 0");
    await server?.output(/^admin logged in$/m);
  });

  it.each([
    { user: "admin", password: "Secret" },
    { user: "root", password: "secret" },
  ])("refuses $user with the password $password", async ({ user, password }) => {
    const port = await start("password-server.ts");
    const outcome = await client.run(port, password, [`${user}@localhost`, "hello"]);
    expect(outcome.code).toBe(255);
    expect(outcome.stderr).toContain("Permission denied (password).");
    expect(server?.stdout).not.toContain("logged in");
  });
});

describe("public-key-server.ts", needs("ssh"), () => {
  it("lets in the holder of a key, and nobody else", async () => {
    const known = makeKey("known");
    const stranger = makeKey("stranger");
    const authorized = join(folder, "authorized");
    writeFileSync(authorized, `# who may log in\n${known.publicKey}`);
    const port = await start("public-key-server.ts", { AUTHORIZED_KEYS: authorized });
    const welcome = await client.run(port, "", ["-i", known.path, "ann@localhost", "whoami"]);
    expect(welcome).toEqual({ stdout: "You are ann.\n", stderr: "", code: 0 });
    const refusal = await client.run(port, "", ["-i", stranger.path, "ann@localhost", "whoami"]);
    expect(refusal.code).toBe(255);
    expect(refusal.stderr).toContain("Permission denied (publickey).");
  });
});

describe("certificate-server.ts", needs("ssh"), () => {
  it("lets in by role whom the authority has certified", async () => {
    const [authority, user, stranger] = [makeKey("user-ca"), makeKey("certified"), makeKey("uncertified")];
    const certify = ["-q", "-s", authority.path, "-I", "ann@laptop", "-n", "release-manager", "-V", "+1h"];
    execFileSync("ssh-keygen", [...certify, `${user.path}.pub`]);
    const port = await start("certificate-server.ts", { USER_CA: `${authority.path}.pub` });
    const asked = await client.run(port, "", ["-i", user.path, "deploy@localhost", "whoami"]);
    expect(asked).toEqual({ stdout: 'whoami: "ann@laptop" as deploy\n', stderr: "", code: 0 });
    const forced = await client.run(port, "", ["-i", user.path, "backup@localhost", "whoami"]);
    expect(forced.stdout).toBe('backup: "ann@laptop" as backup\n');
    for (const words of [
      ["-i", user.path, "root@localhost"],
      ["-i", stranger.path, "deploy@localhost"],
      ["-i", authority.path, "deploy@localhost"],
    ]) {
      expect((await client.run(port, "", [...words, "whoami"])).stderr).toContain("Permission denied (publickey).");
    }
  });
});

describe("terminal-app.ts", needs("ssh"), () => {
  it("counts keys on a terminal", async () => {
    const port = await start("terminal-app.ts");
    const terminal = client.start(port, "secret", ["-tt", "admin@localhost"]);
    await terminal.output(/Hello admin, your terminal is \d+ by \d+\.\r\nCount: 0\r\n/);
    terminal.write("++x+-");
    await terminal.output(/Count: 2\r\n/);
    terminal.write("q");
    expect(await terminal.exitCode()).toBe(0);
    expect(terminal.stdout).toMatch(/Bye\.\r\n$/);
  });

  it("asks for a terminal where there is none", async () => {
    const port = await start("terminal-app.ts");
    const outcome = await client.run(port, "secret", ["-T", "admin@localhost"]);
    expect(outcome).toEqual({ stdout: "", stderr: "This program needs a terminal: ssh -t\n", code: 1 });
  });
});

describe("sftp-server.ts", needs("ssh"), () => {
  it("takes files by sftp, scp and the old scp, and gives them back", needs("sftp", "scp"), async () => {
    const root = join(folder, "sftp-root");
    const port = await start("sftp-server.ts", { SFTP_ROOT: root });
    const source = join(folder, "source");
    writeFileSync(source, "content of a file\n");
    const transcript = await sftp(port, [`put ${source} by-sftp`, "rename by-sftp renamed", "ls -1"]);
    expect(transcript.stdout).toContain("\nrenamed\n");
    expect(readFileSync(join(root, "renamed"), "utf8")).toBe("content of a file\n");
    for (const protocol of ["-s", "-O"]) {
      const back = join(folder, `back${protocol}`);
      const copied = await scp(port, [protocol, source, `admin@localhost:by-scp${protocol}`]);
      expect(copied, protocol).toEqual({ stdout: "", stderr: "", code: 0 });
      expect(await scp(port, [protocol, `admin@localhost:/by-scp${protocol}`, back]), protocol).toMatchObject({
        code: 0,
      });
      expect(readFileSync(back, "utf8"), protocol).toBe("content of a file\n");
    }
  });
});

describe("virtual-files.ts", needs("ssh"), () => {
  it("shows the keys of a store as files", needs("sftp"), async () => {
    const port = await start("virtual-files.ts");
    const source = join(folder, "value");
    const back = join(folder, "value-back");
    writeFileSync(source, "red\n");
    const { stdout, stderr } = await sftp(port, [
      "ls -1 /greetings",
      `put ${source} /settings/colour`,
      "rm /greetings/german",
      "ls -1 /greetings",
      `get /settings/colour ${back}`,
      "get /settings/size /dev/null",
    ]);
    expect(stdout).toContain("/greetings/english\n/greetings/german\n");
    expect(stdout).toMatch(/ls -1 \/greetings\n\/greetings\/english\nsftp>/);
    expect(readFileSync(back, "utf8")).toBe("red\n");
    expect(stderr).toContain('"/settings/size" not found');
  });
});

describe("git-server.ts", needs("ssh"), () => {
  it("takes a push and gives it back in a clone", needs("git"), async () => {
    const { port, git } = await startGit("push");
    const work = join(folder, "push", "work");
    await git(["init", "-q", "-b", "main", work]);
    const content = "line of text\n".repeat(200_000);
    writeFileSync(join(work, "file.txt"), content);
    await git(["-C", work, "add", "file.txt"]);
    await git(["-C", work, "commit", "-q", "-m", "first"]);
    await git(["-C", work, "push", "-q", `ssh://git@localhost:${port}/team/project.git`, "main"]);
    const clone = join(folder, "push", "clone");
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
      const outcome = await client.run(port, "", ["-i", key, "git@localhost", command]);
      expect(outcome, command).toMatchObject({ stdout: "", code: 255 });
      expect(outcome.stderr, command).toContain("exec request failed on channel 0");
    }
  });

  async function startGit(name: string) {
    const root = join(folder, name, "repositories");
    mkdirSync(root, { recursive: true });
    execFileSync("git", ["init", "-q", "--bare", join(root, "team", "project.git")]);
    const { path: key } = makeKey(`git-${name}`);
    const port = await start("git-server.ts", { GIT_ROOT: root, AUTHORIZED_KEYS: `${key}.pub` });
    const env = {
      ...client.environment(""),
      GIT_SSH_COMMAND: ["ssh", ...client.options, "-i", key].join(" "),
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

/**
 * git over SSH for the bare repositories of one folder. No shell is involved: the command is taken apart here, and
 * only git's two programs are ever started.
 *
 *   git init --bare repositories/project.git
 *   GIT_ROOT=repositories AUTHORIZED_KEYS=~/.ssh/id_ed25519.pub npx tsx examples/git-server.ts
 *   git clone ssh://git@localhost:2222/project.git
 */
import { spawn } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join, sep } from "node:path";
import { type Channel, SSHServer, SSHServerManager } from "spindlex";
import { PKey } from "spindlex/crypto";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  type AuthResult,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
  OPEN_SUCCEEDED,
} from "spindlex/protocol/constants";

interface GitRequest {
  readonly program: "upload-pack" | "receive-pack";
  /** Full path of the repository, links resolved. */
  readonly repository: string;
}

/** `undefined` for everything but git's own commands on a repository inside the root. */
function parseGitCommand(root: string, command: string): GitRequest | undefined {
  const match = /^git-(upload-pack|receive-pack) '\/?(\w[\w.-]*(?:\/\w[\w.-]*)*)'$/.exec(command);
  const [, program, path] = match ?? [];
  if (path === undefined || (program !== "upload-pack" && program !== "receive-pack")) return undefined;
  try {
    const repository = realpathSync(join(root, path));
    return repository.startsWith(root + sep) ? { program, repository } : undefined;
  } catch {
    return undefined; // there is no such repository
  }
}

/** Runs git on the channel: it ends when the channel does, and the channel when it does. */
function runGit(channel: Channel, { program, repository }: GitRequest): void {
  const git = spawn("git", [program, repository], {
    env: { PATH: process.env.PATH, GIT_PROTOCOL: channel.environment.get("GIT_PROTOCOL")?.toString("latin1") ?? "" },
    signal: channel.signal,
  });
  git.on("error", () => undefined); // the channel is gone, or git is not installed: "close" follows
  git.stdin.on("error", () => undefined); // git has heard enough
  channel.pipe(git.stdin);
  git.stdout.pipe(channel, { end: false });
  git.stderr.pipe(channel.stderr, { end: false });
  git.on("close", (code) => {
    if (channel.signal.aborted) return;
    channel.sendExitStatus(code === null || code < 0 ? 1 : code); // below 0: it could not be started
    channel.close();
  });
}

class GitServer extends SSHServer {
  readonly #root: string;
  readonly #known: ReadonlySet<string>;

  constructor(root: string, known: ReadonlySet<string>) {
    super();
    this.#root = root;
    this.#known = known;
  }

  override getAllowedAuths(): string[] {
    return ["publickey"];
  }

  override checkAuthPublickey(username: string, key: PKey): AuthResult {
    return username === "git" && this.#known.has(key.fingerprint()) ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkChannelRequest(kind: string): number {
    return kind === "session" ? OPEN_SUCCEEDED : OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
  }

  override checkChannelEnvRequest(_channel: Channel, name: string, value: Buffer): boolean {
    return name === "GIT_PROTOCOL" && /^version=[012]$/.test(value.toString("latin1"));
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const request = parseGitCommand(this.#root, command.toString("utf8"));
    if (request === undefined) return false;
    runGit(channel, request);
    return true;
  }
}

function readFingerprints(path: string): Set<string> {
  const lines = readFileSync(path, "utf8").split("\n");
  const keys = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return new Set(keys.map((line) => PKey.fromString(line).fingerprint()));
}

const root = realpathSync(process.env.GIT_ROOT ?? "repositories");
const known = readFingerprints(process.env.AUTHORIZED_KEYS ?? join(homedir(), ".ssh", "id_ed25519.pub"));
const manager = new SSHServerManager({
  serverInterface: new GitServer(root, known),
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: Number(process.env.PORT ?? 2222),
});
await manager.startServer();
process.once("SIGINT", () => manager.stopServer());
console.log(`Listening on 127.0.0.1:${manager.port}`);

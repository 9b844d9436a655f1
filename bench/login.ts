import type { ChildProcess } from "node:child_process";
import type { OpenSSH } from "./openssh.js";
import { trackChild } from "./resources.js";
import type { Contender } from "./servers/contender.js";
import type { Identity, Workspace } from "./workspace.js";

/** The client, the server and the way of a login. */
export interface Login {
  readonly contender: Contender;
  readonly openssh: OpenSSH;
  readonly workspace: Workspace;
  readonly keyExchange: string;
  readonly cipher: string;
  /** Of the user; the workspace's ed25519 key where none is named. */
  readonly identity?: Identity;
  /** Whether what is sent is compressed, by zlib@openssh.com. */
  readonly compression?: "yes" | "no";
}

export const destination = "127.0.0.1";
const mac = "hmac-sha2-256-etm@openssh.com";

/** The client's log, once it is done. */
export async function clientLog(child: ChildProcess, login: Login): Promise<string> {
  trackChild(child);
  let log = "";
  child.stderr?.on("data", (data) => {
    log += data;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (status !== 0) throw new Error(`${child.spawnfile} to ${login.contender.name} ended with ${status}:\n${log}`);
  expectNegotiated(log, login);
  return log;
}

/** @throws {Error} when a client's log tells of other algorithms than the login asks for */
export function expectNegotiated(log: string, { keyExchange, cipher, compression }: Login): void {
  expectLine(log, `kex: algorithm: ${keyExchange}`);
  expectLine(log, `kex: server->client cipher: ${cipher}`);
  expectLine(log, `kex: client->server cipher: ${cipher}`);
  if (compression === "yes") expectLine(log, "compression: zlib@openssh.com");
}

export function loginArguments(login: Login): string[] {
  const { contender, workspace, keyExchange, cipher, identity, compression = "no" } = login;
  const options = {
    Port: contender.port,
    User: workspace.username,
    UserKnownHostsFile: workspace.knownHostsFile,
    GlobalKnownHostsFile: "/dev/null",
    HostKeyAlias: "bench",
    StrictHostKeyChecking: "yes",
    IdentityFile: identity?.keyFile ?? workspace.userKeyFile,
    ...(identity?.certificateFile && { CertificateFile: identity.certificateFile }),
    PubkeyAcceptedAlgorithms: identity?.algorithm ?? "ssh-ed25519",
    IdentitiesOnly: "yes",
    IdentityAgent: "none",
    PreferredAuthentications: "publickey",
    BatchMode: "yes",
    KexAlgorithms: keyExchange,
    Ciphers: cipher,
    MACs: mac,
    HostKeyAlgorithms: "ssh-ed25519",
    Compression: compression,
    LogLevel: "DEBUG1", // For the statistics and the negotiated names.
  };
  // No file of the user's own is read.
  return ["-F", "none", ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
}

function expectLine(log: string, text: string): void {
  if (!log.includes(text)) throw new Error(`ssh did not say "${text}":\n${log}`);
}

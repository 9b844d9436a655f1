import { mkdirSync, writeFileSync } from "node:fs";
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { PKey } from "../../src/crypto/index.js";
import { MessageNumber } from "../../src/protocol/constants.js";
import { isMissing, QUICK_KEX, TOOLS } from "./clients.js";
import { freePort } from "./free-port.js";
import { PacketClient } from "./packet-client.js";
import { publickeyQuery } from "./packet-messages.js";
import { ExternalProcess, run, runOk } from "./tools.js";

export const SSHD_VERSIONS = ["sshd", "sshd10"] as const;
export type SshdVersion = (typeof SSHD_VERSIONS)[number];

/** What sshd reads of its own at each login; what is left out is empty. */
export interface SshdFiles {
  readonly authorizedKeys?: string;
  readonly trustedUserCAKeys?: string;
  /** Without it there is no AuthorizedPrincipalsFile, and a certificate has to name the user. */
  readonly authorizedPrincipals?: string;
  /** A KRL, or public keys one a line. */
  readonly revokedKeys?: string | Uint8Array;
}

export interface SshLogin {
  /** A private key file. */
  readonly identity: string;
  /** A certificate for that key; one beside it (`…-cert.pub`) is used as ssh does. */
  readonly certificate?: string;
  /** Default `true`. */
  readonly command?: string;
  /** Further options of ssh, each after `-o`. */
  readonly options?: readonly string[];
}

export interface SshOutcome {
  readonly verdict: "accepted" | "refused";
  readonly stdout: string;
  readonly stderr: string;
}

/** A real sshd, whose answers tell what is right. It is asked about one set of files at a time. */
export class SshdOracle implements Disposable {
  readonly #process: ExternalProcess;
  readonly #folder: string;
  /** Without and with AuthorizedPrincipalsFile. */
  readonly #ports: readonly [number, number];
  /** Open connections that keep asking, by their port. */
  readonly #clients = new Map<number, PacketClient>();

  private constructor(process: ExternalProcess, folder: string, ports: readonly [number, number]) {
    this.#process = process;
    this.#folder = folder;
    this.#ports = ports;
  }

  /** @param settings lines of sshd_config, which go before those of every oracle */
  static async start(parent: string, version: SshdVersion, settings: readonly string[] = []): Promise<SshdOracle> {
    const folder = await mkdtemp(join(parent, `${version}-`));
    const ports = [await freePort(), await freePort()] as const;
    const hostKey = join(folder, "host_key");
    await runOk("ssh-keygen", ["-q", "-N", "", "-t", "ed25519", "-f", hostKey]);
    const file = (name: string) => {
      writeFileSync(join(folder, name), "");
      return join(folder, name);
    };
    const lines = [
      // Of each keyword sshd takes the first line.
      ...settings,
      ...ports.map((port) => `Port ${port}`),
      "ListenAddress 127.0.0.1",
      "PidFile none",
      "StrictModes no",
      "UsePAM no",
      "UseDNS no",
      "LogLevel DEBUG1",
      "PermitRootLogin yes",
      "PasswordAuthentication no",
      "KbdInteractiveAuthentication no",
      "MaxStartups 100",
      "MaxAuthTries 100000",
      "LoginGraceTime 0",
      // Told that it is the inner of two, bash does not read the user's .bashrc for each command.
      "SetEnv SHLVL=1",
      `HostKey ${hostKey}`,
      `AuthorizedKeysFile ${file("authorized_keys")}`,
      `TrustedUserCAKeys ${file("trusted_user_ca_keys")}`,
      `RevokedKeys ${file("revoked_keys")}`,
      ...PROGRAMS[version].settings,
      `Match LocalPort ${ports[1]}`,
      `AuthorizedPrincipalsFile ${file("authorized_principals")}`,
    ];
    await writeFile(join(folder, "sshd_config"), `${lines.join("\n")}\n`);
    mkdirSync("/run/sshd", { recursive: true });
    const parameters = ["-D", "-e", "-f", join(folder, "sshd_config")];
    const process = new ExternalProcess(TOOLS[version], parameters, { timeout: 600_000 });
    for (const port of ports) await process.untilOutput(`Server listening on 127.0.0.1 port ${port}.`);
    return new SshdOracle(process, folder, ports);
  }

  /** What sshd has said so far: at LogLevel DEBUG1 it tells why it refuses. */
  get log(): string {
    return this.#process.errorOutput;
  }

  /** Waits until sshd has said something, which can come later than its answer. */
  async logged(pattern: RegExp, from: number): Promise<RegExpExecArray> {
    for (let tries = 0; tries < 1000; tries++) {
      const found = pattern.exec(this.log.slice(from));
      if (found !== null) return found;
      await delay(5);
    }
    throw new Error(`sshd has not said ${pattern}: ${this.log.slice(from)}`);
  }

  /** Writes the files. @returns the port where they decide */
  async serve(files: SshdFiles): Promise<number> {
    await this.#writeAll(files);
    return this.#portFor(files);
  }

  /** Tries one login with `ssh`, as the user who runs the tests. */
  async login(files: SshdFiles, login: SshLogin): Promise<SshOutcome> {
    await this.#writeAll(files);
    return sshLogin(this.#portFor(files), userInfo().username, login);
  }

  /**
   * Asks whether a signature with this key, or certificate, would do: all that is decided before there is one, in a few
   * milliseconds. What a FIDO key has to have done shows in the signature only.
   */
  async offer(
    files: SshdFiles,
    key: PKey,
    signatureAlgorithm = key.signatureAlgorithms[0],
  ): Promise<SshOutcome["verdict"]> {
    const { username } = userInfo();
    const request = { username, algorithm: signatureAlgorithm ?? key.keyType, publicBlob: key.publicBlob };
    const client = await this.#clientWith(files);
    const [answer] = await client.authenticate(publickeyQuery(request));
    if (answer === MessageNumber.USERAUTH_PK_OK) return "accepted";
    if (answer === MessageNumber.USERAUTH_FAILURE) return "refused";
    throw new Error(`sshd answers with message ${answer}`);
  }

  /**
   * Tries one login, for which `ask` sends the request and gives the answer.
   *
   * @returns the client that is logged in, for the caller to close
   */
  async prove(files: SshdFiles, ask: (client: PacketClient) => Promise<Buffer>): Promise<PacketClient | undefined> {
    const client = await this.#clientWith(files);
    const [answer] = await ask(client);
    if (answer === MessageNumber.USERAUTH_FAILURE) return undefined;
    this.#clients.delete(this.#portFor(files));
    if (answer !== MessageNumber.USERAUTH_SUCCESS) throw new Error(`sshd answers with message ${answer}`);
    return client;
  }

  /** Closes the connections that are kept to ask again. */
  leave(): void {
    for (const client of this.#clients.values()) client.stream.socket.destroy();
    this.#clients.clear();
  }

  async #clientWith(files: SshdFiles): Promise<PacketClient> {
    await this.#writeAll(files);
    const port = this.#portFor(files);
    const client = this.#clients.get(port) ?? (await PacketClient.authenticating(port));
    this.#clients.set(port, client);
    return client;
  }

  #portFor({ authorizedPrincipals }: SshdFiles): number {
    return this.#ports[authorizedPrincipals === undefined ? 0 : 1];
  }

  async #writeAll(files: SshdFiles): Promise<void> {
    await Promise.all([
      this.#write("authorized_keys", files.authorizedKeys),
      this.#write("trusted_user_ca_keys", files.trustedUserCAKeys),
      this.#write("authorized_principals", files.authorizedPrincipals),
      this.#write("revoked_keys", files.revokedKeys),
    ]);
  }

  async #write(name: string, content: string | Uint8Array = ""): Promise<void> {
    const path = join(this.#folder, name);
    await writeFile(path, content);
    await chmod(path, 0o644);
  }

  [Symbol.dispose](): void {
    this.leave();
    this.#process.kill("SIGTERM");
  }
}

/** Logs in with a key at any server of this machine, and tells whether that worked, whatever the command does. */
export async function sshLogin(port: number, user: string, login: SshLogin): Promise<SshOutcome> {
  const options = [
    ...(login.options ?? []),
    `IdentityFile=${login.identity}`,
    ...(login.certificate === undefined ? [] : [`CertificateFile=${login.certificate}`]),
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "BatchMode=yes",
    "PreferredAuthentications=publickey",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    "LogLevel=DEBUG1",
    QUICK_KEX,
  ].flatMap((option) => ["-o", option]);
  const words = ["-F", "none", ...options, "-p", String(port), `${user}@127.0.0.1`, login.command ?? "true"];
  const { stdout, stderr } = await run("ssh", words);
  // ssh offers the plain key, too, which is not what was asked.
  const [, accepted = ""] = /^debug1: Server accepts key: .* (\S+) SHA256:/m.exec(stderr) ?? [];
  const isMeant = accepted.endsWith("-CERT") === (login.certificate !== undefined);
  const verdict = isMeant && /^Authenticated to /m.test(stderr) ? "accepted" : "refused";
  if (verdict === "refused" && isMeant && !/Permission denied|Too many authentication failures/.test(stderr)) {
    throw new Error(`neither let in nor refused: ${stderr}`);
  }
  return { verdict, stdout: stdout.toString(), stderr };
}

/** The versions of sshd that are installed here; in CI all have to be. */
export function installedSshds(): readonly SshdVersion[] {
  return SSHD_VERSIONS.filter((version) => !isMissing(version));
}

const NEWER = TOOLS.sshd10.replace(/sbin\/sshd$/, "lib/openssh");

const PROGRAMS: Readonly<Record<SshdVersion, { readonly settings: readonly string[] }>> = {
  sshd: { settings: [] },
  sshd10: {
    settings: [
      `SshdSessionPath ${NEWER}/sshd-session`,
      `SshdAuthPath ${NEWER}/sshd-auth`,
      // It would soon answer nobody from this address, for all that it refuses.
      "PerSourcePenalties no",
    ],
  },
};

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** One installed OpenSSH. */
export interface OpenSSH {
  /** As it calls itself, e.g. `OpenSSH_9.2p1`. */
  readonly version: string;
  readonly client: string;
  readonly sftpClient: string;
  /** Absent where no server is installed. */
  readonly server: string | undefined;
  /** Lines of sshd_config that tell a relocated server where its own parts are. */
  readonly serverConfiguration: readonly string[];
  readonly keyExchanges: ReadonlySet<string>;
}

/** The system's own, from its packages. */
export function systemOpenSSH(): OpenSSH {
  return describe("ssh", "sftp", "/usr/sbin/sshd", []);
}

/** A newer one, which .ci/install-clients unpacks for the key exchanges that the system's does not know. */
export function newerOpenSSH(): OpenSSH | undefined {
  const root = join(process.env.SPINDLEX_CLIENTS ?? "/var/cache/spindlex-ci", "bookworm-backports/usr");
  const client = join(root, "bin/ssh");
  if (!existsSync(client)) return undefined;
  return describe(client, join(root, "bin/sftp"), join(root, "sbin/sshd"), [
    `SshdSessionPath ${join(root, "lib/openssh/sshd-session")}`,
    `SshdAuthPath ${join(root, "lib/openssh/sshd-auth")}`,
  ]);
}

function describe(client: string, sftpClient: string, server: string, serverConfiguration: readonly string[]): OpenSSH {
  const version = /^OpenSSH_\S+/.exec(spawnSync(client, ["-V"], { encoding: "utf8" }).stderr)?.[0];
  if (version === undefined) throw new Error(`${client} does not tell its version`);
  return {
    version: version.replace(/,$/, ""),
    client,
    sftpClient,
    server: existsSync(server) ? server : undefined,
    serverConfiguration,
    keyExchanges: new Set(execFileSync(client, ["-Q", "kex"], { encoding: "utf8" }).trim().split("\n")),
  };
}

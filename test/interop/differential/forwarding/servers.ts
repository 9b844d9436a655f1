import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PKey } from "../../../../src/crypto/index.js";
import { anyOf, authorizedKeys, SSHServer, SSHServerManager, trustedUserCAs } from "../../../../src/index.js";
import { freePort } from "../../../support/free-port.js";
import { SshdOracle, type SshdVersion } from "../../../support/sshd-oracle.js";
import { withoutAdmission } from "../../../support/without-admission.js";
import { type Credential, TRUSTED } from "./credentials.js";
import type { Places } from "./places.js";
import { PRINCIPALS_FILE, type Settings } from "./settings.js";

/** Servers of one kind that run beside each other: one for each of the settings. */
export interface Servers extends AsyncDisposable {
  portOf(settings: Settings): number;
}

/** What the files say, of all credentials together. */
export interface Files {
  readonly authorizedKeys: string;
  readonly principals: string;
}

export function filesFor(credentials: readonly Credential[], { ports }: Places): Files {
  const named = new Map(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  const lines = (texts: readonly (string | undefined)[]) =>
    texts
      .flatMap((text) =>
        text === undefined ? [] : `${text.replace(/\{(\w+)\}/g, (_, name) => named.get(name) ?? "")}\n`,
      )
      .join("");
  return {
    authorizedKeys: lines(credentials.map(({ line }) => line)),
    principals: lines(credentials.map(({ principalLine }) => principalLine)),
  };
}

const trusted = `${TRUSTED.toPublicString()}\n`;

/** One sshd, with a port for each of the settings. */
export async function startSshd(
  version: SshdVersion,
  all: readonly Settings[],
  files: Files,
  places: Places,
): Promise<Servers> {
  writeFileSync(join(places.folder, PRINCIPALS_FILE), files.principals);
  const ports = new Map<Settings, number>();
  for (const settings of all) ports.set(settings, await freePort());
  const matches = [...ports].flatMap(([settings, port]) => [
    `Match LocalPort ${port}`,
    ...settings.sshd(places),
    ...ALLOWED,
  ]);
  const included = join(places.folder, `${version}.conf`);
  // In a file of its own, since what follows Match in the same one belongs to it.
  writeFileSync(included, `${matches.join("\n")}\n`);
  const sshd = await SshdOracle.start(places.folder, version, [
    ...[...ports.values()].map((port) => `Port ${port}`),
    `Include ${included}`,
    // It has to be there, and would run with a program of the session: there are none here.
    "XAuthLocation /bin/sh",
  ]);
  for (const port of ports.values()) await sshd.logged(new RegExp(`listening on 127.0.0.1 port ${port}\\.`), 0);
  await sshd.serve({ authorizedKeys: files.authorizedKeys, trustedUserCAKeys: trusted });
  return {
    portOf: (settings) => ports.get(settings) ?? 0,
    [Symbol.asyncDispose]: async () => sshd[Symbol.dispose](),
  };
}

/** What is not so by default; of each keyword sshd takes the first line. */
const ALLOWED = ["X11Forwarding yes"];

export async function startOurs(all: readonly Settings[], files: Files, places: Places): Promise<Servers> {
  const serverKey = PKey.generate({ keyType: "ed25519" });
  const managers = new Map<Settings, SSHServerManager>();
  for (const settings of all) {
    const { forwarding = {}, permissions } = settings;
    const hasPrincipals = settings.sshd(places).some((line) => line.startsWith("AuthorizedPrincipalsFile"));
    const manager = new SSHServerManager({
      serverInterface: new SSHServer({
        authentication: {
          publicKey: anyOf(
            authorizedKeys(() => files.authorizedKeys),
            trustedUserCAs(() => trusted, hasPrincipals ? { principals: () => files.principals } : {}),
          ),
          ...(permissions && { permissions: () => permissions(places) }),
        },
        forwarding: {
          local: () => true,
          remote: () => true,
          agent: true,
          x11: true,
          socketRoots: [places.folder],
          ...forwarding,
        },
      }),
      serverKey,
      bindAddress: "127.0.0.1",
      port: 0,
      logger: false,
      ...withoutAdmission,
    });
    await manager.startServer();
    managers.set(settings, manager);
  }
  return {
    portOf: (settings) => managers.get(settings)?.port ?? 0,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...managers.values()].map((manager) => manager.stopServer({ gracePeriod: 0 })));
    },
  };
}

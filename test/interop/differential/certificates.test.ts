import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PKey } from "../../../src/crypto/index.js";
import { SSHServerManager } from "../../../src/index.js";
import { needs } from "../../support/clients.js";
import { extent, isLong } from "../../support/extent.js";
import { securityKeyProvider } from "../../support/security-key-provider.js";
import {
  installedSshds,
  SSHD_VERSIONS,
  SshdOracle,
  type SshdVersion,
  type SshLogin,
  type SshOutcome,
  sshLogin,
} from "../../support/sshd-oracle.js";
import { temporaryFolder } from "../../support/tools.js";
import { CERTIFICATE_CASES } from "./cases/certificate-cases.js";
import { KEY_CASES, TOUCH_CASES } from "./cases/key-cases.js";
import { KeygenKeys } from "./cases/keygen-keys.js";
import { KNOWN_DIFFERENCES } from "./cases/known-differences.js";
import { type LoginCase, USER } from "./cases/login-case.js";
import { randomCases } from "./cases/random-cases.js";
import { REVOCATION_CASES } from "./cases/revocation-cases.js";
import { type Abilities, abilitiesOf, ComparedServer, prove, proveOnce } from "./cases/side-by-side.js";
import { Tally } from "./cases/tally.js";

const TIMEOUT = 300_000;
const SEED = 4;
const CASES = [
  ...KEY_CASES,
  ...TOUCH_CASES,
  ...CERTIFICATE_CASES,
  ...REVOCATION_CASES,
  ...randomCases(extent(20, 100), SEED),
];
const DIMENSIONS = [...new Set(CASES.map(({ dimension }) => dimension))];
/** What is about permissions; and some of the rest, which are to leave them all. */
const isAboutPermissions = (login: LoginCase): boolean =>
  /command|pty|restrict|forwarding|permit|clear/.test(JSON.stringify(login)) || CASES.indexOf(login) % 16 === 0;

const folder = temporaryFolder();
const provider = securityKeyProvider();
const server = new ComparedServer(folder);
const manager = new SSHServerManager({
  serverInterface: server,
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: 0,
  logger: false,
  authFailureDelay: 0,
});
let keys: KeygenKeys;

const newest = installedSshds().at(-1);

/**
 * In the long run the newest is asked of everything, the others of a part. Else only the newest is asked, of every
 * sixteenth: most are combinations of a few things.
 */
function isAskedOf(version: SshdVersion, index: number): boolean {
  if (isLong) return version === newest || index % 4 === 0;
  return index % 16 === 0;
}

/** What became of one login. */
type Outcome = "refused" | "accepted" | Abilities;
type Outcomes = { readonly theirs: Outcome; readonly ours: Outcome };

describe("logins with what ssh-keygen makes", needs("ssh-keygen"), () => {
  beforeAll(async () => {
    keys = new KeygenKeys(folder, await provider());
    await Promise.all([keys.makeAll(), manager.startServer()]);
  }, TIMEOUT);
  afterAll(() => manager.stopServer({ gracePeriod: 0 }));

  for (const version of SSHD_VERSIONS.filter((one) => isLong || one === newest))
    describe(`beside ${version}`, needs(version), () => {
      const tally = new Tally();
      const differences = KNOWN_DIFFERENCES.filter(({ versions: all }) => all?.includes(version) !== false);
      const knownIn = (login: LoginCase) => differences.filter((known) => known.applies(login));
      const cases = CASES.filter((login, index) => isAskedOf(version, index) || knownIn(login).length > 0);
      let sshd: SshdOracle;

      beforeAll(async () => {
        sshd = await SshdOracle.start(folder, version);
      }, TIMEOUT);
      afterAll(() => {
        sshd[Symbol.dispose]();
        console.info(`${version}\n${tally}`);
      });

      async function outcomesOf(login: LoginCase): Promise<Outcomes> {
        const files = await keys.filesFor(login);
        const credential = await keys.credential(login);
        server.declare(files);
        const [theirs, ours] = await Promise.all([
          sshd.prove(files, (client) => prove(client, credential)),
          proveOnce(manager.port, credential),
        ]);
        // So that each case begins as a connection of its own does.
        if (theirs === undefined && login.key.includes("-sk")) sshd.leave();
        try {
          const tries = theirs !== undefined && ours !== undefined && isAboutPermissions(login);
          if (tries) return { theirs: await abilitiesOf(theirs), ours: await abilitiesOf(ours) };
          return { theirs: theirs ? "accepted" : "refused", ours: ours ? "accepted" : "refused" };
        } finally {
          for (const client of [theirs, ours]) client?.stream.socket.destroy();
        }
      }

      it.each(DIMENSIONS)(
        "are decided alike: %s",
        async (dimension) => {
          const disagreements: object[] = [];
          for (const login of cases.filter((one) => one.dimension === dimension)) {
            const { theirs, ours } = await outcomesOf(login);
            const known = ours === "refused" && theirs !== "refused" ? knownIn(login) : [];
            if (known.length === 0 && JSON.stringify(theirs) !== JSON.stringify(ours)) {
              disagreements.push({ ...login, theirs, ours });
            }
            tally.count(dimension, ours, known);
          }
          expect(disagreements).toEqual([]);
        },
        TIMEOUT,
      );

      it("are many, of both kinds, and show each of the known differences", () => {
        const { all, accepted, refused, tried } = tally.total;
        expect(all).toBe(cases.length);
        const least = version === newest ? extent(8, 100) : 20;
        for (const count of [accepted, refused, tried]) expect(count).toBeGreaterThan(least);
        expect(tally.seen).toEqual(new Set(differences));
      });
    });

  describe(`with ssh, beside ${newest}`, needs("ssh", "sshd"), () => {
    /** A PIN cannot be typed here. */
    const possible = CASES.filter(
      (one) =>
        one.signer === undefined &&
        one.flags === undefined &&
        one.algorithm === undefined &&
        !one.key.endsWith("-verified") &&
        !KNOWN_DIFFERENCES.some((known) => known.applies(one)),
    );
    const sample = possible.filter((_, index) => index % Math.floor(possible.length / extent(4, 36)) === 0);

    async function login({ key, certificate }: LoginCase): Promise<SshLogin> {
      return {
        identity: keys.path(key),
        command: "echo asked",
        options: [`SecurityKeyProvider=${await provider()}`],
        ...(certificate && { certificate: await keys.certificate(key, certificate) }),
      };
    }

    it(
      `are decided alike, ${sample.length} of them`,
      async () => {
        using sshd = await SshdOracle.start(folder, newest ?? "sshd");
        const report = ({ verdict, stdout }: SshOutcome) => ({ verdict, stdout: stdout.trim() });
        const verdicts = new Set<string>();
        for (const one of sample) {
          const [files, how] = [await keys.filesFor(one), await login(one)];
          server.declare(files);
          const [theirs, ours] = await Promise.all([sshd.login(files, how), sshLogin(manager.port, USER, how)]);
          expect({ ...one, ...report(ours) }).toEqual({ ...one, ...report(theirs) });
          verdicts.add(ours.verdict);
        }
        expect(verdicts).toEqual(new Set(["accepted", "refused"]));
      },
      TIMEOUT,
    );
  });
});

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MessageNumber } from "../../../src/protocol/constants.js";
import { needs } from "../../support/clients.js";
import { isLong } from "../../support/extent.js";
import { PacketClient } from "../../support/packet-client.js";
import { installedSshds, SSHD_VERSIONS } from "../../support/sshd-oracle.js";
import { temporaryFolder } from "../../support/tools.js";
import { USER } from "./cases/login-case.js";
import { ask } from "./forwarding/ask.js";
import { CREDENTIALS, CREDENTIALS_OF_PRINCIPALS } from "./forwarding/credentials.js";
import {
  type Difference,
  type ForwardingCase,
  KNOWN_DIFFERENCES,
  type KnownDifference,
} from "./forwarding/known-differences.js";
import { LOGINS, type Login } from "./forwarding/logins.js";
import type { Outcome } from "./forwarding/outcome.js";
import { openPlaces, type Places } from "./forwarding/places.js";
import { titleOf } from "./forwarding/requests.js";
import { filesFor, type Servers, startOurs, startSshd } from "./forwarding/servers.js";
import { SETTINGS, SETTINGS_OF_PRINCIPALS } from "./forwarding/settings.js";

const TIMEOUT = 300_000;
/** Logins that are made at a time. */
const AT_A_TIME = 8;
const PAGE = readFileSync(resolve(import.meta.dirname, "../../../docs/strictness.md"), "utf8");
const ALL_SETTINGS = [...SETTINGS, SETTINGS_OF_PRINCIPALS];
const ALL_CREDENTIALS = [...CREDENTIALS, ...CREDENTIALS_OF_PRINCIPALS];
const newest = installedSshds().at(-1);

const folder = temporaryFolder();
let places: Places;
let ours: Servers;

beforeAll(async () => {
  places = await openPlaces(folder);
  ours = await startOurs(ALL_SETTINGS, filesFor(ALL_CREDENTIALS, places), places);
});
afterAll(async () => {
  await ours[Symbol.asyncDispose]();
  await places[Symbol.asyncDispose]();
});

for (const version of SSHD_VERSIONS.filter((one) => isLong || one === newest))
  describe(`beside ${version}, what clients ask to be forwarded`, needs(version), () => {
    const known = KNOWN_DIFFERENCES.filter(({ asRoot }) => asRoot !== true || process.getuid?.() === 0);
    const seen = new Set<KnownDifference>();
    const decisions: string[] = [];
    let sshd: Servers;

    beforeAll(async () => {
      sshd = await startSshd(version, ALL_SETTINGS, filesFor(ALL_CREDENTIALS, places), places);
    });
    afterAll(() => sshd[Symbol.asyncDispose]());

    it(
      "is decided as there, or as it is meant",
      async () => {
        const unknown: string[] = [];
        for (let first = 0; first < LOGINS.length; first += AT_A_TIME) {
          const logins = LOGINS.slice(first, first + AT_A_TIME);
          const both = logins.map((login) => Promise.all([logIn(sshd, login), logIn(ours, login)]));
          for (const [index, clients] of (await Promise.all(both)).entries()) {
            for (const one of casesOf(logins[index])) {
              const outcomes = await outcomesOf(one, clients);
              decisions.push(outcomes.ours.decision);
              for (const found of differencesOf(outcomes)) {
                const reason = known.find((each) => isOf(each, found) && each.applies(one));
                if (reason === undefined)
                  unknown.push(`${titleOfCase(one)}: ${found.of} ${found.sshd}, ours ${found.ours}`);
                else seen.add(reason);
              }
            }
            for (const client of clients) client.stream.socket.destroy();
          }
        }
        expect(unknown).toEqual([]);
      },
      TIMEOUT,
    );

    it("shows each of the known differences", () => {
      expect(known.filter((each) => !seen.has(each))).toEqual([]);
    });

    it("is much, and of each decision enough", () => {
      expect(decisions.length).toBeGreaterThan(500);
      for (const decision of ["connected", "connect failed", "prohibited", "granted", "refused"]) {
        expect(decisions.filter((each) => each === decision).length).toBeGreaterThan(40);
      }
    });
  });

describe("the decisions that differ", () => {
  it("are those of docs/strictness.md", () => {
    const rows = KNOWN_DIFFERENCES.map(({ what, sshd, ours: our, why }) => `| ${what} | ${sshd} | ${our} | ${why} |`);
    const [, table = ""] = /^\| Request \| sshd \| spindlex \| Why \|\n\|[-|]+\|\n((?:\|.*\n)+)/m.exec(PAGE) ?? [];
    expect(table.trimEnd().split("\n")).toEqual(rows);
  });
});

async function logIn(servers: Servers, { settings, credential }: Login): Promise<PacketClient> {
  const client = await PacketClient.authenticating(servers.portOf(settings));
  client.stream.socket.setNoDelay();
  const [answer] = await client.authPublickey(USER, credential.key);
  if (answer !== MessageNumber.USERAUTH_SUCCESS) throw new Error(`${settings.title}, ${credential.title}: not let in`);
  return client;
}

const casesOf = (login: Login | undefined): readonly ForwardingCase[] =>
  login?.requests.map((request) => ({ ...login, request })) ?? [];

interface Outcomes {
  readonly sshd: Outcome;
  readonly ours: Outcome;
}

async function outcomesOf(
  one: ForwardingCase,
  [theirClient, ourClient]: readonly [PacketClient, PacketClient],
): Promise<Outcomes> {
  const { request } = one;
  const askBy = (name: string, client: PacketClient) =>
    ask(client, request, places).catch((cause) => {
      throw new Error(`${name} does not answer ${titleOfCase(one)}`, { cause });
    });
  const theirs = askBy("sshd", theirClient);
  // Only one of them at a time can listen on a port.
  if (request.kind === "tcpip-forward") await theirs;
  const [sshd, our] = await Promise.all([theirs, askBy("spindlex", ourClient)]);
  return { sshd, ours: our };
}

/** Where the decision is another one, so is all that follows from it. */
function differencesOf({ sshd, ours: our }: Outcomes): Difference[] {
  if (sshd.decision !== our.decision) return [{ of: "decision", sshd: sshd.decision, ours: our.decision }];
  const details = ({ boundThen, details: all }: Outcome) =>
    JSON.stringify({ ...all, boundThen: sshd.second === our.second ? boundThen : undefined });
  const parts: readonly Difference[] = [
    { of: "second", sshd: sshd.second ?? "", ours: our.second ?? "" },
    { of: "file", sshd: sshd.file ?? "", ours: our.file ?? "" },
    { of: "details", sshd: details(sshd), ours: details(our) },
  ];
  return parts.filter((part) => part.sshd !== part.ours);
}

const isOf = (known: KnownDifference, found: Difference): boolean =>
  known.of === found.of && known.sshd === found.sshd && known.ours === found.ours;

const titleOfCase = ({ settings, credential, request }: ForwardingCase): string =>
  `${settings.title}; ${credential.title}; ${titleOf(request)}`;

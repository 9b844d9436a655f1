import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needs } from "../../support/clients.js";
import { isLong } from "../../support/extent.js";
import { installedSshds, SSHD_VERSIONS } from "../../support/sshd-oracle.js";
import { temporaryFolder } from "../../support/tools.js";
import { ODD_INPUTS } from "./odd-inputs/all-inputs.js";
import { KNOWN_DIFFERENCES } from "./odd-inputs/known-differences.js";
import type { OddInput } from "./odd-inputs/odd-input.js";
import { outcomeOf } from "./odd-inputs/outcome.js";
import { type RunningServer, startOurs, startSshd } from "./odd-inputs/servers.js";

const TIMEOUT = 120_000;
/** Inputs that are tried at a time. */
const AT_A_TIME = 8;
/** In this phase sshd takes passwords, which only PAM can check here. */
const WITH_PAM = "authentication";

const PHASES = Object.entries(ODD_INPUTS);
const NAMES = PHASES.flatMap(([, inputs]) => inputs.map(({ name }) => name));
const PAGE = readFileSync(resolve(import.meta.dirname, "../../../docs/strictness.md"), "utf8");

const folder = temporaryFolder();

interface Difference {
  readonly input: string;
  readonly sshd: string;
  readonly ours: string;
}

let ours: RunningServer;
beforeAll(async () => {
  ours = await startOurs(folder);
});
afterAll(() => ours[Symbol.asyncDispose]());

/** By name of the input: it is the same beside each sshd. */
const ourOutcomes = new Map<string, Promise<string>>();

function ourOutcomeOf(input: OddInput): Promise<string> {
  const outcome = ourOutcomes.get(input.name) ?? outcomeOf(input, ours);
  ourOutcomes.set(input.name, outcome);
  return outcome;
}

/** The newest is asked of one input of each known difference and of a part of the rest; in the long run each of all. */
const newest = installedSshds().at(-1);
const DIFFERENT = new Set(KNOWN_DIFFERENCES.flatMap(({ inputs }) => inputs.slice(0, 1)));

for (const version of SSHD_VERSIONS.filter((one) => isLong || one === newest)) {
  const isAsked = ({ name }: OddInput, index: number): boolean => isLong || DIFFERENT.has(name) || index % 16 === 0;
  const known = KNOWN_DIFFERENCES.filter(({ versions }) => versions?.includes(version) !== false).flatMap(
    ({ inputs, sshd, ours: meant }) => inputs.map((input) => ({ input, sshd, ours: meant })),
  );

  describe(`beside ${version}, an odd input`, needs(version), () => {
    let sshds: readonly [plain: RunningServer, withPAM: RunningServer];

    beforeAll(async () => {
      sshds = await Promise.all([startSshd(folder, version, "no"), startSshd(folder, version, "yes")]);
    }, TIMEOUT);
    afterAll(() => Promise.all(sshds.map((sshd) => sshd[Symbol.asyncDispose]())));

    it.each(PHASES)(
      "has the outcome that it has there, or the one that is meant: %s",
      async (phase, inputs) => {
        const asked = inputs.filter(isAsked);
        const found = await differencesAmong(asked, sshds[phase === WITH_PAM ? 1 : 0]);
        expect(inOrder(asked, found)).toEqual(inOrder(asked, known));
      },
      TIMEOUT,
    );
  });
}

describe("the odd inputs", () => {
  it("are many, and each has a name of its own", () => {
    expect(NAMES.length).toBeGreaterThan(500);
    expect(new Set(NAMES).size).toBe(NAMES.length);
  });

  it("are those of which differences are known", () => {
    const unknown = KNOWN_DIFFERENCES.flatMap(({ inputs }) => inputs).filter((name) => !NAMES.includes(name));
    expect(unknown).toEqual([]);
  });

  it("that differ are those of docs/strictness.md", () => {
    const rows = KNOWN_DIFFERENCES.map(({ what, sshd, ours, why }) => `| ${what} | ${sshd} | ${ours} | ${why} |`);
    const [, table = ""] = /^\| Input \| sshd \| spindlex \| Why \|\n\|[-|]+\|\n((?:\|.*\n)+)/m.exec(PAGE) ?? [];
    expect(table.trimEnd().split("\n")).toEqual(rows);
  });
});

async function differencesAmong(inputs: readonly OddInput[], sshd: RunningServer): Promise<Difference[]> {
  const found: Difference[] = [];
  const queue = [...inputs];
  const work = async (): Promise<void> => {
    for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
      const outcomes = { sshd: await outcomeOf(input, sshd), ours: await ourOutcomeOf(input) };
      // sshd often hangs up where we say why: that is not a difference, but the other way round it is one.
      if (outcomes.sshd === "hangs up" && outcomes.ours !== "hangs up") outcomes.sshd = "ends";
      if (outcomes.sshd !== outcomes.ours) found.push({ input: input.name, ...outcomes });
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return found;
}

function inOrder(inputs: readonly OddInput[], differences: readonly Difference[]): Difference[] {
  return inputs.flatMap(({ name }) => differences.filter(({ input }) => input === name));
}

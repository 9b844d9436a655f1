import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { RevocationList } from "../../../src/crypto/revocation/revocation-list.js";
import { needs } from "../../support/clients.js";
import { extent, isLong, sample } from "../../support/extent.js";
import { temporaryFolder } from "../../support/tools.js";
import {
  type Individual,
  type KeygenName,
  keygenAnswers,
  type ListPlan,
  makeList,
  makePopulation,
} from "./population.js";
import { randomPlans } from "./random-plans.js";

const KEYGENS = ["ssh-keygen", "ssh-keygen10"] as const satisfies readonly KeygenName[];
const folder = temporaryFolder();

const serials = (...numbers: readonly (number | bigint)[]) => numbers.map((number) => `serial: ${number}`);
const every = (step: number, count: number) =>
  serials(...Array.from({ length: count }, (_, index) => 1 + step * index));

const PLANS: readonly ListPlan[] = [
  { name: "nothing", specifications: [["# nothing"]] },
  { name: "a key", specifications: [["key: {u1}"]] },
  { name: "keys of all types", specifications: [["key: {u2}", "key: {u3}", "key: {u4}"]] },
  { name: "the key of an authority", specifications: [["key: {ca-ed25519}"]] },
  { name: "the keys of all authorities", specifications: [["key: {ca-ed25519}", "key: {ca-ecdsa}", "key: {ca-rsa}"]] },
  { name: "a key by SHA-1", specifications: [["sha1: {u1}"]] },
  { name: "an authority by SHA-1", specifications: [["sha1: {ca-rsa}"]] },
  { name: "a key by SHA-256", specifications: [["sha256: {u2}"]] },
  { name: "an authority by SHA-256", specifications: [["sha256: {ca-ecdsa}"]] },
  { name: "keys by all means", specifications: [["key: {u1}", "sha1: {u2}", "sha256: {u3}", "sha256: {ca-rsa}"]] },
  { name: "a key of a certificate", specifications: [["key: {c3}"]] },
  { name: "SHA-1 of a certificate", specifications: [["sha1: {c3}"]] },
  { name: "SHA-256 of a certificate", specifications: [["sha256: {c3}"]] },
  { name: "a key as a file", specifications: [["# none"]], files: ["u1"] },
  { name: "a certificate as a file", specifications: [["# none"]], files: ["c1"] },
  { name: "a certificate without a number as a file", specifications: [["# none"]], files: ["c0"] },
  {
    name: "certificates of several authorities as files",
    specifications: [["# none"]],
    files: ["c2", "c13", "c17", "c15"],
  },
  { name: "certificates and keys as files", specifications: [["sha256: {u4}"]], files: ["c7", "ca-rsa", "u3"] },
  ...["ca-ed25519", "ca-ecdsa", "ca-rsa", "none"].flatMap((authority): ListPlan[] => [
    { name: `a number, ${authority}`, authority, specifications: [["serial: 1"]] },
    { name: `numbers, ${authority}`, authority, specifications: [serials(1, 2, 64, 1000)] },
    { name: `a range, ${authority}`, authority, specifications: [["serial: 2-64"]] },
    { name: `all numbers, ${authority}`, authority, specifications: [["serial: 1-18446744073709551615"]] },
    {
      name: `the last numbers, ${authority}`,
      authority,
      specifications: [["serial: 18446744073709551614-18446744073709551615"]],
    },
    { name: `the last number, ${authority}`, authority, specifications: [serials(18446744073709551615n)] },
    { name: `a bitmap, ${authority}`, authority, specifications: [every(3, 100)] },
    { name: `a long bitmap, ${authority}`, authority, specifications: [every(9, 1000)] },
    {
      name: `ranges and bitmaps, ${authority}`,
      authority,
      specifications: [["serial: 60-64", ...every(2, 40), "serial: 990-1001"]],
    },
    { name: `an ID, ${authority}`, authority, specifications: [["id: alice"]] },
    { name: `IDs, ${authority}`, authority, specifications: [["id: bob", "id: übermut", "id: id with spaces"]] },
    { name: `numbers and IDs, ${authority}`, authority, specifications: [["id: x", "serial: 5", "serial: 63-66"]] },
    {
      name: `updated, ${authority}`,
      authority,
      specifications: [
        ["serial: 1-4", "id: al"],
        ["serial: 5-64", "id: bob", "key: {u4}"],
      ],
    },
  ]),
  { name: "updated twice", specifications: [["key: {u1}"], ["sha1: {u2}"], ["sha256: {u3}"]] },
  {
    name: "a certificate beside a scope",
    authority: "ca-rsa",
    specifications: [["serial: 1-100"]],
    files: ["c6", "c14"],
  },
  ...randomPlans(extent(6, 30)),
];

let population: readonly Individual[] = [];

beforeAll(async () => {
  population = await makePopulation(folder);
}, 60_000);

describe.each(KEYGENS)("lists made by %s revoke what ssh-keygen says they do", needs(...KEYGENS), (tool) => {
  // In the gate the newer makes a third.
  const plans = sample(PLANS, tool === KEYGENS[1] ? 3 : 12);
  it.each(plans.map((plan, index) => ({ ...plan, index })))("$name", async ({ index, ...plan }) => {
    const file = await makeList(tool, folder, "list.krl", plan);
    const list = RevocationList.parse(readFileSync(file));
    const revoked = population.filter(({ key }) => list.isRevoked(key)).map(({ name }) => name);
    // Else one of the two, in turn.
    for (const asked of KEYGENS.filter((_, which) => isLong || which === index % 2)) {
      const answers = await keygenAnswers(asked, file, population);
      expect(revoked).toEqual(population.filter((_, index) => answers?.[index]).map(({ name }) => name));
      expect(answers).toBeDefined();
    }
  });
});

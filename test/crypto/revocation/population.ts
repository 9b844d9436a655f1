import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PKey } from "../../../src/crypto/pkey/pkey.js";
import { TOOLS } from "../../support/clients.js";
import { run, runOk } from "../../support/tools.js";

export type KeygenName = "ssh-keygen" | "ssh-keygen10";

/** A public key or certificate in a file. */
export interface Individual {
  readonly name: string;
  readonly path: string;
  readonly key: PKey;
}

const AUTHORITIES = ["ed25519", "ecdsa", "rsa"] as const;
const USERS = { u1: "ed25519", u2: "ed25519", u3: "ecdsa", u4: "rsa" } as const;

/** The authority and the subject of a certificate, with its serial number and key ID. */
const CERTIFICATES = [
  ["ed25519", "u1", "0", "alice"],
  ["ed25519", "u1", "1", "alice"],
  ["ed25519", "u1", "2", "bob"],
  ["ed25519", "u2", "5", ""],
  ["ed25519", "u2", "63", "al"],
  ["ed25519", "u3", "64", "alice2"],
  ["ed25519", "u3", "65", "übermut"],
  ["ed25519", "u4", "100", "bob"],
  ["ed25519", "u4", "1000", "id with spaces"],
  ["ed25519", "u4", "4294967296", "x"],
  ["ed25519", "u4", "9223372036854775808", "x"],
  ["ed25519", "u4", "18446744073709551615", "x"],
  ["ecdsa", "u1", "1", "alice"],
  ["ecdsa", "u2", "2", "carol"],
  ["ecdsa", "u3", "66", "bob"],
  ["ecdsa", "u4", "0", "zero"],
  ["rsa", "u1", "2", "alice"],
  ["rsa", "u2", "64", "dave"],
  ["rsa", "u3", "1001", "bob"],
  ["rsa", "u4", "18446744073709551614", "y"],
] as const;

/** Keys, authorities and certificates, made by `ssh-keygen`, in files named after them: `u1.pub`, `ca-rsa.pub`, `c0.pub`. */
export async function makePopulation(folder: string): Promise<readonly Individual[]> {
  const names = [...AUTHORITIES.map((type) => `ca-${type}`), ...Object.keys(USERS)];
  const types = [...AUTHORITIES, ...Object.values(USERS)];
  for (const [index, name] of names.entries()) {
    const parameters = ["-q", "-N", "", "-C", name, "-t", types[index] ?? "", "-f", join(folder, name)];
    await runOk(TOOLS["ssh-keygen"], types[index] === "rsa" ? [...parameters, "-b", "2048"] : parameters);
  }
  for (const [index, [authority, user, serial, id]] of CERTIFICATES.entries()) {
    const copy = join(folder, `c${index}.key.pub`);
    copyFileSync(join(folder, `${user}.pub`), copy);
    const parameters = ["-q", "-s", join(folder, `ca-${authority}`), "-I", id, "-z", serial, "-n", "user", copy];
    await runOk(TOOLS["ssh-keygen"], parameters);
    copyFileSync(join(folder, `c${index}.key-cert.pub`), join(folder, `c${index}.pub`));
    names.push(`c${index}`);
  }
  return names.map((name) => {
    const path = join(folder, `${name}.pub`);
    return { name, path, key: PKey.fromString(readFileSync(path)) };
  });
}

/** What a tool says of each of the population: whether the list revokes it. Undefined when it does not take the list. */
export type Answers = readonly boolean[] | undefined;

/** Asks `ssh-keygen -Q`. */
export async function keygenAnswers(
  tool: KeygenName,
  list: string,
  population: readonly Individual[],
): Promise<Answers> {
  const { code, stdout } = await run(TOOLS[tool], ["-Q", "-f", list, ...population.map(({ path }) => path)]);
  return readAnswers(`${stdout}${code}\n`, population);
}

/** Asks of many lists at once, for which a process of a shell is enough. */
export async function keygenAnswersToAll(
  tool: KeygenName,
  lists: readonly string[],
  population: readonly Individual[],
): Promise<readonly Answers[]> {
  const script =
    'tool=$1; count=$2; shift 2; while [ "$#" -gt "$count" ]; do list=$1; shift; lists="$lists $list"; done';
  const loop = 'for list in $lists; do "$tool" -Q -f "$list" "$@"; echo "$?"; echo; done';
  const files = population.map(({ path }) => path);
  const parameters = ["-c", `${script}; ${loop}`, "sh", TOOLS[tool], `${files.length}`, ...lists, ...files];
  const { stdout } = await run("/bin/sh", parameters, { timeout: 120_000 });
  return stdout
    .toString()
    .split("\n\n")
    .slice(0, -1)
    .map((output) => readAnswers(`${output}\n`, population));
}

/** The lines of `ssh-keygen -Q` and then its exit code. */
function readAnswers(output: string, population: readonly Individual[]): Answers {
  const lines = output.trimEnd().split("\n");
  const code = lines.pop();
  if (code === "255" && lines.length === 0) return undefined;
  const answers = lines.map((line, index) => {
    const answer = /^(\S+) \(.*\): (ok|REVOKED)$/.exec(line);
    if (answer === null || answer[1] !== population[index]?.path) throw new Error(`ssh-keygen -Q answers ${line}`);
    return answer[2] === "REVOKED";
  });
  if (answers.length !== population.length || code !== (answers.includes(true) ? "1" : "0")) {
    throw new Error(`ssh-keygen -Q answers ${output}`);
  }
  return answers;
}

export interface ListPlan {
  readonly name: string;
  /** The lines of a specification; with a second one, the list is made by the first and updated (`-u`) by it. */
  readonly specifications: readonly (readonly string[])[];
  /** Of the population, listed as files. */
  readonly files?: readonly string[];
  /** `none` for certificates of any authority. */
  readonly authority?: string;
}

/** Makes a list with `ssh-keygen -k` and gives its path. `{u1}` in a specification stands for the key in u1.pub. */
export async function makeList(tool: KeygenName, folder: string, file: string, plan: ListPlan): Promise<string> {
  const path = join(folder, file);
  for (const [index, lines] of plan.specifications.entries()) {
    const specification = `${path}.spec`;
    writeFileSync(specification, `${lines.map((line) => expand(folder, line)).join("\n")}\n`);
    const files = index === 0 ? (plan.files ?? []).map((name) => join(folder, `${name}.pub`)) : [];
    const authority = plan.authority;
    const scope =
      authority === undefined ? [] : ["-s", authority === "none" ? authority : join(folder, `${authority}.pub`)];
    const update = index === 0 ? [] : ["-u"];
    await runOk(TOOLS[tool], [
      "-k",
      "-q",
      "-f",
      path,
      "-z",
      `${index + 1}`,
      ...update,
      ...scope,
      specification,
      ...files,
    ]);
  }
  return path;
}

function expand(folder: string, line: string): string {
  return line.replace(/\{([\w-]+)\}/g, (_, name: string) =>
    readFileSync(join(folder, `${name}.pub`), "utf8").trimEnd(),
  );
}

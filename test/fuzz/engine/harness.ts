import { readdirSync } from "node:fs";

/** One target of fuzzing: `test/fuzz/harnesses/NAME.ts` exports it as `harness`. */
export interface Harness {
  /** That of its file. */
  readonly name: string;
  /** Inputs beside those in `test/fuzz/corpus/NAME`. */
  readonly seeds: readonly Uint8Array[];
  /** Throws, or rejects, only on a finding: errors that hostile bytes are meant to lead to it catches itself. */
  run(bytes: Buffer): void | Promise<void>;
  /** Longest input that is made, bytes. Default 4096. */
  readonly maximumLength?: number;
  /** Milliseconds of the processor's time that one input may take. Default 500. */
  readonly maximumTime?: number;
  /** Memory that one input may take: so much, and so much for each of its bytes. Without it memory is not looked at. */
  readonly memory?: { readonly base: number; readonly perByte: number };
  /** Inputs that the short run of the tests makes. Default 2000. */
  readonly shortRun?: number;
}

const HARNESSES = new URL("../harnesses/", import.meta.url);

export function harnessNames(): string[] {
  return readdirSync(HARNESSES)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.slice(0, -".ts".length))
    .sort();
}

export async function loadHarness(name: string): Promise<Harness> {
  const { harness } = (await import(new URL(`${name}.ts`, HARNESSES).href)) as { harness: Harness };
  if (harness.name !== name) throw new Error(`the harness in ${name}.ts calls itself ${harness.name}`);
  return harness;
}

type ErrorClass = abstract new (...parameters: never[]) => Error;

/**
 * Runs what may refuse its input with errors of these classes, or their subclasses; others are findings. `Error` stands
 * for itself alone.
 *
 * @returns `undefined` where it was refused
 */
export function refusable<T>(read: () => T, ...allowed: readonly ErrorClass[]): T | undefined {
  try {
    return read();
  } catch (error) {
    const isOf = (expected: ErrorClass) => error instanceof expected && (expected !== Error || isPlain(error));
    if (allowed.some(isOf)) return undefined;
    throw error;
  }
}

function isPlain(error: Error): boolean {
  return error.constructor === Error && !("code" in error);
}

/** Throws where two things that have to be equal are not. */
export function assertEqual(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (Buffer.compare(actual, expected) === 0) return;
  const shown = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex").slice(0, 200);
  throw new Error(`${what}: ${shown(actual)} where ${shown(expected)} was expected`);
}

export function assertTrue(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

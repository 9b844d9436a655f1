import { StandIns } from "../../src/authenticators/passwords/stand-ins.js";
import { totp } from "../../src/authenticators/totp/totp.js";
import { sharedLedgers, shareLedgers } from "../../src/base/shared-ledgers.js";
import { fields, flag, integer, list, nothing, optional, text } from "../../src/cluster/calls/message-checks.js";
import type { Operation } from "../../src/cluster/calls/operation.js";
import { ProcessLine } from "../../src/cluster/calls/process-line.js";
import { workerLedgers } from "../../src/cluster/ledgers/worker-ledgers.js";
import { COMPLETED } from "../../src/files/file-outcome.js";
import type { FileHandle } from "../../src/files/file-system.js";
import { LocalFileSystem } from "../../src/files/local/local-file-system.js";
import { type LimitedFileSystem, quota } from "../../src/files/wrappers/quota.js";
import { AUTH_SUCCESSFUL } from "../../src/protocol/constants.js";

// A worker that does with the ledgers of its primary what the test says.

const count = integer(0);

/** Gives one code so many times at once. @returns how many were accepted */
export const GIVE_CODE: Operation<{ readonly code: string; readonly times: number }, number> = {
  name: "test.giveCode",
  request: fields({ code: text(10), times: count }),
  answer: count,
};
/** Notes wrong codes of so many users, from a number on. @returns the longest pause, seconds */
export const GUESS: Operation<{ readonly from: number; readonly users: number; readonly times: number }, number> = {
  name: "test.guess",
  request: fields({ from: count, users: count, times: count }),
  answer: count,
};
/** @returns what the stand-ins of so many names cost */
export const STAND_INS: Operation<{ readonly hashes: readonly string[]; readonly names: number }, readonly string[]> = {
  name: "test.standIns",
  request: fields({ hashes: list(text(1000), 10), names: count }),
  answer: list(text(1000), 1000),
};
/** Takes turns of password checks and keeps them. @returns how many there are, when all are had */
export const TAKE_TURNS: Operation<number, number> = { name: "test.takeTurns", request: count, answer: count };
/** Writes blocks of 32 KiB until there is no room or so many are written. @returns bytes */
export const STORE: Operation<
  { readonly folder: string; readonly name: string; readonly blocks: number; readonly limit?: number | undefined },
  number
> = {
  name: "test.store",
  request: fields({ folder: text(1000), name: text(100), blocks: count, limit: optional(count) }),
  answer: count,
};
/** The same, and leaves the file open. */
export const STORE_OPEN: typeof STORE = { ...STORE, name: "test.storeOpen" };
/** Writes, appends to and cuts a few files of a folder that others change too, and removes and renames them if it may, for a time in milliseconds. */
export const CHURN: Operation<
  { readonly folder: string; readonly seed: number; readonly time: number; readonly names: boolean },
  undefined
> = {
  name: "test.churn",
  request: fields({ folder: text(1000), seed: count, time: count, names: flag }),
  answer: nothing,
};
/** @returns bytes that are used of the quota of a folder */
export const USED: Operation<string, number> = { name: "test.used", request: text(1000), answer: count };
/** Asks for a lock of names of the quota and keeps it. */
export const LOCK: Operation<string, undefined> = { name: "test.lock", request: text(1000), answer: nothing };

export const SECRET = "ann:GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
export const LIMIT = 50_000_000;

if (process.argv[1]?.includes("ledger-worker-process")) work();

function work(): void {
  const line = new ProcessLine(process, { peer: "the primary" });
  shareLedgers(workerLedgers(line));
  const check = totp(SECRET, { logger: false });
  const folders = new Map<string, LimitedFileSystem>();
  const open: FileHandle[] = [];

  const limited = (folder: string, limit = LIMIT) => {
    const key = `${limit} ${folder}`;
    const files = folders.get(key) ?? quota(new LocalFileSystem(folder), { bytes: limit });
    folders.set(key, files);
    return files;
  };
  const store = async (folder: string, name: string, blocks: number, limit?: number) => {
    const options = { read: false, write: true, append: false, create: true, truncate: true, exclusive: false };
    const handle = await limited(folder, limit).open?.(`/${name}`, options);
    if (handle === undefined) throw new Error("no file");
    let bytes = 0;
    const block = Buffer.alloc(32 * 1024);
    try {
      for (let index = 0; index < blocks; index++, bytes += block.length) await handle.write?.(block, bytes);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EDQUOT") throw error;
    }
    return { handle, bytes };
  };

  line.answer(GIVE_CODE, async ({ code, times }) => {
    const results = Array.from({ length: times }, () => check("ann", "", async () => [code]));
    return (await Promise.all(results)).filter((result) => result === AUTH_SUCCESSFUL).length;
  });
  line.answer(GUESS, async ({ from, users, times }) => {
    let longest = 0;
    for (let user = from; user < from + users; user++) {
      for (let time = 0; time < times; time++) {
        const attempt = { key: `user ${user}`, step: undefined, until: 0, now: 1000 };
        const verdict = await sharedLedgers()?.codes.attempt(attempt);
        longest = Math.max(longest, verdict?.pause ?? 0);
      }
    }
    return longest;
  });
  line.answer(STAND_INS, async ({ hashes, names }) => {
    const standIns = new StandIns(undefined);
    const entry = (hash: string) => ({
      hash: { cost: hash, maxPasswordLength: 72, matches: async () => false },
      hashText: hash,
      refusal: () => undefined,
    });
    const users = new Map(hashes.map((hash, index) => [`known ${index}`, entry(hash)]));
    const costs = Array.from(
      { length: names },
      async (_, name) => (await standIns.for(`name ${name}`, users, undefined)).cost,
    );
    return Promise.all(costs);
  });
  line.answer(TAKE_TURNS, async (turns) => {
    const { signal } = new AbortController();
    const taken = Array.from({ length: turns }, () =>
      sharedLedgers()?.passwordChecks.take({ remoteAddress: "192.0.2.1", signal }),
    );
    return (await Promise.all(taken)).filter((turn) => turn !== undefined).length;
  });
  line.answer(STORE, async ({ folder, name, blocks, limit }) => {
    const { handle, bytes } = await store(folder, name, blocks, limit);
    await handle.close?.(COMPLETED);
    return bytes;
  });
  line.answer(STORE_OPEN, async ({ folder, name, blocks }) => {
    const { handle, bytes } = await store(folder, name, blocks);
    open.push(handle);
    return bytes;
  });
  line.answer(CHURN, async ({ folder, seed, time, names }) => {
    const end = performance.now() + time;
    let state = seed;
    const random = (below: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % below;
    };
    const files = limited(folder);
    const step = async () => {
      const path = `/file ${random(6)}`;
      const kind = random(names ? 6 : 4);
      if (kind === 4) return files.remove?.(path);
      if (kind === 5) return files.posixRename?.(path, `/file ${random(6)}`);
      const options = {
        read: false,
        write: true,
        append: kind === 1,
        create: true,
        truncate: kind === 2,
        exclusive: false,
      };
      const handle = await files.open?.(path, options);
      try {
        for (let left = random(5); left > 0; left--)
          await handle?.write?.(Buffer.alloc(random(2_000_000)), random(15_000_000));
        if (kind === 3) await handle?.setstat?.({ size: random(15_000_000) });
      } finally {
        await handle?.close?.(COMPLETED);
      }
    };
    // Full, removed by another, and the like.
    while (performance.now() < end) await Promise.allSettled([step(), step(), step()]);
    return undefined;
  });
  line.answer(USED, async (folder) => (await limited(folder).usage()).used);
  line.answer(LOCK, async (folder) => {
    await new Promise<void>((resolve, reject) => {
      const account = sharedLedgers()?.quotas.open(`folder ${folder}`, {
        limit: LIMIT,
        used: undefined,
        warnAt: undefined,
        onWarning: () => {},
        visit: () => {},
      });
      account
        ?.alone(() => {
          resolve();
          return new Promise(() => {});
        })
        .catch(reject);
    });
    return undefined;
  });
}

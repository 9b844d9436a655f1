import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { inLimitedTime } from "../base/limited-time.js";
import { endFile } from "../files/end-file.js";
import { FileError } from "../files/errors.js";
import { abortedBy, COMPLETED, type FileOutcome } from "../files/file-outcome.js";
import type { GuardedFileSystem } from "../files/guarded-file-system.js";
import { FOR_READING } from "../files/open-options.js";
import { encodeName } from "../files/path.js";
import { readToHash } from "../files/uncounted-reads.js";

/** Bytes that are read at a time. */
const CHUNK_LENGTH = 64 * 1024;

/** The longest wait for more of what a client sends to be hashed. */
const IDLE_MILLISECONDS = 60_000;

/**
 * The hash of a file, in hexadecimal digits.
 *
 * @param signal fires when nobody waits for it any more
 */
export async function hashFile(
  tree: GuardedFileSystem,
  path: string,
  algorithm: string,
  signal: AbortSignal,
): Promise<string> {
  const { handle } = await tree.open(path, FOR_READING);
  let outcome: FileOutcome = COMPLETED;
  try {
    const hash = createHash(algorithm);
    const buffer = Buffer.allocUnsafeSlow(CHUNK_LENGTH);
    for (let position = 0; ; ) {
      signal.throwIfAborted();
      const count = await readToHash(handle, buffer, position);
      if (count === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, count));
      position += count;
      // A file system that never waits would let nobody else in.
      await setImmediate();
    }
  } catch (error) {
    outcome = abortedBy(error);
    throw error;
  } finally {
    await endFile(handle, outcome);
  }
}

export function hashText(text: string, algorithm: string): string {
  return createHash(algorithm).update(encodeName(text)).digest("hex");
}

/** The same for what a client sends until its EOF. */
export async function hashStream(stream: Readable, algorithm: string, signal: AbortSignal): Promise<string> {
  const hash = createHash(algorithm);
  const chunks = stream.iterator({ destroyOnReturn: false });
  const limit = {
    milliseconds: IDLE_MILLISECONDS,
    overdue: () => new FileError("ETIMEDOUT"),
    signals: [signal],
  };
  for (;;) {
    const { value, done } = await inLimitedTime<IteratorResult<unknown>>(limit, () => chunks.next());
    if (done) return hash.digest("hex");
    hash.update(value as Buffer);
  }
}

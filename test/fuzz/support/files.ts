import { MemoryFileSystem } from "../../../src/files/memory/memory-file-system.js";
import { ProtocolError } from "../../../src/protocol/errors.js";
import { PacketLengthError } from "../../../src/sftp/codec/packet-assembler.js";

/** A fresh tree with something of everything, too small to fill the memory. */
export function smallFileSystem(): MemoryFileSystem {
  const files = MemoryFileSystem.from(
    { "/a.txt": "hello", "/b [x]": "brackets", "/dir/one": "1", "/dir/two": "22", "/dir/sub/deep": "deep" },
    { quota: 4 * 1024 * 1024 },
  );
  files.symlink("a.txt", "/link");
  files.symlink("..", "/dir/up");
  files.symlink("loop", "/loop");
  return files;
}

/** Takes what servers of files log, and notes what is a defect of theirs and no fault of the client. */
export class FileLogger {
  readonly #defects: unknown[];

  constructor(defects: unknown[]) {
    this.#defects = defects;
  }

  readonly debug = (): void => {};

  readonly warn = (fields: object, message: string): void => {
    const error = "err" in fields ? fields.err : undefined;
    if (!isBrokenProtocol(error)) this.#defects.push(new Error(`logged: ${message}`, { cause: error }));
  };
}

/** A session that has ended for what the client did: itself, or because of a packet that could not be read. */
function isBrokenProtocol(error: unknown): boolean {
  if (error instanceof ProtocolError || error instanceof PacketLengthError) return true;
  if (!(error instanceof Error) || error.name !== "SessionError") return false;
  return error.cause === undefined || isBrokenProtocol(error.cause);
}

/** Throws the first defect. */
export function throwFirst(defects: readonly unknown[]): void {
  if (defects.length > 0) throw defects[0];
}

import type { FileOutcome } from "../../src/files/file-outcome.js";
import type { FileHandle, FileSystem, OpenOptions } from "../../src/files/file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";

/** Files in memory that tell how the use of each has ended, and by which method of its handle. */
export class ToldOutcomes extends MemoryFileSystem implements FileSystem {
  readonly told: { readonly path: string; readonly by: "close" | "abort"; readonly outcome: FileOutcome }[] = [];
  /** Replaces methods of the handles that are opened from now on. */
  methods: Partial<FileHandle> = {};

  override open(path: string, options: OpenOptions) {
    const handle = super.open(path, options);
    const tell = (by: "close" | "abort") => (outcome: FileOutcome) => {
      this.told.push({ path, by, outcome });
      MemoryHandle.close.call(handle);
    };
    const MemoryHandle = Object.getPrototypeOf(handle) as typeof handle;
    return Object.assign(handle, { close: tell("close"), ...this.methods, abort: tell("abort") });
  }
}

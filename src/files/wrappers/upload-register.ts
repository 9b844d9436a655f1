import type { FileSystem } from "../file-system.js";
import { isWithin, parentPath } from "../path.js";
import type { StagedUpload } from "./staged-upload.js";

const registers = new WeakMap<FileSystem, UploadRegister>();

/** The uploads to one file system that are under way in this process, whichever wrapper they came through. */
export class UploadRegister {
  /** By the paths of their staged files. */
  readonly #uploads = new Map<string, StagedUpload>();
  /** Those that their users see, by the paths of the staged files that later sessions would find. */
  readonly #seen = new Map<string, StagedUpload>();
  readonly #locks = new Map<string, Promise<unknown>>();

  static of(fileSystem: FileSystem): UploadRegister {
    let register = registers.get(fileSystem);
    if (register === undefined) {
      register = new UploadRegister();
      registers.set(fileSystem, register);
    }
    return register;
  }

  get(stagedPath: string): StagedUpload | undefined {
    return this.#uploads.get(stagedPath);
  }

  /** The upload that its user sees: of several at the same time, the first. */
  seenAt(slot: string): StagedUpload | undefined {
    return this.#seen.get(slot);
  }

  add(upload: StagedUpload): void {
    this.#uploads.set(upload.stagedPath, upload);
    if (!this.#seen.has(upload.slot)) this.#seen.set(upload.slot, upload);
  }

  delete(upload: StagedUpload): void {
    if (this.#uploads.get(upload.stagedPath) === upload) this.#uploads.delete(upload.stagedPath);
    if (this.#seen.get(upload.slot) === upload) this.#seen.delete(upload.slot);
  }

  *[Symbol.iterator](): IterableIterator<StagedUpload> {
    yield* this.#uploads.values();
  }

  /** Something was renamed. If it is a directory, what is uploaded into it has moved along. */
  moved(oldPath: string, newPath: string): void {
    for (const upload of [...this.#uploads.values()]) {
      if (!isWithin(parentPath(upload.path), oldPath)) continue;
      this.delete(upload);
      const moved = (path: string) => newPath + path.slice(oldPath.length);
      upload.path = moved(upload.path);
      upload.stagedPath = moved(upload.stagedPath);
      upload.slot = moved(upload.slot);
      this.add(upload);
    }
  }

  /** Runs what is done about one staged file behind all else that is done about it. */
  async alone<T>(slotPath: string, operation: () => Promise<T>): Promise<T> {
    const turn = (this.#locks.get(slotPath) ?? Promise.resolve()).then(operation);
    const over = turn.then(
      () => {},
      () => {},
    );
    this.#locks.set(slotPath, over);
    try {
      return await turn;
    } finally {
      if (this.#locks.get(slotPath) === over) this.#locks.delete(slotPath);
    }
  }
}

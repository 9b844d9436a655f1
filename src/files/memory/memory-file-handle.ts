import type { ByteBudget } from "../byte-budget.js";
import { FileError } from "../errors.js";
import type { AttributeChanges, FileAttributes, FileHandle, OpenOptions } from "../file-system.js";
import { attributesOf, changeAttributes, type FileNode, now } from "./node.js";

/** An open file of a MemoryFileSystem. */
export class MemoryFileHandle implements FileHandle {
  /** The same for all handles of one file, also where it has several names. */
  readonly identity: string;
  readonly #file: FileNode;
  readonly #options: OpenOptions;
  readonly #budget: ByteBudget;
  #isOpen = true;

  /** @internal Files are opened by `MemoryFileSystem.open`. */
  constructor(file: FileNode, options: OpenOptions, budget: ByteBudget) {
    this.identity = `memory:${file.number}`;
    this.#file = file;
    this.#options = options;
    this.#budget = budget;
    file.handles++;
  }

  /**
   * Reads into `buffer` from `position`, bytes from the start of the file.
   *
   * @returns the number of bytes; 0 at the end of the file
   * @throws {FileError} EBADF where it is closed or was not opened to be read, or EINVAL for an impossible position
   */
  read(buffer: Buffer, position: number): number {
    if (!this.#isOpen || !this.#options.read) throw new FileError("EBADF");
    checkPosition(position);
    return this.#file.content.read(buffer, position);
  }

  /** Writes all of `data`, or nothing where the quota does not suffice. */
  write(data: Buffer, position: number): void {
    if (!this.#isOpen || !this.#options.write) throw new FileError("EBADF");
    checkPosition(position);
    if (data.length === 0) return;
    const { content } = this.#file;
    const start = this.#options.append ? content.size : position;
    this.#budget.reserve(Math.max(0, start + data.length - content.size));
    content.write(data, start);
    this.#file.modifyTime = now();
  }

  /** The attributes of the file, also when it has been renamed or removed. @throws {FileError} EBADF where it is closed */
  stat(): FileAttributes {
    if (!this.#isOpen) throw new FileError("EBADF");
    return attributesOf(this.#file);
  }

  /**
   * Changes the attributes that are named; a size needs a handle that may write.
   *
   * @throws {FileError} EBADF where it is closed, EINVAL, or ENOSPC where the quota does not suffice
   */
  setstat(changes: AttributeChanges): void {
    if (!this.#isOpen) throw new FileError("EBADF");
    if (changes.size !== undefined && !this.#options.write) throw new FileError("EINVAL");
    changeAttributes(this.#file, changes, this.#budget);
  }

  /** Does nothing, since there is no disk. @throws {FileError} EBADF where it is closed */
  fsync(): void {
    if (!this.#isOpen) throw new FileError("EBADF");
  }

  /** Closes the handle. A file without a name is freed with its last handle. @throws {FileError} EBADF where it is closed already */
  close(): void {
    if (!this.#isOpen) throw new FileError("EBADF");
    this.#isOpen = false;
    this.#file.handles--;
    if (this.#file.handles === 0 && this.#file.links === 0) this.#budget.release(this.#file.content.size);
  }
}

function checkPosition(position: number): void {
  if (!Number.isSafeInteger(position) || position < 0) throw new FileError("EINVAL");
}

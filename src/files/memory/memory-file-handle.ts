import type { ByteBudget } from "../byte-budget.js";
import { FileError } from "../errors.js";
import type { AttributeChanges, FileAttributes, FileHandle, OpenOptions } from "../file-system.js";
import { attributesOf, changeAttributes, type FileNode, now } from "./node.js";

/** An open file of a MemoryFileSystem. */
export class MemoryFileHandle implements FileHandle {
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

  stat(): FileAttributes {
    if (!this.#isOpen) throw new FileError("EBADF");
    return attributesOf(this.#file);
  }

  setstat(changes: AttributeChanges): void {
    if (!this.#isOpen) throw new FileError("EBADF");
    if (changes.size !== undefined && !this.#options.write) throw new FileError("EINVAL");
    changeAttributes(this.#file, changes, this.#budget);
  }

  fsync(): void {
    if (!this.#isOpen) throw new FileError("EBADF");
  }

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

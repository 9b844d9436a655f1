import { FileError } from "../../../src/files/errors.js";
import type { FileAttributes, FileHandle, FileSystem, OpenOptions } from "../../../src/files/file-system.js";

interface Inode {
  readonly number: number;
  size: number;
  links: number;
  /** Descriptors. */
  opened: number;
}

/** The files of one folder, which several processes use. The number of one that is gone is that of the next at once. */
export class SimulatedDisk {
  readonly names = new Map<string, Inode>();
  readonly #inodes = new Map<number, Inode>();

  /** Bytes of all files, also of those that are only open. */
  get stored(): number {
    return [...this.#inodes.values()].reduce((sum, { size }) => sum + size, 0);
  }

  at(path: string): Inode {
    const inode = this.names.get(path);
    if (inode === undefined) throw new FileError("ENOENT");
    return inode;
  }

  open(path: string, { create }: OpenOptions): Inode {
    if (create && !this.names.has(path)) this.#make(path);
    const inode = this.at(path);
    inode.opened++;
    return inode;
  }

  close(inode: Inode): void {
    inode.opened--;
    this.#freeUnused(inode);
  }

  remove(path: string): void {
    const inode = this.at(path);
    this.names.delete(path);
    inode.links--;
    this.#freeUnused(inode);
  }

  link(existingPath: string, newPath: string): void {
    const inode = this.at(existingPath);
    if (this.names.has(newPath)) throw new FileError("EEXIST");
    this.names.set(newPath, inode);
    inode.links++;
  }

  rename(oldPath: string, newPath: string): void {
    const inode = this.at(oldPath);
    if (this.names.get(newPath) === inode) return;
    if (this.names.has(newPath)) this.remove(newPath);
    this.names.delete(oldPath);
    this.names.set(newPath, inode);
  }

  #make(path: string): void {
    let number = 1;
    while (this.#inodes.has(number)) number++;
    const inode = { number, size: 0, links: 1, opened: 0 };
    this.#inodes.set(number, inode);
    this.names.set(path, inode);
  }

  #freeUnused(inode: Inode): void {
    if (inode.links === 0 && inode.opened === 0) this.#inodes.delete(inode.number);
  }
}

/** What a process has asked of the kernel. */
export interface SystemCall {
  readonly name: string;
  readonly isDone: boolean;
  /** Does it, and then tells the process, each when it is called. */
  readonly goOn: () => void;
  /** Tells the process that it cannot be done. */
  readonly fail: () => void;
}

/** The disk as one process sees it: what it asks for takes until somebody goes on with it. */
export class SimulatedProcess {
  /** Whether what it does with open files is done at once. */
  isPrompt = false;
  readonly calls = new Set<SystemCall>();
  readonly fileSystem: FileSystem;
  readonly #disk: SimulatedDisk;
  readonly #descriptors = new Set<{ readonly inode: Inode }>();
  #isDead = false;

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
    this.fileSystem = {
      open: (path, options) => this.#call(`open ${path}`, () => this.#open(path, options)),
      lstat: (path) => this.#call(`lstat ${path}`, () => attributesOf(disk.at(path))),
      setstat: () => Promise.reject(new FileError("ENOTSUP")),
      remove: (path) => this.#call(`remove ${path}`, () => disk.remove(path)),
      posixRename: (from, to) => this.#call(`rename ${from} ${to}`, () => disk.rename(from, to)),
      hardlink: (from, to) => this.#call(`link ${from} ${to}`, () => disk.link(from, to)),
      readdir: async function* () {
        for (const [path, inode] of disk.names) yield { name: path.slice(1), attributes: attributesOf(inode) };
      },
    };
  }

  /** @param isDone whether the kernel does what was asked for before it ends the process, and closes its files */
  kill(isDone: (call: SystemCall) => boolean): void {
    for (const call of this.calls) if (!call.isDone && isDone(call)) call.goOn();
    this.#isDead = true;
    this.calls.clear();
    for (const { inode } of this.#descriptors) this.#disk.close(inode);
  }

  #open(path: string, options: OpenOptions): FileHandle {
    const inode = this.#disk.open(path, options);
    const descriptor = { inode };
    this.#descriptors.add(descriptor);
    const call = <T>(name: string, run: () => T) =>
      this.isPrompt && !this.#isDead ? run() : this.#call(`${name} of file ${inode.number}`, run);
    return {
      identity: `${inode.number}`,
      write: ({ length }, position) =>
        call(options.append ? `append ${length}` : `write ${position} to ${position + length}`, () => {
          if (length > 0) inode.size = Math.max(inode.size, (options.append ? inode.size : position) + length);
        }),
      stat: () => call("stat", () => attributesOf(inode)),
      setstat: ({ size = inode.size }) =>
        call(`truncate ${size}`, () => {
          inode.size = size;
        }),
      close: () =>
        call("close", () => {
          this.#descriptors.delete(descriptor);
          this.#disk.close(inode);
        }),
    };
  }

  #call<T>(name: string, run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let tell: (() => void) | undefined;
      const call = {
        name,
        isDone: false,
        goOn: () => {
          if (tell !== undefined) {
            this.calls.delete(call);
            tell();
            return;
          }
          call.isDone = true;
          try {
            const result = run();
            tell = () => resolve(result);
          } catch (error) {
            tell = () => reject(error);
          }
        },
        fail: () => {
          this.calls.delete(call);
          reject(new FileError("EIO"));
        },
      };
      if (!this.#isDead) this.calls.add(call);
    });
  }
}

function attributesOf({ size, links }: Inode): FileAttributes {
  return { type: "file", size, links, permissions: 0o644, accessTime: 0, modifyTime: 0 };
}

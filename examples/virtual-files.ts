/**
 * Serves what is no folder: the keys of a store as directories and files, which clients may read and write.
 *
 *   npx tsx examples/virtual-files.ts
 *   sftp -P 2222 admin@localhost    (password: secret)
 *   sftp> get /settings/colour -
 */
import { type Channel, SSHServer, SSHServerManager } from "spindlex";
import { PKey } from "spindlex/crypto";
import {
  AUTH_FAILED,
  AUTH_SUCCESSFUL,
  type AuthResult,
  OPEN_FAILED_UNKNOWN_CHANNEL_TYPE,
  OPEN_SUCCEEDED,
} from "spindlex/protocol/constants";
import {
  type AttributeChanges,
  type DirectoryEntry,
  type FileAttributes,
  FileError,
  type FileHandle,
  type FileSystem,
  type OpenOptions,
  SFTPServer,
} from "spindlex/sftp";

/** Bytes of the longest value. */
const MAX_VALUE_LENGTH = 64 * 1024;

/** Stands for a database: two levels of keys, values that are texts. */
const store = new Map([
  ["settings", new Map([["colour", "blue\n"]])],
  [
    "greetings",
    new Map([
      ["english", "Hello!\n"],
      ["german", "Guten Tag!\n"],
    ]),
  ],
]);

/** `/table/key` is a file that holds the value. */
class StoreFiles implements FileSystem {
  lstat(path: string): FileAttributes {
    const { table, key } = locate(path);
    if (key === undefined) return directory();
    const value = table?.get(key);
    if (value === undefined) throw new FileError("ENOENT");
    return file(Buffer.byteLength(value));
  }

  *readdir(path: string): Generator<DirectoryEntry> {
    const { table } = locate(path);
    if (table === undefined) for (const name of store.keys()) yield { name, attributes: directory() };
    else for (const [name, value] of table) yield { name, attributes: file(Buffer.byteLength(value)) };
  }

  open(path: string, options: OpenOptions): FileHandle {
    const { table, key } = locate(path);
    if (table === undefined || key === undefined) throw new FileError("EISDIR");
    const value = table.get(key);
    if (value === undefined && !options.create) throw new FileError("ENOENT");
    if (value !== undefined && options.exclusive) throw new FileError("EEXIST");
    return new ValueHandle(options.truncate ? "" : (value ?? ""), (text) => table.set(key, text));
  }

  remove(path: string): void {
    const { table, key } = locate(path);
    if (key === undefined || table?.delete(key) !== true) throw new FileError("ENOENT");
  }
}

/** A value that is being read or written; it goes into the store when the client closes it. */
class ValueHandle implements FileHandle {
  #content: Buffer;
  #changed = false;
  readonly #save: (value: string) => void;

  constructor(value: string, save: (value: string) => void) {
    this.#content = Buffer.from(value);
    this.#save = save;
  }

  read(buffer: Buffer, position: number): number {
    return this.#content.subarray(position).copy(buffer);
  }

  write(data: Buffer, position: number): void {
    this.#resize(Math.max(this.#content.length, position + data.length));
    data.copy(this.#content, position);
  }

  stat(): FileAttributes {
    return file(this.#content.length);
  }

  setstat({ size }: AttributeChanges): void {
    if (size !== undefined) this.#resize(size);
  }

  close(): void {
    if (this.#changed) this.#save(this.#content.toString("utf8"));
  }

  #resize(size: number): void {
    if (size > MAX_VALUE_LENGTH) throw new FileError("EFBIG");
    const content = Buffer.alloc(size);
    this.#content.copy(content);
    this.#content = content;
    this.#changed = true;
  }
}

/** @throws {FileError} when there is no such table, or the path is too deep */
function locate(path: string): { readonly table?: Map<string, string>; readonly key?: string } {
  const [name, key, ...rest] = path.split("/").filter((part) => part !== "");
  if (name === undefined) return {};
  const table = store.get(name);
  if (table === undefined || rest.length > 0) throw new FileError("ENOENT");
  return key === undefined ? { table } : { table, key };
}

function directory(): FileAttributes {
  return { type: "directory", size: 0, permissions: 0o755, accessTime: now(), modifyTime: now() };
}

function file(size: number): FileAttributes {
  return { type: "file", size, permissions: 0o644, accessTime: now(), modifyTime: now() };
}

function now(): number {
  return Date.now() / 1000;
}

class StoreServer extends SSHServer {
  override getAllowedAuths(): string[] {
    return ["password"];
  }

  override checkAuthPassword(username: string, password: string): AuthResult {
    return username === "admin" && password === "secret" ? AUTH_SUCCESSFUL : AUTH_FAILED;
  }

  override checkChannelRequest(kind: string): number {
    return kind === "session" ? OPEN_SUCCEEDED : OPEN_FAILED_UNKNOWN_CHANNEL_TYPE;
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    if (name !== "sftp") return false;
    new SFTPServer(channel, { fileSystem: new StoreFiles() });
    return true;
  }
}

const manager = new SSHServerManager({
  serverInterface: new StoreServer(),
  serverKey: PKey.generate({ keyType: "ed25519" }),
  bindAddress: "127.0.0.1",
  port: Number(process.env.PORT ?? 2222),
});
await manager.startServer();
process.once("SIGINT", () => manager.stopServer());
console.log(`Listening on 127.0.0.1:${manager.port}`);

/**
 * Uploads over SFTP and scp into a store that takes whole objects over HTTP: nginx, for instance, with
 * `autoindex_format json` and `dav_methods PUT DELETE`. What a client writes waits in a temporary file and is sent when
 * the client has closed it. Of an upload that broke off nothing gets into the store.
 *
 *   STORE_URL=http://127.0.0.1:8080 npx tsx examples/object-store.ts
 *   scp -P 2222 README.md localhost:
 */
import { open, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { AUTH_SUCCESSFUL, createServer } from "spindlex";
import { type AttributeChanges, FileError, type FileHandle, type FileSystem, type OpenOptions } from "spindlex/sftp";

async function ask(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  const store = process.env.STORE_URL ?? "http://127.0.0.1:8080";
  const response = await fetch(`${store}/${encodeURIComponent(path.slice(1))}`, { ...init, method });
  if (response.status === 404) throw new FileError("ENOENT");
  if (!response.ok) throw new Error(`${method} ${path} is answered ${response.status}`);
  return response;
}

function attributesOf(size: number, mtime: string | number, type: "file" | "directory" = "file") {
  const time = new Date(mtime).getTime() / 1000;
  return { type, size, permissions: type === "file" ? 0o644 : 0o755, accessTime: time, modifyTime: time };
}

/** The store, for one session. */
class ObjectStore implements FileSystem {
  /** What is being written: clients look at it meanwhile, and some set its size or times by its path. */
  readonly #uploads = new Map<string, Required<Pick<FileHandle, "stat" | "setstat">>>();

  async *readdir() {
    const listing = (await (await ask("GET", "/")).json()) as { name: string; size: number; mtime: string }[];
    for (const { name, size, mtime } of listing) yield { name, attributes: attributesOf(size, mtime) };
  }

  async lstat(path: string) {
    if (path === "/") return attributesOf(0, 0, "directory");
    const upload = this.#uploads.get(path);
    if (upload !== undefined) return upload.stat();
    const { headers } = await ask("HEAD", path);
    return attributesOf(Number(headers.get("content-length")), headers.get("last-modified") ?? 0);
  }

  async setstat(path: string, changes: AttributeChanges) {
    const upload = this.#uploads.get(path);
    if (upload !== undefined) await upload.setstat(changes);
    else if (changes.size !== undefined) throw new FileError("ENOTSUP");
  }

  async remove(path: string) {
    await ask("DELETE", path);
  }

  async open(path: string, { write, append, create, truncate, exclusive }: OpenOptions): Promise<FileHandle> {
    const isNew = (await this.lstat(path).catch(({ code }) => code)) === "ENOENT";
    if (isNew && !create) throw new FileError("ENOENT");
    if (!isNew && exclusive) throw new FileError("EEXIST");
    const object = isNew || truncate ? null : (await ask("GET", path)).body;
    const temporary = join(tmpdir(), `object-${crypto.randomUUID()}`);
    const file = await open(temporary, append ? "ax+" : "wx+", 0o600);
    await unlink(temporary);
    if (object !== null) await writeFile(file, object);
    const handle = {
      read: async (buffer: Buffer, position: number) => (await file.read(buffer, { position })).bytesRead,
      write: async (data: Buffer, position: number) => void (await file.write(data, 0, data.length, position)),
      stat: async () => attributesOf((await file.stat()).size, Date.now()),
      setstat: async ({ size }: AttributeChanges) => (size === undefined ? undefined : file.truncate(size)),
      close: async () => {
        const body = Readable.toWeb(file.createReadStream({ start: 0, autoClose: false }));
        if (write) await ask("PUT", path, { body, duplex: "half" }).finally(handle.abort);
        else await file.close();
      },
      abort: async () => {
        if (this.#uploads.get(path) === handle) this.#uploads.delete(path);
        await file.close();
      },
    };
    if (write) this.#uploads.set(path, handle);
    return handle;
  }
}

const sftp = () => new ObjectStore();
const server = createServer({ hostKey: "host_key", authentication: { none: () => AUTH_SUCCESSFUL }, sftp });
await server.listen(Number(process.env.PORT ?? 2222));
console.log(`Listening on ${server.address}:${server.port}`);

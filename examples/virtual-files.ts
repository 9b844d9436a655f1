/**
 * Serves over SFTP what a web server has. Nothing is kept here: directories are listings as of nginx
 * (`autoindex_format json`), and files are read in the pieces that the client asks for.
 *
 *   FILES_URL=http://127.0.0.1:8080 npx tsx examples/virtual-files.ts
 *   sftp -P 2222 localhost
 */
import { posix } from "node:path";
import { AUTH_SUCCESSFUL, createServer } from "spindlex";
import { type FileAttributes, FileError, type FileHandle, type FileSystem, type OpenOptions } from "spindlex/sftp";

interface Listed {
  readonly name: string;
  readonly type: "file" | "directory";
  readonly size?: number;
  readonly mtime: string;
}

async function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const url = (process.env.FILES_URL ?? "http://127.0.0.1:8080") + path.split("/").map(encodeURIComponent).join("/");
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
  if (response.status === 404) throw new FileError("ENOENT");
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return response;
}

function attributesOf({ type, size = 0, mtime }: Listed): FileAttributes {
  const time = Date.parse(mtime) / 1000;
  return { type, size, permissions: type === "file" ? 0o444 : 0o555, accessTime: time, modifyTime: time };
}

class WebFiles implements FileSystem {
  async *readdir(path: string) {
    const listing = (await (await get(posix.join(path, "/"))).json()) as Listed[];
    for (const listed of listing) yield { name: listed.name, attributes: attributesOf(listed) };
  }

  async lstat(path: string): Promise<FileAttributes> {
    if (path === "/") return attributesOf({ name: "", type: "directory", mtime: "1970-01-01" });
    const { dir, base } = posix.parse(path);
    for await (const { name, attributes } of this.readdir(dir)) if (name === base) return attributes;
    throw new FileError("ENOENT");
  }

  async open(path: string, { write }: OpenOptions): Promise<FileHandle> {
    if (write) throw new FileError("EROFS");
    const attributes = await this.lstat(path);
    const read = async (buffer: Buffer, position: number) => {
      if (position >= attributes.size) return 0;
      const response = await get(path, { range: `bytes=${position}-${position + buffer.length - 1}` });
      if (response.status !== 206) throw new Error("the web server gives no part of a file");
      return Buffer.from(await response.arrayBuffer()).copy(buffer);
    };
    return { read, stat: () => attributes };
  }
}

const server = createServer({
  hostKey: "host_key",
  authentication: { none: () => AUTH_SUCCESSFUL },
  sftp: new WebFiles(),
});
await server.listen(Number(process.env.PORT ?? 2222));
console.log(`Listening on ${server.address}:${server.port}`);

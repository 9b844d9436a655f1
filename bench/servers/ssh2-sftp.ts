import fs, { type Stats } from "node:fs";
import { join, posix } from "node:path";
import ssh2, { type Attributes, type SFTPWrapper } from "ssh2";
import { longName } from "./long-name.js";

const { STATUS_CODE, flagsToString } = ssh2.utils.sftp;

/** Longest READ that is answered in full; the client asks for no more than 32 KiB where a server states no limits. */
const longestRead = 64 * 1024;
/** Entries in one answer to READDIR, which about fills a packet of the channel. */
const entriesAtOnce = 128;
/** REALPATH answers with none, which the protocol has no other words for. */
const noAttributes: Attributes = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 };

interface OpenFile {
  readonly kind: "file";
  readonly descriptor: number;
}

interface OpenDirectory {
  readonly kind: "directory";
  readonly path: string;
  /** Not listed yet. */
  readonly names: string[];
}

/**
 * What someone who knows Node.js writes on ssh2's SFTP server: every request a call of node:fs with a callback, as many
 * at once as the client asks for. Only what the bench's clients ask for; paths are kept below the root by their text,
 * links are not looked at, which would cost it more.
 */
export function serveSFTP(sftp: SFTPWrapper, root: string): void {
  const handles = new Map<number, OpenFile | OpenDirectory>();
  /** Buffers of answered READs: ssh2 copies what it sends. */
  const spareBuffers: Buffer[] = [];
  let nextHandle = 0;

  const real = (path: string) => join(root, posix.resolve("/", path));
  const answer = (id: number) => (error: NodeJS.ErrnoException | null) => sftp.status(id, statusOf(error));
  const answerHandle = (id: number, opened: OpenFile | OpenDirectory) => {
    const handle = Buffer.allocUnsafe(4);
    handle.writeUInt32BE(nextHandle);
    handles.set(nextHandle++, opened);
    sftp.handle(id, handle);
  };
  const answerAttributes = (id: number) => (error: NodeJS.ErrnoException | null, stats: Stats) => {
    if (error === null) sftp.attrs(id, attributesOf(stats));
    else sftp.status(id, statusOf(error));
  };
  const opened = (handle: Buffer) => (handle.length === 4 ? handles.get(handle.readUInt32BE()) : undefined);
  /** Calls with the descriptor, or answers that the handle does not belong to a file. */
  const withFile = (id: number, handle: Buffer, use: (descriptor: number) => void) => {
    const file = opened(handle);
    if (file?.kind === "file") use(file.descriptor);
    else sftp.status(id, STATUS_CODE.FAILURE);
  };

  sftp.on("OPEN", (id, path, flags, { mode }: Partial<Attributes>) => {
    const flagText = flagsToString(flags);
    if (flagText === null) return sftp.status(id, STATUS_CODE.FAILURE);
    fs.open(real(path), flagText, mode ?? 0o666, (error, descriptor) => {
      if (error === null) answerHandle(id, { kind: "file", descriptor });
      else sftp.status(id, statusOf(error));
    });
  });

  sftp.on("READ", (id, handle, offset, length) => {
    withFile(id, handle, (descriptor) => {
      const buffer = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(longestRead);
      fs.read(descriptor, buffer, 0, Math.min(length, longestRead), offset, (error, bytesRead) => {
        if (error !== null) sftp.status(id, statusOf(error));
        else if (bytesRead === 0) sftp.status(id, STATUS_CODE.EOF);
        else sftp.data(id, buffer.subarray(0, bytesRead));
        spareBuffers.push(buffer);
      });
    });
  });

  sftp.on("WRITE", (id, handle, offset, data) => {
    withFile(id, handle, (descriptor) => {
      fs.write(descriptor, data, 0, data.length, offset, (error, bytesWritten) => {
        if (error === null && bytesWritten < data.length) sftp.status(id, STATUS_CODE.FAILURE);
        else sftp.status(id, statusOf(error));
      });
    });
  });

  sftp.on("CLOSE", (id, handle) => {
    const closing = opened(handle);
    if (closing === undefined) return sftp.status(id, STATUS_CODE.FAILURE);
    handles.delete(handle.readUInt32BE());
    if (closing.kind === "file") fs.close(closing.descriptor, answer(id));
    else sftp.status(id, STATUS_CODE.OK);
  });

  sftp.on("OPENDIR", (id, path) => {
    const directory = real(path);
    fs.readdir(directory, (error, names) => {
      if (error === null) answerHandle(id, { kind: "directory", path: directory, names });
      else sftp.status(id, statusOf(error));
    });
  });

  sftp.on("READDIR", (id, handle) => {
    const directory = opened(handle);
    if (directory?.kind !== "directory") return sftp.status(id, STATUS_CODE.FAILURE);
    const names = directory.names.splice(-entriesAtOnce);
    if (names.length === 0) return sftp.status(id, STATUS_CODE.EOF);
    const entries: { filename: string; longname: string; attrs: Attributes }[] = [];
    let pending = names.length;
    for (const filename of names) {
      fs.lstat(`${directory.path}/${filename}`, (error, stats) => {
        // A file that is gone by now is left out.
        if (error === null) entries.push({ filename, longname: longName(filename, stats), attrs: attributesOf(stats) });
        if (--pending === 0) sftp.name(id, entries);
      });
    }
  });

  sftp.on("REALPATH", (id, path) => {
    const filename = posix.resolve("/", path);
    sftp.name(id, [{ filename, longname: filename, attrs: noAttributes }]);
  });
  sftp.on("STAT", (id, path) => fs.stat(real(path), answerAttributes(id)));
  sftp.on("LSTAT", (id, path) => fs.lstat(real(path), answerAttributes(id)));
  sftp.on("FSTAT", (id, handle) => withFile(id, handle, (descriptor) => fs.fstat(descriptor, answerAttributes(id))));
  sftp.on("MKDIR", (id, path, { mode }: Partial<Attributes>) => fs.mkdir(real(path), mode ?? 0o777, answer(id)));
  sftp.on("SETSTAT", (id, path, { mode }: Partial<Attributes>) => {
    if (mode === undefined) sftp.status(id, STATUS_CODE.OP_UNSUPPORTED);
    else fs.chmod(real(path), mode & 0o7777, answer(id));
  });

  // The client hangs up by ending its side, and waits for this one.
  sftp.on("end", () => sftp.end());
  sftp.on("close", () => {
    for (const left of handles.values()) if (left.kind === "file") fs.close(left.descriptor);
  });
}

function attributesOf({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): Attributes {
  return { mode, uid, gid, size, atime: Math.floor(atimeMs / 1000), mtime: Math.floor(mtimeMs / 1000) };
}

function statusOf(error: NodeJS.ErrnoException | null): number {
  switch (error?.code) {
    case undefined:
      return STATUS_CODE.OK;
    case "ENOENT":
      return STATUS_CODE.NO_SUCH_FILE;
    case "EACCES":
    case "EPERM":
      return STATUS_CODE.PERMISSION_DENIED;
    default:
      return STATUS_CODE.FAILURE;
  }
}

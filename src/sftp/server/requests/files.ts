import { whenDone } from "../../../base/maybe-promise.js";
import { FileError } from "../../../files/errors.js";
import type { AttributeChanges, FileAttributes, OpenOptions } from "../../../files/file-system.js";
import { sizeOf } from "../../../files/size-of.js";
import type { Reader } from "../../../protocol/reader.js";
import { readAttributes, readSize } from "../../codec/attributes.js";
import { MAX_DATA_LENGTH, OpenFlag, StatusCode } from "../../codec/constants.js";
import { PooledPacket, returnPacketBuffer } from "../../codec/packet-buffers.js";
import {
  DATA_HEAD_LENGTH,
  encodeAttributes,
  encodeHandle,
  encodeOk,
  encodeStatus,
  setDataHead,
} from "../../codec/replies.js";
import type { OpenFile } from "../handle-table.js";
import type { ReadData } from "../read-ahead.js";
import type { FileAccess } from "../request-order.js";
import {
  CHANGES_CONTENT,
  CHANGES_NAMES,
  notOpenFor,
  READS_NAMES,
  type Reply,
  type RequestContext,
  type RequestKind,
  readPath,
  whole,
} from "./request.js";

// Requests that open files and work on open ones (draft-ietf-secsh-filexfer-02 §6.3, §6.4 and §6.8).

export const open: RequestKind = {
  name: "open",
  read(fields, { tree, handles, transfers }) {
    const path = readPath(fields);
    const options = readOpenOptions(fields);
    const footprint = options.truncate ? CHANGES_CONTENT : options.create ? CHANGES_NAMES : READS_NAMES;
    return {
      footprint,
      run(id) {
        const openFile = () =>
          whenDone(tree.openPromptly(path, options), (opened): OpenFile => {
            const { handle } = opened;
            const transfer = transfers.begin(opened, options);
            return { kind: "file", ...opened, options, transfer, identity: handle.identity ?? opened.path };
          });
        return whenDone(handles.add(openFile), (handle) => encodeHandle(id, handle));
      },
    };
  },
};

export const close: RequestKind = {
  name: "close",
  read(fields, { handles, readAhead }) {
    const handle = fields.readString();
    // No later request finds it; it is closed once the earlier ones are through with it.
    const object = handles.take(handle);
    return {
      footprint: object.kind === "file" ? { files: [whole(object.identity, "write")] } : { alone: object.identity },
      run: (id) => whenDone(handles.close(object, readAhead.idle(object)), () => encodeOk(id)),
    };
  },
};

export const read: RequestKind = {
  name: "read",
  read(fields, { handles, readAhead }) {
    const file = handles.getFile(fields.readString());
    const offset = readSize(fields);
    const length = Math.min(fields.readUint32(), MAX_DATA_LENGTH);
    if (!file.options.read) throw notOpenFor("reading");
    return {
      footprint: { files: [part(file.identity, "read", offset, length)] },
      replyLine: file,
      memory: length,
      run: (id) => whenDone(readAhead.read(file, offset, length), (data) => dataReply(id, data)),
    };
  },
};

export const write: RequestKind = {
  name: "write",
  read(fields, { handles }) {
    const file = handles.getFile(fields.readString());
    const offset = readSize(fields);
    const data = fields.readString();
    const { transfer, options, identity } = file;
    if (!options.write) throw notOpenFor("writing");
    const access = options.append ? whole(identity, "write") : part(identity, "write", offset, data.length);
    return {
      footprint: { files: [access] },
      replyLine: file,
      run: (id) => whenDone(transfer.write(data, offset), () => encodeOk(id)),
    };
  },
};

export const fstat: RequestKind = {
  name: "fstat",
  read(fields, { handles, tree }) {
    const object = handles.get(fields.readString());
    return {
      // A request by the file's name may have changed its attributes.
      footprint: { ...READS_NAMES, files: object.kind === "file" ? [whole(object.identity, "read")] : [] },
      run(id) {
        const encode = (attributes: FileAttributes) => encodeAttributes(id, attributes);
        if (object.kind === "directory") return whenDone(tree.stat(object.path, "keep"), encode);
        if (object.handle.stat === undefined) throw new FileError("ENOTSUP");
        return whenDone(object.handle.stat(), encode);
      },
    };
  },
};

export const fsetstat: RequestKind = {
  name: "fsetstat",
  read(fields, { handles, tree }) {
    const object = handles.get(fields.readString());
    const changes = readAttributes(fields);
    if (changes.size !== undefined && object.kind === "file" && !object.options.write) throw notOpenFor("writing");
    return {
      footprint: object.kind === "file" ? { files: [whole(object.identity, "write")] } : CHANGES_NAMES,
      async run(id) {
        if (object.kind === "directory") await tree.setstat(object.path, changes, "keep");
        else await changeFile(tree, object, changes);
        return encodeOk(id);
      },
    };
  },
};

/** The size first: it belongs to the content, and what cannot be done to the other attributes does not break a transfer. */
async function changeFile(tree: RequestContext["tree"], file: OpenFile, { size, ...others }: AttributeChanges) {
  if (size !== undefined) {
    await tree.fsetstat(file, { size }).catch(async (error: unknown) => {
      if ((await sizeOf(file.handle)) !== size) file.transfer.fail(error);
      throw error;
    });
  }
  if (size === undefined || Object.keys(others).length > 0) await tree.fsetstat(file, others);
}

/** OpenSSH PROTOCOL §4.6 */
export const fsync: RequestKind = {
  name: "fsync",
  read(fields, { handles }) {
    const { transfer, identity } = handles.getFile(fields.readString());
    return {
      footprint: { files: [whole(identity, "write")] },
      async run(id) {
        await transfer.fsync();
        return encodeOk(id);
      },
    };
  },
};

function dataReply(id: number, { buffer, count }: ReadData): Reply {
  if (count === 0) {
    returnPacketBuffer(buffer);
    return encodeStatus(id, StatusCode.EOF, "End of file");
  }
  setDataHead(buffer, id, count);
  return new PooledPacket(buffer, DATA_HEAD_LENGTH + count);
}

/** A range without bytes still uses the file: it may not be closed meanwhile. */
function part(identity: string, access: FileAccess["access"], start: number, length: number): FileAccess {
  return { identity, access, start, end: start + Math.max(1, length) };
}

/** Combinations that POSIX leaves open are brought to the nearest that it knows. */
function readOpenOptions(fields: Reader): OpenOptions {
  const flags = fields.readUint32();
  const { permissions } = readAttributes(fields);
  const has = (flag: number) => (flags & flag) !== 0;
  const append = has(OpenFlag.APPEND);
  const write = has(OpenFlag.WRITE) || append;
  const create = has(OpenFlag.CREAT);
  return {
    read: has(OpenFlag.READ) || !write,
    write,
    append,
    create,
    truncate: has(OpenFlag.TRUNC) && write,
    exclusive: has(OpenFlag.EXCL) && create,
    ...(permissions !== undefined && { permissions }),
  };
}

import { describe, expect, it } from "vitest";
import type { AccessFunction } from "../../../src/files/access-function.js";
import { OpenFlag, PacketType, StatusCode } from "../../../src/sftp/codec/constants.js";
import { MemoryFileSystem, SFTPServer } from "../../../src/sftp/index.js";
import { attributes, readNames } from "../../support/sftp-packets.js";
import { startSession } from "./session.js";

const { PERMISSION_DENIED, OK } = StatusCode;
const CREATE = OpenFlag.WRITE | OpenFlag.CREAT | OpenFlag.TRUNC;

const files = () => MemoryFileSystem.from({ "/in/theirs": "theirs", "/in/more": "more" });

/** A session in which only these operations are allowed, everywhere. */
async function allowing(...operations: readonly string[]) {
  const fileSystem = files();
  const access: AccessFunction = (operation) => operations.includes(operation);
  const { client } = await startSession(fileSystem, { access });
  return { client, fileSystem };
}

describe("requests on open files", () => {
  it("write through the handle that has made the file, give it a size, and change no attribute", async () => {
    const { client, fileSystem } = await allowing("create");
    const handle = await client.open("/in/mine", CREATE);
    expect((await client.status(PacketType.WRITE, handle, 0n, "first")).code).toBe(OK);
    expect((await client.status(PacketType.WRITE, handle, 0n, "FIR")).code).toBe(OK);
    expect((await client.status(PacketType.FSETSTAT, handle, attributes({ size: 4n }))).code).toBe(OK);
    const times = attributes({ times: [1, 2] });
    expect((await client.status(PacketType.FSETSTAT, handle, times)).code).toBe(PERMISSION_DENIED);
    expect((await client.close(handle)).code).toBe(OK);
    expect((await client.status(PacketType.OPEN, "/in/mine", CREATE, attributes())).code).toBe(PERMISSION_DENIED);
    expect(fileSystem.readFile("/in/mine").toString()).toBe("FIRs");
  });

  it("append to a file, and neither cut it nor write into it", async () => {
    const { client, fileSystem } = await allowing("append");
    const handle = await client.open("/in/theirs", OpenFlag.APPEND);
    expect((await client.status(PacketType.WRITE, handle, 0n, "!")).code).toBe(OK);
    expect((await client.status(PacketType.FSETSTAT, handle, attributes({ size: 0n }))).code).toBe(PERMISSION_DENIED);
    for (const flags of [OpenFlag.WRITE, OpenFlag.APPEND | OpenFlag.TRUNC, CREATE, CREATE | OpenFlag.APPEND]) {
      expect((await client.status(PacketType.OPEN, "/in/theirs", flags, attributes())).code).toBe(PERMISSION_DENIED);
    }
    expect(fileSystem.readFile("/in/theirs").toString()).toBe("theirs!");
  });

  it("copy only from what may be read to what may be written", async () => {
    const { client, fileSystem } = await allowing("read", "append");
    const source = await client.open("/in/theirs", OpenFlag.READ);
    const target = await client.open("/in/more", OpenFlag.APPEND);
    expect((await client.extendedStatus("copy-data", source, 0n, 0n, target, 0n)).code).toBe(OK);
    expect(fileSystem.readFile("/in/more").toString()).toBe("moretheirs");
    expect((await client.extendedStatus("copy-data", target, 0n, 0n, source, 0n)).code).toBe(PERMISSION_DENIED);
    const blind = await allowing("append");
    const asked = await blind.client.extendedStatus("check-file-name", "/in/theirs", "md5", 0n, 0n, 0);
    expect(asked.code).toBe(PERMISSION_DENIED);
  });
});

describe("the hooks of a subclass", () => {
  it("are asked beside the function", async () => {
    class Half extends SFTPServer {
      override checkFileAccess(path: string) {
        return path !== "/in/theirs";
      }
    }
    const access: AccessFunction = (_operation, path) => path !== "/in/more";
    const { client } = await startSession(files(), { server: Half, access });
    for (const path of ["/in/theirs", "/in/more"]) {
      expect((await client.status(PacketType.LSTAT, path)).code, path).toBe(PERMISSION_DENIED);
    }
    const directory = await client.opendir("/in");
    expect(readNames(await client.ask(PacketType.READDIR, directory)).length).toBe(4);
  });
});

describe("the log", () => {
  function session(fileSystem = files()) {
    const lines: [level: string, fields: object][] = [];
    const write = (level: string) => (fields: object) => {
      if (!("request" in fields)) lines.push([level, fields]);
    };
    const logger = { debug: write("debug"), info: write("info"), warn: write("warn") };
    return { fileSystem, lines, logger };
  }

  it("has the first refusal of each operation, with the path", async () => {
    const { fileSystem, lines, logger } = session();
    const access: AccessFunction = Object.assign(() => false, { explain: () => "nothing\nallows it" });
    const { client } = await startSession(fileSystem, { access, logger } as never);
    for (const path of ["/in/theirs", "/in/more", "/in/none\n"]) await client.status(PacketType.REMOVE, path);
    await client.status(PacketType.RENAME, "/in/theirs", "/in/x\u202e");
    expect(lines).toEqual([
      ["info", { reason: "file access delete: refused", path: "/in/theirs", cause: "nothing\\u{a}allows it" }],
      [
        "info",
        {
          reason: "file access rename: refused",
          path: "/in/theirs",
          to: "/in/x\\u{202e}",
          cause: "nothing\\u{a}allows it",
        },
      ],
    ]);
  });

  it("has what the function has thrown, and the client has not", async () => {
    const { fileSystem, lines, logger } = session();
    const access = () => {
      throw new Error("no database at db.internal");
    };
    const { client } = await startSession(fileSystem, { access, logger } as never);
    const status = await client.status(PacketType.REMOVE, "/in/theirs");
    expect(status).toEqual({ code: PERMISSION_DENIED, message: "Permission denied" });
    await client.status(PacketType.REMOVE, "/in/more");
    expect(lines).toMatchObject([
      ["warn", { reason: "file access: the decision has failed", operation: "delete", err: expect.any(Error) }],
      ["info", { reason: "file access delete: refused" }],
    ]);
  });
});

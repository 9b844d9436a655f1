import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type Channel, ProbeServer, parseProbeCommand } from "../../../src/index.js";
import { parseSCPCommand } from "../../../src/scp/scp-command.js";
import { SCPServer } from "../../../src/scp/scp-server.js";
import {
  atomicUploads,
  type FileOperation,
  type FileSystem,
  LocalFileSystem,
  quota,
  rules,
  SFTPServer,
  type TransferEvent,
} from "../../../src/sftp/index.js";
import { needs } from "../../support/clients.js";
import { HOST, type ProgramName } from "../../support/clients-sftp.js";
import { testBytes } from "../../support/server.js";
import { sftpFixture } from "../../support/sftp-fixture.js";
import { FolderServer } from "../../support/sftp-server.js";

/** The drop box of docs/sftp.md: customers put files into it, and can do no more. */
class DropBox extends FolderServer {
  readonly uploads: TransferEvent[] = [];
  isAtomic = true;
  bytes = 2 ** 30;
  allowed: readonly FileOperation[] = ["create"];

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    if (name !== "sftp") return false;
    new SFTPServer(channel, this.#files(channel));
    return true;
  }

  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const scp = parseSCPCommand(command);
    const probe = parseProbeCommand(command);
    if (scp !== undefined) new SCPServer(channel, scp, this.#files(channel));
    else if (probe !== undefined) new ProbeServer(channel, probe, this.#files(channel));
    return scp !== undefined || probe !== undefined;
  }

  #files({ connection }: Channel) {
    const limited: FileSystem = quota(new LocalFileSystem(this.rootPath), { bytes: this.bytes });
    const user = connection.username;
    return {
      fileSystem: this.isAtomic ? atomicUploads(limited, { user }) : limited,
      access: rules([
        { path: "/incoming", allow: ["stat"] },
        { path: "/incoming/**", allow: this.allowed },
        { path: "/**", allow: ["list", "stat", "read"] },
      ]),
      onUpload: (event: TransferEvent) => void this.uploads.push(event),
    };
  }
}

const box = new DropBox();
const fixture = sftpFixture(box);
const local = (name: string) => join(fixture.local, name);
const incoming = () => readdirSync(join(fixture.root, "incoming"));
const content = testBytes(300_000);

beforeEach(() => {
  box.uploads.length = 0;
  box.isAtomic = true;
  box.bytes = 2 ** 30;
  box.allowed = ["create"];
  mkdirSync(join(fixture.root, "incoming"));
  writeFileSync(local("file"), content);
  utimesSync(local("file"), 1_000_000_000, 1_000_000_000);
});

interface Putting {
  readonly client: ProgramName;
  readonly parameters: (file: string) => readonly string[];
  readonly input?: (file: string) => string;
  /** What it says of the times, which it must not set; nothing where this is absent. */
  readonly says?: RegExp;
  /** With that. Default: 0. */
  readonly exitCode?: number;
}

const PUTTING: Readonly<Record<string, Putting>> = {
  lftp: { client: "lftp", parameters: (file) => [`put ${file} -o incoming/file`] },
  "sftp, put -p": {
    client: "sftp",
    parameters: () => ["-q", "-b", "-", HOST],
    input: (file) => `put -p ${file} incoming/file\n`,
    says: /remote fsetstat: Permission denied/,
  },
  "scp -p": {
    client: "scp",
    parameters: (file) => ["-s", "-q", "-p", file, `${HOST}:incoming/file`],
    says: /remote fsetstat: Permission denied/,
  },
  "scp -O -p": {
    client: "scp",
    parameters: (file) => ["-O", "-q", "-p", file, `${HOST}:incoming/file`],
    says: /Permission denied/,
    exitCode: 1,
  },
};

describe.each(Object.keys(PUTTING))("%s", (name) => {
  const { client, parameters, input, says = /^$/, exitCode = 0 } = PUTTING[name] ?? expect.fail();
  const put = () => {
    const text = input?.(local("file"));
    return fixture.run(client, parameters(local("file")), text === undefined ? {} : { input: Buffer.from(text) });
  };

  it.each([true, false])("arrives in the drop box, whole uploads: %s", needs(client), async (isAtomic) => {
    box.isAtomic = isAtomic;
    const { code, stdout, stderr } = await put();
    expect(`${stdout}${stderr}`).toMatch(says);
    expect(code).toBe(exitCode);
    expect(incoming()).toEqual(["file"]);
    expect(content.equals(readFileSync(join(fixture.root, "incoming/file")))).toBe(true);
    expect(box.uploads).toMatchObject([{ path: "/incoming/file", bytes: 300_000, outcome: { result: "completed" } }]);
  });

  it("tells its user where there is no room, and leaves nothing", needs(client), async () => {
    box.bytes = 200_000;
    expect((await put()).code).not.toBe(0);
    // A client that goes at once leaves the rest to the end of its session.
    await expect.poll(() => box.uploads.length).toBeGreaterThan(0);
    expect(incoming()).toEqual([]);
    expect(box.uploads[0]).toMatchObject({ outcome: { result: "aborted", error: { code: "EDQUOT" } } });
  });
});

it("rclone arrives with what docs/sftp.md says", needs("rclone"), async () => {
  box.allowed = ["create", "stat"];
  const page = readFileSync(new URL("../../../docs/sftp.md", import.meta.url), "utf8");
  const [command = ""] = /rclone copy (?:--[a-z-]+(?:=false)? )+/.exec(page) ?? expect.fail();
  const [, ...words] = command.trim().split(" ");
  await fixture.runOk("rclone", [...words, fixture.local, `${HOST}:incoming`]);
  expect(incoming()).toEqual(["file"]);
  expect(content.equals(readFileSync(join(fixture.root, "incoming/file")))).toBe(true);
  expect(box.uploads).toMatchObject([{ outcome: { result: "completed" } }]);
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { AUTH_SUCCESSFUL, type Connection, createServer, type FilesOption, Grant } from "../../src/index.js";
import {
  type AccessContext,
  type AccessFunction,
  type FileOperation,
  MemoryFileSystem,
  rules,
} from "../../src/sftp/index.js";
import { connectTo, sessionFixture } from "../session/session-fixture.js";
import { run, temporaryFolder } from "../support/tools.js";

describe("access in the declaration of files", () => {
  const folder = temporaryFolder();
  const asked: { operation: FileOperation; path: string; context: AccessContext<Connection> }[] = [];
  let allowed: readonly FileOperation[] = [];
  const recorded: AccessFunction<Connection> = (operation, path, context) => {
    asked.push({ operation, path, context });
    return allowed.includes(operation);
  };
  let access = recorded;
  const fixture = sessionFixture({
    authentication: { none: () => new Grant({ data: { groups: ["staff"] } }) },
    sftp: () => ({ rootPath: folder, access }),
  });

  function copy(protocol: string, from: string, to: string) {
    const options = ["-F", "none", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "StrictHostKeyChecking=no"];
    const remote = (path: string) => path.replace(/^:/, "ann@127.0.0.1:");
    const hosts = ["-o", `UserKnownHostsFile=${join(folder, "hosts")}`, "-P", `${fixture.server.port}`];
    return run("scp", [protocol, ...options, ...hosts, remote(from), remote(to)]);
  }

  it("tells of the look before an upload that rules allow at debug, and of others as ever", async () => {
    access = rules([{ path: "/new", allow: ["create"] }]);
    onTestFinished(() => {
      access = recorded;
    });
    {
      using client = await connectTo(fixture.server.port);
      await new Promise<void>((resolve, reject) => {
        client.sftp((error, sftp) => {
          if (error) return reject(error);
          sftp.stat("/new", () => sftp.stat("/other", () => resolve()));
        });
      });
    }
    const usual = "file access stat: refused, as usual before an upload";
    const { fields } = await fixture.logged("info", "a connection has ended");
    expect(fields.refused).toEqual({ [usual]: 1, "file access stat: refused": 1 });
    expect(fixture.log.filter(({ message }) => message === "a request was refused")).toMatchObject([
      { level: "debug", fields: { reason: usual, path: "/new" } },
      { level: "info", fields: { reason: "file access stat: refused", path: "/other" } },
    ]);
  });

  it("refuses with one line for each operation of a connection, and a number in its record", async () => {
    allowed = [];
    {
      using client = await connectTo(fixture.server.port);
      for (let session = 0; session < 2; session++) {
        await new Promise<void>((resolve, reject) => {
          client.sftp((error, sftp) => {
            if (error) return reject(error);
            sftp.unlink("/first", () => sftp.unlink("/second", () => sftp.stat("/third", () => resolve())));
          });
        });
      }
    }
    const { fields } = await fixture.logged("info", "a connection has ended");
    expect(fields.refused).toEqual({ "file access delete: refused": 4, "file access stat: refused": 2 });
    const lines = fixture.log.filter(({ message }) => message === "a request was refused");
    expect(lines).toMatchObject([
      { level: "info", fields: { reason: "file access delete: refused", path: "/first", username: "ann" } },
      { level: "info", fields: { reason: "file access stat: refused", path: "/third" } },
    ]);
  });

  it.each(["-s", "-O"])("decides about what scp %s does, by operation, for the user", async (protocol) => {
    asked.length = 0;
    const name = `made${protocol}`;
    const local = join(folder, "local");
    await writeFile(local, "contents");
    allowed = ["create", "stat"];
    expect(await copy(protocol, local, `:/${name}`)).toMatchObject({ code: 0 });
    expect((await copy(protocol, local, `:/${name}`)).code).not.toBe(0);
    expect((await copy(protocol, `:/${name}`, join(folder, "got"))).code).not.toBe(0);
    allowed = ["stat", "read", "overwrite"];
    expect(await copy(protocol, local, `:/${name}`)).toMatchObject({ code: 0 });
    expect(await copy(protocol, `:/${name}`, join(folder, "got"))).toMatchObject({ code: 0 });
    expect(new Set(asked.map(({ operation }) => operation))).toEqual(new Set(["create", "stat", "overwrite", "read"]));
    const { context } = asked[0] ?? expect.fail();
    expect(context.user).toBe("ann");
    expect(context.connection?.identity?.data).toEqual({ groups: ["staff"] });
    expect(context.connection?.remoteAddress).toBe("127.0.0.1");
  });
});

describe("files with options", () => {
  const declare = (sftp: unknown) =>
    createServer({ hostKey: "unused", authentication: { none: () => AUTH_SUCCESSFUL }, sftp: sftp as FilesOption });
  const fileSystem = new MemoryFileSystem();

  it.each([
    ["neither of both", { access: () => true }, /rootPath: must be given/],
    ["both", { rootPath: "/srv", fileSystem }, /fileSystem: cannot be given together/],
    [
      "a misspelled name",
      { rootPath: "/srv", acces: () => true },
      /sftp\.acces: is not an option \(did you mean access\?\)/,
    ],
    ["access that was not found", { rootPath: "/srv", access: undefined }, /access: must not be undefined/],
    ["access of another kind", { rootPath: "/srv", access: "rw" }, /access: /],
    [
      "rules that are no function yet",
      { rootPath: "/srv", access: [{ path: "/**", allow: "all" }] },
      /access: is a list: rules\(\[…\]\) makes a function of it/,
    ],
    [
      "another name for rootPath",
      { root: "/srv" },
      /sftp: has neither rootPath nor fileSystem \(did you mean rootPath\?\)/,
    ],
    ["a misspelled name alone", { rotPath: "/srv" }, /sftp: has neither .* \(did you mean rootPath\?\)/],
    ["nothing", {}, /sftp: has neither rootPath nor fileSystem, and no method of a FileSystem$/],
    ["a promise", Promise.resolve("/srv"), /sftp: has neither/],
    ["a file system that is none", { fileSystem: {} }, /fileSystem: has none of the methods/],
    ["a start that is no path", { fileSystem, startDirectory: 5 }, /startDirectory: /],
  ])("are refused with %s", (_, sftp, message) => {
    expect(() => declare(sftp)).toThrow(message);
  });

  it("are not a file system that has members of these names", () => {
    class Files extends MemoryFileSystem {
      readonly access = "mine";
      readonly rootPath = "/srv";
    }
    expect(() => declare(new Files())).not.toThrow();
    expect(() => declare({ fileSystem: new Files(), startDirectory: "/home" })).not.toThrow();
  });
});

import { readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LIBRARY_CLIENTS, type LibraryClientName, needs } from "../../support/clients.js";
import type { Operation } from "../../support/clients-sftp.js";
import { libraryFixture } from "../../support/library-fixture.js";
import { testBytes } from "../../support/server.js";

const GIVES_INPUT: readonly LibraryClientName[] = ["libssh", "jsch", "net-ssh", "go", "erlang", "conch"];
const MAKES_HARD_LINKS: readonly LibraryClientName[] = ["jsch", "go", "net-sftp-foreign"];

const fixture = libraryFixture();

for (const client of LIBRARY_CLIENTS) {
  describe(client, needs(client), () => {
    const remote = (name: string) => join(fixture.root, name);
    const local = (name: string) => join(fixture.local, name);
    const operate = (...operations: Operation[]) => fixture.operate(client, operations);
    const done = { value: null };

    if (client !== "net-sftp-foreign")
      it("runs commands, and learns how they ended", async () => {
        const commands: [command: string, status: number, stdout: string, stderr: string][] = [
          ["a command with “quotes” and 'more'", 0, "Executed: a command with “quotes” and 'more'\n", ""],
          ["exit 7", 7, "", ""],
          ["stderr", 0, "to stdout\n", "to stderr\n"],
        ];
        const results = await operate(...commands.map(([command]): Operation => ["exec", command, ""]));
        expect(results).toEqual(commands.map(([, status, stdout, stderr]) => ({ value: { status, stdout, stderr } })));
      });

    if (GIVES_INPUT.includes(client))
      it("gives a command its input", async () => {
        const [result] = await operate(["exec", "echo-stdin", "there and back"]);
        expect(result).toEqual({ value: { status: 0, stdout: "there and back", stderr: "" } });
      });

    it("puts, gets, lists, appends, renames and removes", async () => {
      const content = testBytes(100_000);
      await writeFile(local("content"), content);
      const results = await operate(
        ["put", local("content"), "put"],
        ["put", local("content"), "gone"],
        ["mkdir", "folder"],
        ["append", "put", "end"],
        ["rename", "put", "folder/renamed"],
        ["get", "folder/renamed", local("got")],
        ["remove", "gone"],
        ["list", "/"],
        ["list", "folder"],
      );
      const lists = [{ value: ["folder"] }, { value: ["renamed"] }];
      expect(results).toEqual([done, done, done, done, done, done, done, ...lists]);
      const expected = Buffer.concat([content, Buffer.from("end")]);
      for (const file of [remote("folder/renamed"), local("got")])
        expect(expected.equals(await readFile(file)), file).toBe(true);
      expect(await readdir(fixture.root)).toEqual(["folder"]);
    });

    it("makes links that lead where they should, and reads them", async () => {
      const results = await operate(["symlink", "some/where", "link"], ["readlink", "link"]);
      expect(results).toEqual([done, { value: "some/where" }]);
      expect(await readlink(remote("link"))).toBe("some/where");
    });

    if (MAKES_HARD_LINKS.includes(client))
      it("makes hard links", async () => {
        await writeFile(remote("file"), "");
        expect(await operate(["hardlink", "file", "other"])).toEqual([done]);
        expect((await stat(remote("other"))).ino).toBe((await stat(remote("file"))).ino);
      });

    it("hears what failed, and goes on", async () => {
      const [failed, listed] = await operate(["remove", "missing"], ["list", "/"]);
      expect(failed?.error).toBeTruthy();
      expect(listed).toEqual({ value: [] });
    });
  });
}

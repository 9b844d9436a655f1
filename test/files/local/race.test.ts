import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { LinkInPathError } from "../../../src/files/errors.js";
import { PathResolver } from "../../../src/files/path-resolver.js";
import { expectOpenDescriptors, Fixture, openDescriptors } from "./fixture.js";
import { Swapper } from "./swapper.js";

const INSIDE = "inside";

// Each fixture makes sure in the end that nothing happened outside.
describe.runIf(process.platform === "linux")("a name that is swapped for a link to the outside meanwhile", () => {
  it("never leads there as a directory on the way", async () => {
    const descriptors = openDescriptors().length;
    await using fixture = new Fixture();
    const { drive } = fixture;
    mkdirSync(fixture.at("above/swapped/sub"), { recursive: true });
    writeFileSync(fixture.at("above/swapped/file"), INSIDE);
    symlinkSync(fixture.outside, fixture.at("above/link"));
    {
      await using swapper = new Swapper(fixture.at("above/swapped"), fixture.at("above/link"));
      const directory = "/above/swapped";
      const { passed, failures } = await swapper.whileSwapping([
        async () => expect(String(await drive.read(`${directory}/file`))).toBe(INSIDE),
        async () => expect((await drive.lstat(`${directory}/file`)).size).toBe(INSIDE.length),
        async () => expectNamesInside(await drive.list(directory)),
        async () => expect(await existed(drive.lstat(`${directory}/victim`))).toBe(false),
        () => drive.write(`${directory}/new`, "new"),
        () => drive.posixRename(`${directory}/new`, `${directory}/newer`),
        () => drive.rename(`${directory}/newer`, `${directory}/newest`),
        () => drive.remove(`${directory}/newest`),
        () => drive.posixRename(`${directory}/victim`, "/stolen"),
        () => drive.hardlink(`${directory}/sub/secret`, "/stolen"),
        () => drive.remove(`${directory}/victim`),
        () => drive.mkdir(`${directory}/sub/made`),
        () => drive.rmdir(`${directory}/sub/made`),
        () => drive.symlink("target", `${directory}/symlink`),
        () => drive.remove(`${directory}/symlink`),
        () => drive.setstat(`${directory}/file`, { permissions: 0o600, times: { accessTime: 1, modifyTime: 1 } }),
        () => drive.setstat(`${directory}/victim`, { size: 0 }),
        () => drive.statvfs(directory),
      ]);
      expect(passed).toBeGreaterThan(0);
      expect(failures.some((failure) => failure instanceof LinkInPathError)).toBe(true);
      expect(await existed(drive.lstat("/stolen"))).toBe(false);
    }
    await expectOpenDescriptors(descriptors);
  });

  it("never leads there as the last name", async () => {
    await using fixture = new Fixture();
    const { drive } = fixture;
    writeFileSync(fixture.at("file"), INSIDE);
    symlinkSync(`${fixture.outside}/victim`, fixture.at("link"));
    await using swapper = new Swapper(fixture.at("file"), fixture.at("link"));
    const { passed, failures } = await swapper.whileSwapping([
      async () => expect(String(await drive.read("/file"))).toBe(INSIDE),
      async () => (await drive.open("/file", "read write")).close(),
      () => drive.setstat("/file", { permissions: 0o600 }),
      () => drive.setstat("/file", { size: INSIDE.length }),
      () => drive.setstat("/file", { owner: { uid: 0, gid: 0 }, times: { accessTime: 1, modifyTime: 1 } }),
      () => drive.hardlink("/file", "/second"),
      () => drive.remove("/second"),
    ]);
    expect(passed).toBeGreaterThan(0);
    expect(failures.some((failure) => failure instanceof LinkInPathError)).toBe(true);
  });

  it("never leads there when links are resolved", async () => {
    await using fixture = new Fixture();
    const { drive } = fixture;
    mkdirSync(fixture.at("swapped"));
    writeFileSync(fixture.at("swapped/file"), INSIDE);
    symlinkSync(fixture.outside, fixture.at("link"));
    const resolver = new PathResolver(drive.fileSystem, "/");
    const at = <T>(path: string, operation: (path: string) => Promise<T>) => resolver.run(path, "follow", operation);
    await using swapper = new Swapper(fixture.at("swapped"), fixture.at("link"));
    const { passed } = await swapper.whileSwapping([
      () => at("/swapped/file", async (path) => expect(String(await drive.read(path))).toBe(INSIDE)),
      () => at("/swapped", async (path) => expectNamesInside(await drive.list(path))),
      () => at("/swapped/made", (path) => drive.mkdir(path)),
      () => at("/swapped/made", (path) => drive.rmdir(path)),
      () => at("/swapped/victim", (path) => drive.remove(path)),
      () => at("/swapped/file", (path) => drive.setstat(path, { permissions: 0o600 })),
    ]);
    expect(passed).toBeGreaterThan(0);
  });
});

function expectNamesInside(names: readonly string[]): void {
  for (const name of names) expect(["file", "sub", "made", "new", "newer", "newest", "symlink"]).toContain(name);
}

async function existed(operation: Promise<unknown>): Promise<boolean> {
  return operation.then(
    () => true,
    () => false,
  );
}

import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { AccessGuard } from "../../src/files/access-guard.js";
import { allowAll } from "../../src/files/access-policy.js";
import { GuardedFileSystem } from "../../src/files/guarded-file-system.js";
import { MemoryFileSystem } from "../../src/files/memory/memory-file-system.js";
import { Glob } from "../../src/scp/glob.js";

const COUNT = 5_000;

/** Counts the names and attributes that it gives, each of which it has at once. */
class CountingFileSystem extends MemoryFileSystem {
  given = 0;

  override *readdir(path: string) {
    for (const entry of super.readdir(path)) {
      this.given++;
      yield entry;
    }
  }

  override lstat(path: string) {
    this.given++;
    return super.lstat(path);
  }
}

function setUp() {
  const files = new CountingFileSystem();
  for (let number = 0; number < COUNT; number++) files.writeFile(`/many/${number}`, "");
  const peer = { hasLeft: false };
  return { files, peer, glob: new Glob(new GuardedFileSystem(files, new AccessGuard(allowAll), "/"), peer) };
}

describe("Glob", () => {
  it("lets others have their turn", async () => {
    for (const pattern of ["many/*x", "many/*", "*/*/*"]) {
      const { files, glob } = setUp();
      let isDone = false;
      const expanded = glob.expand(pattern).finally(() => {
        isDone = true;
      });
      let most = 0;
      while (!isDone) {
        const before = files.given;
        await setImmediate();
        most = Math.max(most, files.given - before);
      }
      await expanded;
      expect(files.given).toBeGreaterThan(COUNT);
      expect(most).toBeLessThanOrEqual(64);
    }
  });

  it("stops when the peer has left", async () => {
    const { files, peer, glob } = setUp();
    const expanded = glob.expand("many/*");
    await setImmediate();
    peer.hasLeft = true;
    await expect(expanded).rejects.toThrow("the stream is closed");
    expect(files.given).toBeLessThan(COUNT);
  });

  it("takes no pattern for a name that is longer than any name needs", async () => {
    const { glob } = setUp();
    await expect(glob.expand(`many/[${"b".repeat(2_000)}]`)).rejects.toThrow("File name too long");
    expect(await glob.expand("b".repeat(2_000))).toEqual(["b".repeat(2_000)]);
  });
});

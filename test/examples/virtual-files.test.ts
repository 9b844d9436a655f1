import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("virtual-files.ts");

describe("virtual-files.ts", needs("ssh"), () => {
  it("shows the keys of a store as files", needs("sftp"), async () => {
    const port = await example.start();
    const source = join(example.folder, "value");
    const back = join(example.folder, "value-back");
    writeFileSync(source, "red\n");
    const { stdout, stderr } = await example.sftp(port, [
      "ls -1 /greetings",
      `put ${source} /settings/colour`,
      "rm /greetings/german",
      "ls -1 /greetings",
      `get /settings/colour ${back}`,
      "get /settings/size /dev/null",
    ]);
    expect(stdout).toContain("/greetings/english\n/greetings/german\n");
    expect(stdout).toMatch(/ls -1 \/greetings\n\/greetings\/english\nsftp>/);
    expect(readFileSync(back, "utf8")).toBe("red\n");
    expect(stderr).toContain('"/settings/size" not found');
  });
});

import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("hello.ts");

describe("hello.ts", needs("ssh"), () => {
  it("greets everybody, and keeps its host key", async () => {
    const port = await example.start();
    for (const user of ["ann", "bob"]) {
      const outcome = await example.client.run(port, "", [`${user}@localhost`]);
      expect(outcome).toEqual({ stdout: `hello ${user}\n`, stderr: "", code: 0 });
    }
    expect(statSync(join(example.folder, "host_key")).mode & 0o777).toBe(0o600);
  });
});

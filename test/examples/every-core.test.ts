import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("every-core.ts");

describe("every-core.ts", needs("ssh"), () => {
  it("runs a shell in one of its workers, and stops them all", async () => {
    const key = example.authorize("ann");
    const port = await example.start({ WORKERS: "2" });
    const shell = await example.client.run(port, "", ["-i", key, "-T", "ann@localhost"], {
      input: "echo $PPID\nexit 3\n",
    });
    expect(shell).toMatchObject({ stderr: expect.stringMatching(/This is worker [12]\./), code: 3 });
    const pid = Number(/^\d+$/m.exec(shell.stdout)?.[0]);
    expect(process.kill(pid, 0)).toBe(true);
    example.server?.signal("SIGTERM");
    expect(await example.server?.exitCode()).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow();
  });
});

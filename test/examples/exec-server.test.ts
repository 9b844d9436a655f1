import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("exec-server.ts");

describe("exec-server.ts", needs("ssh"), () => {
  it("answers the guide's command", async () => {
    const port = await example.start();
    const outcome = await example.client.run(port, "secret", ["admin@localhost", "hello"]);
    expect(outcome).toEqual({ stdout: "Executed: hello\n", stderr: "", code: 0 });
  });

  it("stops on SIGINT, and then nothing listens", async () => {
    const port = await example.start();
    example.server?.signal("SIGINT");
    expect(await example.server?.exitCode()).toBe(0);
    const outcome = await example.client.run(port, "secret", ["admin@localhost", "hello"]);
    expect(outcome.stderr).toContain("Connection refused");
  });
});

import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("ink-app.ts");

describe("ink-app.ts", needs("ssh"), () => {
  it("counts keys, until ^C", async () => {
    // Ink draws nothing while it believes that it is in CI.
    const port = await example.start({ CI: "false", CONTINUOUS_INTEGRATION: "false" });
    const terminal = example.client.start(port, "", ["-tt", "ann@localhost"]);
    await terminal.output(/0 keys, \^C to leave/);
    terminal.write("a");
    await terminal.output(/1 keys/);
    terminal.write("b");
    await terminal.output(/2 keys/);
    terminal.write("\u0003");
    expect(await terminal.exitCode()).toBe(0);
  });

  it("asks for a terminal where there is none", async () => {
    const port = await example.start();
    const outcome = await example.client.run(port, "", ["-T", "ann@localhost"]);
    expect(outcome).toEqual({ stdout: "", stderr: "This program needs a terminal: ssh -t\n", code: 1 });
  });
});

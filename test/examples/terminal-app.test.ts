import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("terminal-app.ts");

describe("terminal-app.ts", needs("ssh"), () => {
  it("counts keys on a terminal", async () => {
    const port = await example.start();
    const terminal = example.client.start(port, "", ["-tt", "admin@localhost"]);
    await terminal.output(/Hello admin, your terminal is \d+ by \d+\.\r\nCount: 0\r\n/);
    terminal.write("++x+-");
    await terminal.output(/Count: 2\r\n/);
    terminal.write("q");
    expect(await terminal.exitCode()).toBe(0);
    expect(terminal.stdout).toMatch(/Bye\.\r\n$/);
  });

  it("asks for a terminal where there is none", async () => {
    const port = await example.start();
    const outcome = await example.client.run(port, "", ["-T", "admin@localhost"]);
    expect(outcome).toEqual({ stdout: "", stderr: "This program needs a terminal: ssh -t\n", code: 1 });
  });
});

import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("shell-server.ts");

describe("shell-server.ts", needs("ssh"), () => {
  it("runs commands in a shell, with their status", async () => {
    const key = example.authorize("ann");
    const port = await example.start();
    const words = ["-i", key, "ann@localhost", "echo $((6 * 7)); echo oops >&2; exit 3"];
    expect(await example.client.run(port, "", words)).toEqual({ stdout: "42\n", stderr: "oops\n", code: 3 });
  });

  it("is a login shell on a terminal", async () => {
    const key = example.authorize("bob");
    const port = await example.start();
    const shell = example.client.start(port, "", ["-tt", "-i", key, "bob@localhost"]);
    shell.write("tty && stty size; exit 5\n");
    await shell.output(/\/dev\/pts\/\d+\r\n\d+ \d+\r\n/);
    expect(await shell.exitCode()).toBe(5);
  });
});

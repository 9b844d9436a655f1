import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("password-server.ts");

describe("password-server.ts", needs("ssh"), () => {
  it("lets the right password in, and then runs nothing", async () => {
    const port = await example.start();
    const outcome = await example.client.run(port, "secret", ["admin@localhost", "hello"]);
    expect(outcome.code).toBe(255);
    expect(outcome.stderr).toContain("exec request failed on channel 0");
    await example.server?.output(/^admin logged in$/m);
  });

  it.each([
    { user: "admin", password: "Secret" },
    { user: "root", password: "secret" },
  ])("refuses $user with the password $password", async ({ user, password }) => {
    const port = await example.start();
    const outcome = await example.client.run(port, password, [`${user}@localhost`, "hello"]);
    expect(outcome.code).toBe(255);
    expect(outcome.stderr).toContain("Permission denied (password).");
    expect(example.server?.stdout).not.toContain("logged in");
  });
});

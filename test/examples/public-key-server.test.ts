import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("public-key-server.ts");

describe("public-key-server.ts", needs("ssh"), () => {
  it("lets in the holder of a key, and nobody else", async () => {
    const known = example.makeKey("known");
    const stranger = example.makeKey("stranger");
    const authorized = join(example.folder, "authorized");
    writeFileSync(authorized, `# who may log in\n${known.publicKey}`);
    const port = await example.start({ AUTHORIZED_KEYS: authorized });
    const welcome = await example.client.run(port, "", ["-i", known.path, "ann@localhost", "whoami"]);
    expect(welcome).toEqual({ stdout: "You are ann.\n", stderr: "", code: 0 });
    const refusal = await example.client.run(port, "", ["-i", stranger.path, "ann@localhost", "whoami"]);
    expect(refusal.code).toBe(255);
    expect(refusal.stderr).toContain("Permission denied (publickey).");
  });
});

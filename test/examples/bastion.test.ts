import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needs, QUICK_KEX } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";
import { run } from "./real-client.js";
import { listeningPort, type RunningProcess, startProgram } from "./running-process.js";

const example = exampleFixture("bastion.ts");

describe("bastion.ts", needs("ssh"), () => {
  /** The host behind it. */
  let inner: RunningProcess;
  let innerPort = 0;

  beforeAll(async () => {
    const folder = join(example.folder, "inner");
    mkdirSync(folder);
    inner = startProgram(join("examples", "exec-server.ts"), [], { ...process.env, PORT: "0" }, folder);
    innerPort = await listeningPort(inner);
    for (const user of ["ann", "bob"]) example.authorize(user);
    const targets = { ann: [`127.0.0.1:${innerPort}`], bob: ["*:22"] };
    writeFileSync(join(example.folder, "bastion.json"), JSON.stringify(targets));
  });
  afterAll(() => inner?.kill());

  /** `ssh -J` takes the options of the way to the jump host from the configuration alone. */
  function ssh(user: string, port: number, words: readonly string[]) {
    const configuration = join(example.folder, "config");
    writeFileSync(
      configuration,
      [
        ...[
          "StrictHostKeyChecking no",
          "UserKnownHostsFile /dev/null",
          "IdentityAgent none",
          "IdentitiesOnly yes",
          QUICK_KEX,
        ],
        ...["Host bastion", "HostName 127.0.0.1", `Port ${port}`, `User ${user}`, "PreferredAuthentications publickey"],
        `IdentityFile ${join(example.folder, user)}`,
      ].join("\n"),
    );
    return run("ssh", ["-F", configuration, ...words], { env: example.client.environment("secret") });
  }

  it("leads each user to the hosts of the list, and runs nothing itself", async () => {
    const port = await example.start();
    const through = ["-J", "bastion", "-p", String(innerPort), "admin@127.0.0.1", "hello"];
    expect(await ssh("ann", port, through)).toMatchObject({ stdout: "Executed: hello\n", code: 0 });
    const refused = await ssh("bob", port, through);
    expect(refused).toMatchObject({ stdout: "", code: 255 });
    expect(refused.stderr).toContain("administratively prohibited");
    expect(await ssh("ann", port, ["bastion", "hello"])).toMatchObject({ stdout: "", code: 255 });
    expect(example.server?.stderr + (example.server?.stdout ?? "")).toContain("direct-tcpip: refused by the decision");
  });
});

it("bastion.ts is in the page about bastions", () => {
  const program = readFileSync("examples/bastion.ts", "utf8").split("*/\n")[1] ?? "";
  expect(readFileSync("docs/bastion.md", "utf8")).toContain(`\`\`\`ts\n${program}\`\`\``);
});

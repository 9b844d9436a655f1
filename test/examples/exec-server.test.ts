import { describe, expect, it, vi } from "vitest";
import { needs } from "../support/clients.js";
import { exampleFixture } from "./example-fixture.js";

const example = exampleFixture("exec-server.ts");

describe("exec-server.ts", needs("ssh"), () => {
  it("answers the guide's command", async () => {
    const port = await example.start();
    const outcome = await example.client.run(port, "secret", ["admin@localhost", "hello"]);
    expect(outcome).toEqual({ stdout: "Executed: hello\n", stderr: "", code: 0 });
  });

  it("tells on standard error what nothing allows, though it was given no logger", async () => {
    const port = await example.start();
    const words = ["-tt", "-o", "SetEnv=LANG=C WISH=granted", "admin@localhost"];
    const { stderr } = await example.client.run(port, "secret", words, { input: "" });
    expect(stderr).toContain("PTY allocation request failed on channel 0");
    const lines = await vi.waitFor(() => {
      const told = example.server?.stderr.split("\n") ?? [];
      expect(told).toHaveLength(4);
      return told;
    });
    const warning = (kind: string, ...fields: string[]) =>
      expect.stringMatching(
        new RegExp(
          `^[\\dTZ:.-]+ warn a request was refused connection=1 remoteAddress=127.0.0.1 remotePort=\\d+ username=admin reason="channel request ${kind}: nothing allows it" request=${kind} ${fields.join(" ")}$`,
        ),
      );
    expect(lines).toEqual([
      warning("pty-req", 'remedy="declare session, or override checkChannelPtyRequest"'),
      warning("env", "variable=WISH", 'remedy="declare session, or override checkChannelEnvRequest"'),
      warning("shell", 'remedy="declare session, or override checkChannelShellRequest"'),
      "",
    ]);
  });

  it("stops on SIGINT, and then nothing listens", async () => {
    const port = await example.start();
    example.server?.signal("SIGINT");
    expect(await example.server?.exitCode()).toBe(0);
    const outcome = await example.client.run(port, "secret", ["admin@localhost", "hello"]);
    expect(outcome.stderr).toContain("Connection refused");
  });
});

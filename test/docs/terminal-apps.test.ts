import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { Server, Session, SessionHandler } from "../../src/index.js";
import { sessionFixture } from "../session/session-fixture.js";
import { needs } from "../support/clients.js";
import { ExternalProcess, temporaryFolder } from "../support/tools.js";

const ROOT = resolve(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/terminal-apps.md"), "utf8");

interface Handlers {
  readonly shout: SessionHandler;
  readonly clock: SessionHandler;
  readonly deploy: SessionHandler;
  readonly counter: SessionHandler;
  warn(session: Session, text: string): void;
}

describe("the programs of docs/terminal-apps.md", needs("ssh"), async () => {
  const folder = temporaryFolder();
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));

  /** The module in the block of code that has this text. */
  async function block(text: string, change = (code: string) => code): Promise<unknown> {
    const code = [...PAGE.matchAll(/^```ts\n(.*?)^```$/gms)]
      .map(([, found = ""]) => found)
      .find((c) => c.includes(text));
    if (code === undefined) throw new Error(`the page has no block with ${text}`);
    const file = join(folder, `${text.replaceAll(/\W/g, "_")}.ts`);
    writeFileSync(
      file,
      change(code).replaceAll('from "spindlex"', `from ${JSON.stringify(join(ROOT, "src/index.ts"))}`),
    );
    return import(/* @vite-ignore */ file);
  }

  // Ink draws nothing while it believes that it is in CI, and colours are chosen when it is loaded.
  vi.stubEnv("CI", "false").stubEnv("CONTINUOUS_INTEGRATION", "false");
  const names = ["function shout", "function clock", "function deploy", "function counter", "function warn"];
  const blocks = await Promise.all(names.map((name) => block(name)));
  vi.unstubAllEnvs();
  const { shout, clock, deploy, counter, warn } = Object.assign({}, ...blocks) as Handlers;

  const programs: Readonly<Record<string, SessionHandler>> = {
    shout,
    clock,
    deploy,
    counter,
    warn: (session) => warn(session, "careful"),
  };
  const fixture = sessionFixture({ session: (session) => programs[session.command ?? ""]?.(session) });
  const start = (name: string, ...options: readonly string[]) =>
    fixture.ssh(["-tt", ...options], name, { environment: { TERM: "xterm-256color" } });

  it("ask for a name", async () => {
    const change = (code: string) =>
      `${code.replace('"host_key"', JSON.stringify(join(folder, "host_key"))).replace("listen(2222)", "listen(0)")}\nexport { server };`;
    const { server } = (await block("What is your name?", change)) as { readonly server: Server };
    const trust = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"];
    const command = ["-F", "none", ...trust, "-p", `${server.port}`];
    using asked = new ExternalProcess("ssh", [...command, "-tt", "ann@127.0.0.1"]);
    await asked.untilOutput("What is your name? ");
    asked.stdin.write("Ada\r");
    expect((await asked.finished).stdout.toString()).toMatch(/Hello Ada, your terminal has \d+ columns\.\r\n$/);
    const without = await new ExternalProcess("ssh", [...command, "-T", "ann@127.0.0.1"]).finished;
    expect(without).toMatchObject({ code: 1, stderr: "This program needs a terminal: ssh -t\n" });
    await server.close({ grace: 0 });
  });

  it("shout", async () => {
    using shouting = start("shout");
    shouting.stdin.write("hello\r");
    await shouting.untilOutput("HELLO\r\n");
    shouting.stdin.write("\u0004");
    expect((await shouting.finished).code).toBe(0);
  });

  it("show the time, and leave no trace", async () => {
    using showing = start("clock");
    await showing.untilOutput(":");
    showing.stdin.write("q");
    const { code, stdout } = await showing.finished;
    expect(code).toBe(0);
    const output = stdout.toString();
    expect(output.startsWith("\u001b[?1049h\u001b[?25l")).toBe(true);
    expect(output.endsWith("\u001b[?1049l\u001b[?25h")).toBe(true);
  });

  it.each(["clock", "deploy", "counter"])("tell that %s needs a terminal", async (name) => {
    const { code, stderr } = await fixture.ssh(["-T"], name).finished;
    expect({ code, stderr }).toEqual({ code: 1, stderr: "This program needs a terminal: ssh -t\n" });
  });

  it("deploy", async () => {
    using deploying = start("deploy");
    await deploying.untilOutput("Where to?");
    deploying.stdin.write("\u001b[B\r");
    await deploying.untilOutput("To production?");
    deploying.stdin.write("\r");
    const { code, stdout } = await deploying.finished;
    expect(code).toBe(0);
    expect(stdout.toString()).toContain("On its way.");
  });

  it("count", async () => {
    using counting = start("counter");
    await counting.untilOutput("ann counts 0");
    counting.stdin.write("+");
    await counting.untilOutput("ann counts 1");
    counting.stdin.write("q");
    expect((await counting.finished).code).toBe(0);
  });

  it("warn in colours, where the client has them", async () => {
    vi.stubEnv("FORCE_COLOR", "1");
    expect((await start("warn").finished).stdout.toString()).toBe("\u001b[33mcareful\u001b[39m\r\n\u001b[0m");
    vi.unstubAllEnvs();
    expect((await fixture.run("warn")).stdout.toString()).toBe("careful\n");
  });
});

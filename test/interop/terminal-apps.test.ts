import { describe, expect, it, vi } from "vitest";
import type { SessionHandler } from "../../src/index.js";
import { sessionFixture } from "../session/session-fixture.js";
import { needs, TOOLS } from "../support/clients.js";
import { TmuxScreen } from "../support/tmux-screen.js";
import { ansiApp, floodApp, idleApp, lineApp, menuApp, signalApp } from "./terminal-apps/ansi-app.js";
import { clackApp } from "./terminal-apps/clack-app.js";
import { readlineApp } from "./terminal-apps/readline-app.js";

/** Ink draws nothing while it believes that it is in CI, which it finds out when it is loaded. */
async function loadInkApp() {
  vi.stubEnv("CI", "false");
  vi.stubEnv("CONTINUOUS_INTEGRATION", "false");
  const { inkApp } = await import("./terminal-apps/ink-app.js");
  vi.unstubAllEnvs();
  return inkApp;
}

describe("programs on the terminal of ssh", needs("ssh", "tmux"), async () => {
  const apps: Readonly<Record<string, SessionHandler>> = {
    ansi: ansiApp,
    clack: clackApp,
    flood: floodApp,
    idle: idleApp,
    ink: await loadInkApp(),
    line: lineApp,
    menu: menuApp,
    readline: readlineApp,
    signal: signalApp,
  };
  const fixture = sessionFixture({ session: (session) => apps[session.command ?? ""]?.(session) });

  function start(app: string, options: readonly string[] = []): Promise<TmuxScreen> {
    const trust = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
    const server = ["-F", "none", "-p", `${fixture.server.port}`, "-o", "BatchMode=yes", ...trust];
    return TmuxScreen.start(TOOLS.ssh, ["-q", "-tt", ...server, ...options, "ann@127.0.0.1", app]);
  }

  it("Ink draws, reads keys and follows the window", async () => {
    await using screen = await start("ink");
    await screen.until(/╭─+╮\n│count 0 on 80x24 +│\n╰─+╯/);
    await screen.type("+");
    await screen.until("count 1 on 80x24");
    await screen.type("+");
    await screen.until("count 2 on 80x24");
    await screen.press("Up");
    await screen.until("count 3 on 80x24");
    await screen.resize(60, 20);
    await screen.until("count 3 on 60x20");
    await screen.type("q");
    expect(await screen.exitStatus()).toBe(0);
    expect(await screen.text()).toContain("\nleft\n");
    expect(await screen.look("#{cursor_flag}")).toBe("1");
  });

  it("Ink leaves at ^C", async () => {
    await using screen = await start("ink");
    await screen.until("count 0 on 80x24");
    await screen.press("C-c");
    expect(await screen.exitStatus()).toBe(0);
    expect(await screen.text()).toContain("\nleft\n");
  });

  it("@clack/prompts asks", async () => {
    await using screen = await start("clack");
    await screen.until("What is its name?");
    await screen.type("spindle");
    await screen.press("Enter");
    await screen.until("Which colour?");
    await screen.press("Down", "Enter");
    await screen.until("Sure?");
    await screen.press("Enter");
    await screen.until("spindle is green: true");
    expect(await screen.exitStatus()).toBe(0);
  });

  it("@clack/prompts is cancelled by ^C", async () => {
    await using screen = await start("clack");
    await screen.until("What is its name?");
    await screen.press("C-c");
    expect(await screen.exitStatus()).toBe(2);
    expect(await screen.look("#{cursor_flag}")).toBe("1");
  });

  it("readline edits lines, has a history and completion, and hears ^C and ^D", async () => {
    await using screen = await start("readline");
    await screen.until("name?");
    await screen.type("Adda");
    await screen.press("Left", "Left", "BSpace", "Enter");
    await screen.until(/^Ada>/m);
    await screen.type("sta");
    await screen.press("Tab", "Enter");
    await screen.until('got "status"');
    await screen.press("Up", "Enter");
    await screen.until(/got "status"\n.*\ngot "status"/);
    await screen.press("C-c");
    await screen.until("interrupted");
    await screen.press("C-d");
    expect(await screen.exitStatus()).toBe(7);
  });

  it("plain programs have the whole screen, which is restored although they throw", async () => {
    await using screen = await start("ansi", ["-o", "SetEnv=COLORTERM=truecolor"]);
    await screen.until("tmux-256color 80x24, 24 bits");
    expect(await screen.look("#{alternate_on} #{cursor_flag} #{mouse_any_flag}")).toBe("1 0 1");
    await screen.resize(100, 30);
    await screen.until("tmux-256color 100x30, 24 bits");
    await screen.press("Up", "C-c");
    await screen.until('key "\\u001b[A');
    await screen.until("\\u0003");
    await screen.type("q");
    expect(await screen.exitStatus()).toBe(1);
    await fixture.logged("error", "a session's handler has failed");
    expect(await screen.text()).toMatch(/^before\n/);
    expect(await screen.look("#{alternate_on} #{cursor_flag} #{mouse_any_flag}")).toBe("0 1 0");
  });

  it("programs that read lines get what the terminal has edited", async () => {
    await using screen = await start("line");
    await screen.until("lines, please");
    await screen.type("caf\u00e9\u6f22x");
    await screen.press("BSpace", "BSpace", "BSpace", "Enter");
    await screen.until('got "caf\\n"');
    expect(await screen.text()).toBe('lines, please\ncaf\ngot "caf\\n"');
    await screen.press("C-d");
    expect(await screen.exitStatus()).toBe(0);
    expect(await screen.text()).toContain("\nend\n");
  });

  it("programs hear signals that are typed", async () => {
    await using screen = await start("signal");
    await screen.until("signals, please");
    await screen.press("C-c");
    await screen.until("^C INT");
    await screen.press("C-z");
    await screen.until("^Z TSTP");
    await screen.press("C-\\");
    expect(await screen.exitStatus()).toBe(0);
    expect(await screen.text()).toContain("^\\ QUIT");
  });

  it("a program that writes without end is stopped by ^C", async () => {
    await using screen = await start("flood");
    await screen.until("yyyy");
    await screen.press("C-c");
    expect(await screen.exitStatus()).toBe(0);
    expect(await screen.text()).toContain("\nstopped\n");
  });

  it("a program that listens to nothing is ended by ^C, and its screen is restored", async () => {
    await using screen = await start("idle");
    await screen.until("idle");
    await screen.press("C-c");
    expect(await screen.exitStatus()).toBe(255);
    expect(await screen.text()).toMatch(/^before\n/);
  });

  it("a program leaves its terminal to another one, and goes on behind it", async () => {
    await using screen = await start("menu");
    await screen.until("program?");
    await screen.type("first\r");
    await screen.until(/in first\n24 80/);
    await screen.type("second\r");
    await screen.until("has read second");
    await screen.until("again?");
    await screen.type("no\r");
    expect(await screen.exitStatus()).toBe(5);
  });
});

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sessionFixture } from "../session/session-fixture.js";
import { needs, TOOLS } from "../support/clients.js";
import { extent } from "../support/extent.js";
import { TmuxScreen } from "../support/tmux-screen.js";
import { temporaryFolder } from "../support/tools.js";

describe("programs of the system on the terminal of ssh", needs("ssh", "tmux"), () => {
  const folder = temporaryFolder();
  const account = { name: "ann", home: folder, shell: "/bin/bash" };
  const fixture = sessionFixture({
    session: (session) => {
      const { command } = session;
      return session.run(command === undefined ? { loginShell: true } : { shell: command }, { account });
    },
  });
  writeFileSync(join(folder, ".bash_profile"), "PS1='ready> '\n");
  writeFileSync(join(folder, "works"), "echo works; exec sleep 100\n");
  const lines = join(folder, "lines");
  writeFileSync(lines, Array.from({ length: 500 }, (_, line) => `line ${line + 1}\n`).join(""));

  function start(command: string | undefined, options: readonly string[] = ["-t"]): Promise<TmuxScreen> {
    const trust = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
    const server = ["-F", "none", "-p", `${fixture.server.port}`, "-o", "BatchMode=yes", ...trust];
    const rest = command === undefined ? [] : [command];
    return TmuxScreen.start(TOOLS.ssh, ["-q", ...server, ...options, "ann@127.0.0.1", ...rest]);
  }

  it("vim edits, and follows the window", needs("vim"), async () => {
    const file = join(folder, "edited");
    await using screen = await start(`TERM=xterm-256color vim -u NONE -N -n ${file}`);
    await screen.until(/^~\n~/m);
    expect(await screen.look("#{alternate_on}")).toBe("1");
    await screen.resize(100, 40);
    // To draw itself anew it wipes the line that it answers in.
    await screen.until(/(?:^~\n?){38}/m);
    await screen.type(":echo &columns &lines\r");
    await screen.until("100 40");
    await screen.type("ifirst caf\u00e9 \u6f22\u5b57");
    await screen.press("Enter");
    await screen.type("second");
    await screen.press("Escape", "Up");
    await screen.type("x:wq\r");
    expect(await screen.exitStatus()).toBe(0);
    expect(readFileSync(file, "utf8")).toMatch(/^first.* \u6f22\u5b57?\nsecond\n$/);
    expect(await screen.look("#{alternate_on}")).toBe("0");
  });

  it("top shows itself again and again, and leaves", needs("top"), async () => {
    await using screen = await start("top -d 0.2");
    await screen.until(/PID USER.*top\b/s);
    await screen.press("q");
    expect(await screen.exitStatus()).toBe(0);
  });

  it("less shows pages, searches, and follows the window", needs("less"), async () => {
    await using screen = await start(`less ${lines}`);
    await screen.until(/^line 1\n.*line 23\n/s);
    await screen.press("Space");
    await screen.until(/^line 24\n/);
    await screen.type("/line 400\r");
    await screen.until(/^line 400\n/);
    await screen.resize(80, 10);
    await screen.until(/^line 400\n(?:line \d+\n){7}line 408\n:$/);
    await screen.press("q");
    expect(await screen.exitStatus()).toBe(0);
  });

  it("tmux has windows, which are there again after it was left", async () => {
    const socket = join(folder, "tmux");
    await using screen = await start(`tmux -f /dev/null -S ${socket} new-session -s work 'PS1=inner sh -i'`);
    await screen.until(/^inner/);
    await screen.type("echo in$((1 + 1))side\r");
    await screen.until("in2side");
    await screen.press("C-b", "d");
    expect(await screen.exitStatus()).toBe(0);
    await using again = await start(`tmux -S ${socket} attach -t work`);
    await again.until("in2side");
    await again.type("exit\r");
    expect(await again.exitStatus()).toBe(0);
  });

  it("a login shell controls jobs: ^C, ^Z, fg, bg, ^D", async () => {
    await using screen = await start(undefined, ["-tt"]);
    await screen.until(/ready>$/);
    await screen.type("shopt -q login_shell && echo login $0\r");
    await screen.until("login -bash");
    // Before a program says something, keys are the shell's: it would ignore ^Z, and take ^D for a character.
    await screen.type("sh works\r");
    await screen.until(/^works$/m);
    await screen.press("C-z");
    await screen.until(/Stopped +sh works/);
    await screen.type("bg; jobs\r");
    await screen.until(/Running +sh works/);
    await screen.type("fg\r");
    await screen.until(/fg\nsh works$/);
    await screen.press("C-c");
    await screen.until(/\^C\nready>$/);
    await screen.type("echo cat; cat; echo status $?\r");
    await screen.until(/^cat$/m);
    await screen.press("C-d");
    await screen.until("status 0");
    await screen.type("(exit 3)\r");
    await screen.press("C-d");
    expect(await screen.exitStatus()).toBe(3);
  });

  it("^C ends a program that writes without end, though nobody can read as fast", async () => {
    await using screen = await start("yes; echo over");
    await screen.until("y\ny\ny");
    await screen.press("C-c");
    // ssh tells a signal so.
    expect(await screen.exitStatus()).toBe(255);
  });

  it("the window is that of the client, also at the start", async () => {
    await using screen = await start("trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done", ["-tt"]);
    await screen.until(/^24 80/);
    for (let columns = 40; columns < 60; columns++) await screen.resize(columns, 20);
    await screen.until(/20 59$/);
    await screen.press("C-c");
    // ssh tells a signal so.
    expect(await screen.exitStatus()).toBe(255);
  });

  it("UTF-8 is edited by characters, as the client's terminal has it", async () => {
    await using screen = await start("echo ready; head -n 1 | od -An -tx1");
    // Keys that come before the terminal has its settings are edited by bytes.
    await screen.until("ready");
    await screen.type("a\u00e9\u6f22");
    await screen.press("BSpace", "BSpace", "Enter");
    await screen.until(" 61 0a");
    expect(await screen.exitStatus()).toBe(0);
  });

  it("ssh -t takes no terminal where it has none itself, ssh -tt does", async () => {
    const [once, twice] = await Promise.all([
      fixture.ssh(["-t"], "tty", { input: new Uint8Array() }).finished,
      fixture.ssh(["-tt"], "tty", { input: new Uint8Array() }).finished,
    ]);
    expect({ stdout: once.stdout.toString(), code: once.code }).toEqual({ stdout: "not a tty\n", code: 1 });
    expect(twice.stdout.toString()).toMatch(/^\/dev\/pts\/\d+\r\n$/);
    expect(twice.code).toBe(0);
  });

  it.each(["-T", "-tt"])("much output is whole: ssh %s", async (option) => {
    const length = extent(2, 64) * 1024 * 1024;
    const make = `openssl enc -aes-128-ctr -nosalt -K 00 -iv 00 2>/dev/null </dev/zero | head -c ${length}`;
    const raw = option === "-tt" ? "stty raw; " : "";
    const { stdout } = await fixture.ssh([option], `${raw}${make}`, { input: new Uint8Array(), timeout: 120_000 })
      .finished;
    const { stdout: expected } = await fixture.run(`${make} | sha256sum`, { timeout: 120_000 });
    expect(stdout.length).toBe(length);
    expect(expected.toString()).toContain(createHash("sha256").update(stdout).digest("hex"));
  });

  it("all bytes of a client reach a program on a terminal that is raw", async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const process = fixture.ssh(["-tt", "-e", "none"], "stty raw -echo; printf ready; head -c 256 | sha256sum");
    await process.untilOutput("ready");
    process.stdin.write(all);
    const { stdout } = await process.finished;
    expect(stdout.toString()).toContain(createHash("sha256").update(all).digest("hex"));
  });
});

import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { Pty } from "../../../src/process/terminal/pseudo-terminal.js";
import { terminalSettings } from "../../../src/process/terminal/terminal-settings.js";
import { decodeTerminalModes } from "../../../src/protocol/terminal-modes.js";
import { Writer } from "../../../src/protocol/writer.js";
import { needs } from "../../support/clients.js";

/** Every opcode that RFC 4254 §8 could have, with a value. */
function allModes(value: number): ReadonlyMap<string, number> {
  const encoded = new Writer();
  for (let opcode = 1; opcode < 160; opcode++) encoded.writeByte(opcode).writeUint32(value);
  return decodeTerminalModes(encoded.toBuffer());
}

/** Sets a terminal, and gives its settings. */
async function set(stty: readonly [string, ...string[]], settings: readonly string[]): Promise<string> {
  const [program, ...first] = stty;
  const pty = await Pty.start({ width: 80, height: 24 }, undefined, async (opened, terminal) => {
    const { stderr, status } = spawnSync(program, [...first, ...settings], { stdio: [terminal, "ignore", "pipe"] });
    expect({ errors: stderr.toString(), status }).toEqual({ errors: "", status: 0 });
    const { stdout } = spawnSync("stty", ["-a"], { stdio: [terminal, "pipe", "ignore"] });
    return { opened, text: stdout.toString() };
  });
  pty.opened.destroy();
  return pty.text;
}

const STTYS = [
  { name: "GNU", stty: ["stty"], tools: needs() },
  { name: "BusyBox", stty: ["busybox", "stty"], tools: needs("busybox") },
] as const;

describe.each(STTYS)("the settings of a terminal for the stty of $name", ({ stty, tools }) => {
  it("are all known to it", tools, async () => {
    for (const value of [0, 1, 8, 9, 27, 31, 32, 45, 94, 126, 127, 128, 200, 255, 9600]) {
      await set(stty, terminalSettings(allModes(value)));
    }
  });

  it("have characters as the client has", tools, async () => {
    for (const [value, shown] of [
      [1, "^A"],
      [10, "^J"],
      [28, "^\\"],
      [32, " "],
      [45, "-"],
      [55, "7"],
      [94, "^"],
      [127, "^?"],
      [200, "M-H"],
      [0, "<undef>"],
      [255, "<undef>"],
      [2 ** 32 - 1, "<undef>"],
    ] as const) {
      expect(await set(stty, terminalSettings(new Map([["VINTR", value]])))).toContain(`intr = ${shown};`);
    }
  });

  it("have the speed of the client, where it is one", tools, async () => {
    const speed = (value: number) => set(stty, terminalSettings(new Map([["TTY_OP_OSPEED", value]])));
    expect(await speed(115_200)).toMatch(/^speed 115200 baud;/);
    expect(await speed(115_201)).toMatch(/^speed 38400 baud;/);
  });
});

it("settings of a terminal have nothing but words of stty", () => {
  const values = [0, 1, 27, 39, 92, 96, 127, 200, 255, 2 ** 32 - 1];
  const settings = values.flatMap((value) => terminalSettings(allModes(value)));
  expect(settings.filter((word) => !/^(?:-?[a-z0-9]+|\^[@-_?]|[1-9]\d*)$/.test(word))).toEqual([]);
});

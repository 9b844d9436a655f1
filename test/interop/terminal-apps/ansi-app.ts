import { on, once } from "node:events";
import type { TerminalSession } from "./terminal-server.js";

const ALTERNATE_SCREEN = "\u001b[?1049h";
const HIDDEN_CURSOR = "\u001b[?25l";
const MOUSE_AND_PASTE = "\u001b[?1000h\u001b[?2004h";

/** Takes the whole screen, and throws at q without having tidied up. */
export async function ansiApp({ terminal, signal }: TerminalSession): Promise<void> {
  const { input, output } = terminal;
  output.write("before\n");
  output.write(`${ALTERNATE_SCREEN}${HIDDEN_CURSOR}${MOUSE_AND_PASTE}\u001b[31m`);
  const draw = () => {
    output.cursorTo(0, 0);
    output.clearScreenDown();
    output.write(`${terminal.term} ${output.columns}x${output.rows}, ${output.getColorDepth()} bits\n`);
  };
  output.on("resize", draw);
  draw();
  input.setRawMode(true);
  for await (const [keys] of on(input, "data", { signal })) {
    if (`${keys}` === "q") throw new Error("without having tidied up");
    output.write(`key ${JSON.stringify(`${keys}`)}\n`);
  }
}

/** Reads lines that the terminal edits, until the end of its input. */
export async function lineApp({ terminal }: TerminalSession): Promise<void> {
  terminal.output.write("lines, please\n");
  for await (const line of terminal.input) terminal.output.write(`got ${JSON.stringify(`${line}`)}\n`);
  terminal.output.write("end\n");
}

/** Says which signals are typed, until it is QUIT. */
export async function signalApp({ terminal, nextSignal }: TerminalSession): Promise<void> {
  terminal.output.write("signals, please\n");
  for (let name = ""; name !== "QUIT"; terminal.output.write(` ${name}\n`)) name = await nextSignal();
}

/** Writes without end, and does not read. */
export async function floodApp({ terminal, nextSignal }: TerminalSession): Promise<void> {
  const { output } = terminal;
  let interrupted = false;
  const interruption = nextSignal().then(() => {
    interrupted = true;
  });
  while (!interrupted) {
    if (!output.write(`${"y".repeat(79)}\n`.repeat(100))) await Promise.race([once(output, "drain"), interruption]);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  output.write("\nstopped\n");
}
